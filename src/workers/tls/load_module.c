/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The functions of functions.h as the programs have them: they are in tls.so, which is loaded with
 * the first certificate. Without one there is no context, and without a context no session. */
#include "workers/tls/functions.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MODULE "tls.so"

static const struct tls_functions *loaded; /* NULL: not yet; for as long as the process lives */

/* It lies beside the program that runs. */
static int find_module(char path[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof(MODULE));

    if (n < 0)
        return -errno;
    path[n] = '\0';
    char *name = strrchr(path, '/');
    if (!name)
        return -ENOENT;
    memcpy(name + 1, MODULE, sizeof(MODULE));
    return 0;
}

/* Before the worker's threads are started. Returns 0, or a negative errno with the fault in
 * words. */
static int load(char fault[PARAMETER_TEXT_MAX])
{
    char path[PATH_MAX];

    if (loaded)
        return 0;
    int r = find_module(path);
    if (r < 0) {
        snprintf(fault, PARAMETER_TEXT_MAX, "cannot read the link /proc/self/exe: %s",
                 strerror(-r));
        return r;
    }
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct tls_functions *found = module ? dlsym(module, "tls_functions") : NULL;
    if (!found) {
        snprintf(fault, PARAMETER_TEXT_MAX, "cannot load the program's part for TLS: %.300s",
                 dlerror());
        return -ELIBACC;
    }
    if (strcmp(found->version, PACKAGE_VERSION) != 0) {
        snprintf(fault, PARAMETER_TEXT_MAX, "%.300s is of version %.20s, the program of %s", path,
                 found->version, PACKAGE_VERSION);
        dlclose(module);
        return -ELIBBAD;
    }
    loaded = found;
    return 0;
}

int tls_certificate_load(struct tls_certificate *ret, const char *certificate, const char *key,
                         struct tls_fault *fault)
{
    int r = load(fault->text);

    return r < 0 ? r : loaded->certificate_load(ret, certificate, key, fault);
}

void tls_certificate_clear(struct tls_certificate *certificate)
{
    loaded->certificate_clear(certificate);
}

bool tls_certificate_describe_expiry(const struct tls_certificate *certificate, time_t now,
                                     char text[PARAMETER_TEXT_MAX])
{
    return loaded->certificate_describe_expiry(certificate, now, text);
}

int tls_context_new(const struct tls_settings *settings, unsigned n_places,
                    struct tls_context **ret, char fault[PARAMETER_TEXT_MAX])
{
    *ret = NULL;
    if (!tls_settings_has_certificate(settings))
        return 0;
    int r = load(fault);
    return r < 0 ? r : loaded->context_new(settings, n_places, ret, fault);
}

void tls_context_free(struct tls_context *context)
{
    if (context)
        loaded->context_free(context);
}

int tls_session_begin(struct tls_session *session, struct tls_context *context, int fd,
                      int stress_fd)
{
    return loaded->session_begin(session, context, fd, stress_fd);
}

enum tls_failure tls_session_shake_hands(struct tls_session *session, short *ret_events)
{
    return loaded->session_shake_hands(session, ret_events);
}

bool tls_session_is_late(const struct tls_session *session, uint64_t now)
{
    return loaded->session_is_late(session, now);
}

enum tls_failure tls_session_start(struct tls_session *session, struct tls_context *context, int fd,
                                   int stress_fd, bool client_asks)
{
    return loaded->session_start(session, context, fd, stress_fd, client_asks);
}

/* Also of one that never began, as without a certificate. */
void tls_session_clear(struct tls_session *session)
{
    if (loaded)
        loaded->session_clear(session);
}

ssize_t tls_session_receive(struct tls_session *session, void *buffer, size_t size,
                            struct deadline deadline)
{
    return loaded->session_receive(session, buffer, size, deadline);
}

ssize_t tls_session_read(struct tls_session *session, void *buffer, size_t size,
                         bool *ret_wants_output)
{
    return loaded->session_read(session, buffer, size, ret_wants_output);
}

int tls_session_wait(struct tls_session *session, int stop_fd, struct deadline deadline)
{
    return loaded->session_wait(session, stop_fd, deadline);
}

int tls_session_send(struct tls_session *session, const void *bytes, size_t n_bytes,
                     uint64_t deadline_usec)
{
    return loaded->session_send(session, bytes, n_bytes, deadline_usec);
}

ssize_t tls_session_write(struct tls_session *session, const void *bytes, size_t n_bytes,
                          bool *ret_wants_input)
{
    return loaded->session_write(session, bytes, n_bytes, ret_wants_input);
}

bool tls_session_has_input(struct tls_session *session)
{
    return loaded->session_has_input(session);
}

int tls_session_end_output(struct tls_session *session)
{
    return loaded->session_end_output(session);
}

void tls_session_close(struct tls_session *session)
{
    loaded->session_close(session);
}
