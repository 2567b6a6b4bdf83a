/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "generator/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DAEMON_DROP_IN UNIT_DAEMON ".d/50-sockets.conf"
#define WEB_DROP_IN    "dispatcherd-web.socket.d/00-no-ipv6.conf"

const struct unit_file *unit_list_find(const struct unit_list *list, const char *path)
{
    for (size_t i = 0; i < list->n_items; i++)
        if (strcmp(list->items[i].path, path) == 0)
            return &list->items[i];
    return NULL;
}

static void unit_file_clear(struct unit_file *file)
{
    free(file->path);
    free(file->text);
}

void unit_list_clear(struct unit_list *list)
{
    for (size_t i = 0; i < list->n_items; i++)
        unit_file_clear(&list->items[i]);
    free(list->items);
    *list = (struct unit_list){0};
}

/* What is being built: the list, and the drop-in that names all sockets in it. */
struct builder {
    const struct unit_environment *environment;
    struct unit_list list;
    FILE *drop_in;
};

/* Takes over the file's strings. */
static int add_file(struct unit_list *list, struct unit_file *file)
{
    struct unit_file *items = reallocarray(list->items, list->n_items + 1, sizeof(*items));

    if (!items) {
        unit_file_clear(file);
        return -ENOMEM;
    }
    list->items = items;
    list->items[list->n_items++] = *file;
    return 0;
}

/* A path or a text under construction; errors are checked at the end. */
static FILE *text_start(char **ret_text, size_t *ret_length)
{
    return open_memstream(ret_text, ret_length);
}

static int text_end(FILE *stream)
{
    int r = ferror(stream) ? -ENOMEM : 0;

    return fclose(stream) == 0 ? r : -ENOMEM;
}

typedef void (*write_text)(FILE *stream, const struct unit_environment *environment,
                           const struct service_options *service);

static void write_plain_socket(FILE *stream, const struct unit_environment *environment,
                               const struct service_options *service)
{
    unit_text_socket(stream, environment, service, false);
}

static void write_tls_socket(FILE *stream, const struct unit_environment *environment,
                             const struct service_options *service)
{
    unit_text_socket(stream, environment, service, true);
}

static int add_unit(struct builder *builder, const char *name,
                    const struct service_options *service, write_text write)
{
    struct unit_file file = {.path = strdup(name)};
    size_t length;
    FILE *stream = text_start(&file.text, &length);

    if (!stream) {
        unit_file_clear(&file);
        return -ENOMEM;
    }
    write(stream, builder->environment, service);
    if (text_end(stream) < 0 || !file.path) {
        unit_file_clear(&file);
        return -ENOMEM;
    }
    return add_file(&builder->list, &file);
}

/* Only the daemon's unit wants the sockets: `systemctl start dispatcherd` opens all of them before
 * the daemon starts. At boot they are opened only if the daemon's unit is enabled, so that after
 * `systemctl disable dispatcherd` no open port can start it. */
static int add_socket(struct builder *builder, const struct service_options *service,
                      const char *suffix, write_text write)
{
    char name[128];

    snprintf(name, sizeof(name), "dispatcherd-%s%s.socket", service->unit_name, suffix);
    int r = add_unit(builder, name, service, write);
    fprintf(builder->drop_in, "Wants=%s\nAfter=%s\n", name, name);
    return r;
}

static int add_service(struct builder *builder, const struct service_options *service)
{
    char name[128];
    int r = 0;

    if (service->port.n_ports > 0)
        r = add_socket(builder, service, "", write_plain_socket);
    if (r == 0 && service->tls_port.n_ports > 0)
        r = add_socket(builder, service, "-tls", write_tls_socket);
    if (r == 0)
        r = add_socket(builder, service, "-worker", unit_text_worker_socket);
    snprintf(name, sizeof(name), "dispatcherd-%s-worker@.service", service->unit_name);
    if (r == 0)
        r = add_unit(builder, name, service, unit_text_worker_service);
    return r;
}

/* dispatcher.cnf allows no other name. It is checked again, since root writes these files: a name
 * with a slash or a newline would be dangerous. */
static bool is_unit_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t length = strlen(name);

    return length >= 1 && length <= 32 && strspn(name, letters) == length && name[0] != '-' &&
           name[0] != '_';
}

static bool can_be_units(const struct service_options *service, struct problem_list *problems)
{
    const struct origin *image = &service->origins[OPTION_IMAGE];

    if (!is_unit_name(service->unit_name) || !str_equal_nocase(service->name, service->unit_name)) {
        problem_add(
            problems, PROBLEM_ERROR, service->origin.file, service->origin.line,
            "service '%s': this name cannot be part of a unit's name; writing no units for it",
            service->name);
        return false;
    }
    if (!unit_text_can_execute(service->image)) {
        problem_add(problems, PROBLEM_ERROR, image->file, image->line,
                    "service %s: systemd cannot run a program whose path has quotes, backslashes, "
                    "control characters or invalid UTF-8; writing no units for it: IMAGE=%s",
                    service->name, service->image);
        return false;
    }
    return true;
}

/* Takes over the text. */
static int add_text(struct builder *builder, const char *path, char *text)
{
    struct unit_file file = {.path = strdup(path), .text = text};

    if (!file.path || !file.text) {
        unit_file_clear(&file);
        return -ENOMEM;
    }
    return add_file(&builder->list, &file);
}

/* The status page's unit is installed, not generated, and has both ::1 and 127.0.0.1: on a kernel
 * without IPv6, systemd would open neither. By its name, an administrator's drop-in comes after
 * this one. */
static int add_web_drop_in(struct builder *builder)
{
    return add_text(builder, WEB_DROP_IN,
                    strdup("# Written by dispatcherd-generator: this kernel has no IPv6.\n"
                           "[Socket]\n"
                           "ListenStream=\n"
                           "ListenStream=127.0.0.1:7633\n"));
}

int units_make(const struct config *config, const struct unit_environment *environment,
               struct problem_list *problems, struct unit_list *ret)
{
    struct builder builder = {.environment = environment};
    _cleanup_str_ char *drop_in = NULL;
    size_t length;
    int r = 0;

    builder.drop_in = text_start(&drop_in, &length);
    if (!builder.drop_in)
        return -ENOMEM;
    fputs("# Written by dispatcherd-generator.\n[Unit]\n", builder.drop_in);
    for (size_t i = 0; i < config->n_services && r == 0; i++) {
        const struct service_options *service = &config->services[i];

        if (service->is_enabled && can_be_units(service, problems))
            r = add_service(&builder, service);
    }
    if (text_end(builder.drop_in) < 0)
        r = -ENOMEM;
    if (r == 0 && builder.list.n_items > 0)
        r = add_text(&builder, DAEMON_DROP_IN, STEAL(drop_in));
    if (r == 0 && !environment->has_ipv6)
        r = add_web_drop_in(&builder);
    if (r < 0)
        unit_list_clear(&builder.list);
    else
        *ret = builder.list;
    return r;
}
