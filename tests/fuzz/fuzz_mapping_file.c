/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Any bytes as a mapping file: none may do harm, and what is accepted comes to an end for any
 * client, whatever its routines answer. */
#include "base/fd.h"
#include "mapping/port_access.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void trace(void *data, const struct mapping_trace *event)
{
    size_t *n_bytes = data;

    *n_bytes += strlen(event->text) + strlen(event->table);
}

static void check_reply(const struct port_access *verdict)
{
    if (strlen(verdict->reply) != verdict->reply_length)
        abort();
    if (verdict->reply_length > PORT_ACCESS_REPLY_MAX)
        abort();
    if (verdict->reply_length > 0 && !verdict->is_rejected)
        abort();
    for (const char *c = verdict->reply; *c; c++)
        if ((*c == '\r') != (c[1] == '\n') || *c == '\x01')
            abort();
}

static void ask(const struct mapping_set *set, const char *client_text, bool succeeds)
{
    static struct mapping_run run;
    static struct port_access verdict;
    size_t n_bytes = 0;
    const struct mapping_hooks hooks = {.trace = trace, .data = &n_bytes};
    struct address client, server;
    char probe[PORT_ACCESS_PROBE_MAX];

    if (address_parse(client_text, &client) < 0 || address_parse("192.0.2.1", &server) < 0 ||
        port_access_probe(&server, &client, probe) < 0)
        abort();
    mapping_run_start(&run, set, MAPPING_PORT_ACCESS, probe, PORT_ACCESS_INPUT_FLAGS,
                      succeeds ? &hooks : NULL);
    while (mapping_run_step(&run) == MAPPING_CALLOUT)
        mapping_run_resume(&run, succeeds, "a\r\n~|$N\x01$C||\xff");
    if (run.n_elements > MAPPING_ELEMENTS_MAX)
        abort();
    port_access_judge(&run, &verdict);
    check_reply(&verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_fd_ int fd = memfd_create("mappings", MFD_CLOEXEC);
    _cleanup_mapping_set_ struct mapping_set *set = NULL;
    struct problem_list problems = {0};
    char path[40];

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int r = mapping_set_load(path, &problems, &set);
    if ((r == 0) != (problems.n_errors == 0))
        abort();
    problem_list_clear(&problems);
    if (r == 0) {
        ask(set, "198.51.100.7", false);
        ask(set, "2001:db8::9", true);
    }
    return 0;
}
