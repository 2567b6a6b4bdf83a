/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tls/settings.h"

#include "workers/tls/certificate.h"
#include "workers/tls/credential.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *const tls_client_words[] = {"off", "ask", "require", NULL};
const char *const tls_min_words[] = {"1.2", "1.3", NULL};
const char *const tls_yes_no_words[] = {"no", "yes", NULL};
const char *const tls_pass_words[] = {"end", "pass", NULL};

bool tls_settings_ends_here(const struct tls_settings *settings,
                            const struct parameter_facts *facts)
{
    return !settings->is_passed &&
           (tls_settings_has_certificate(settings) || facts->has_tls_credential);
}

void tls_settings_clear(struct tls_settings *settings)
{
    str_list_clear(&settings->certificates);
    str_list_clear(&settings->keys);
    free(settings->authorities);
    *settings = (struct tls_settings){0};
}

static bool has_credential(const char *name)
{
    char *path = tls_credential_path(name);
    bool is_there = path && access(path, F_OK) == 0;

    free(path);
    return is_there;
}

/* Without a key of its own the certificate's file has it. */
static int use_credentials(struct tls_settings *settings)
{
    if (settings->certificates.n_items > 0 || !has_credential(TLS_CREDENTIAL_CERT))
        return 0;
    int r = str_list_append(&settings->certificates, TLS_CREDENTIAL_CERT);
    if (r == 0 && settings->keys.n_items == 0 && has_credential(TLS_CREDENTIAL_KEY))
        r = str_list_append(&settings->keys, TLS_CREDENTIAL_KEY);
    return r;
}

static int check_together(const struct tls_settings *settings,
                          const struct parameter_report *report)
{
    size_t n_certificates = settings->certificates.n_items, n_keys = settings->keys.n_items;
    bool has_some = n_certificates > 0 || report->facts.has_tls_credential;

    if (n_keys > 0 && n_keys != n_certificates) {
        parameter_say(report, PARAMETER_ERROR, parameter_line(report, "TLS_KEY", n_keys - 1),
                      "TLS_KEY= is given %zu times and TLS_CERT= %zu times; give one for each, in "
                      "the same order, or none if the keys are in the files of the certificates",
                      n_keys, n_certificates);
        return -EINVAL;
    }
    if (settings->client == TLS_CLIENT_REQUIRE && !settings->authorities) {
        parameter_say(
            report, PARAMETER_ERROR, parameter_line(report, "TLS_CLIENT", 0),
            "TLS_CLIENT=require needs TLS_CA=, the authorities that clients' certificates "
            "are verified by");
        return -EINVAL;
    }
    if (report->facts.is_check && report->facts.has_tls_port && !has_some) {
        parameter_say(report, PARAMETER_ERROR, PARAMETER_NONE,
                      "TLS_PORT needs a certificate: PARAMETER=TLS_CERT= and TLS_KEY=, or the "
                      "credentials tls.cert and tls.key of the workers' unit");
        return -EINVAL;
    }
    if (settings->is_required && !has_some && report->facts.is_check) {
        parameter_say(report, PARAMETER_ERROR, parameter_line(report, "TLS_REQUIRED", 0),
                      "TLS_REQUIRED=yes without a certificate: nobody could use the service; give "
                      "TLS_CERT= and TLS_KEY=");
        return -EINVAL;
    }
    return 0;
}

/* The credentials of the unit are the program's then. */
static int check_passed(const struct tls_settings *settings, const struct parameter_report *report)
{
    if (settings->certificates.n_items == 0)
        return 0;
    parameter_say(report, PARAMETER_ERROR, parameter_line(report, "TLS_CERT", 0),
                  "TLS=pass leaves TLS to the program behind this service, which has its own "
                  "certificate; remove TLS_CERT=, or TLS=pass");
    return -EINVAL;
}

/* Reads them as the worker will, if this user may. */
static int check_certificate(const struct tls_settings *settings, size_t i,
                             const struct parameter_report *report)
{
    bool has_key_file = settings->keys.n_items > 0;
    const char *key = has_key_file ? settings->keys.items[i] : NULL;
    size_t line = parameter_line(report, "TLS_CERT", i);
    struct tls_certificate certificate;
    struct tls_fault fault = {0};

    int r = tls_certificate_load(&certificate, settings->certificates.items[i], key, &fault);
    if (r < 0) {
        bool is_ours = r == -EACCES || r == -ENOKEY;

        parameter_say(report, is_ours ? PARAMETER_WARNING : PARAMETER_ERROR,
                      fault.is_of_key ? parameter_line(report, "TLS_KEY", i) : line, "%s%s",
                      fault.text, is_ours ? "; not checked" : "");
        return is_ours ? 0 : -EINVAL;
    }
    if (tls_certificate_describe_expiry(&certificate, time(NULL), fault.text))
        parameter_say(report, PARAMETER_WARNING, line, "%s: %s", settings->certificates.items[i],
                      fault.text);
    tls_certificate_clear(&certificate);
    return 0;
}

int tls_settings_complete(struct tls_settings *settings, const struct parameter_report *report)
{
    int r = settings->is_passed ? check_passed(settings, report) : use_credentials(settings);

    if (r < 0 || settings->is_passed)
        return r;
    r = check_together(settings, report);
    for (size_t i = 0; r == 0 && report->facts.is_check && i < settings->certificates.n_items; i++)
        r = check_certificate(settings, i, report);
    return r;
}
