/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* import_file FORM WORKER-DIR MAPPINGS FILE...: as "dispatcherctl import" does, with the programs
 * of a folder that need not be the installed one. */
#include "import/import.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILES_MAX 32

static bool can_run(const char *path)
{
    return access(path, X_OK) == 0;
}

static uint16_t find_port(const char *name)
{
    const struct servent *service = getservbyname(name, "tcp");

    return service ? ntohs((uint16_t)service->s_port) : 0;
}

static char *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "re");
    char *text = malloc(IMPORT_MAX_BYTES);

    if (!file || !text) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    *ret_size = fread(text, 1, IMPORT_MAX_BYTES, file);
    fclose(file);
    return text;
}

int main(int argc, char *argv[])
{
    struct import_source sources[FILES_MAX];
    struct import_result result;
    enum import_form form;

    if (argc < 5 || argc - 4 > FILES_MAX || import_form_find(argv[1], &form) < 0)
        return EXIT_FAILURE;
    const struct import_host host = {
        .can_run = can_run, .find_port = find_port, .worker_dir = argv[2], .has_mappings = true};
    for (int i = 4; i < argc; i++) {
        sources[i - 4].name = argv[i];
        sources[i - 4].text = read_file(argv[i], &sources[i - 4].size);
    }
    if (import_run(form, &host, sources, (size_t)argc - 4, &result) < 0)
        return EXIT_FAILURE;
    fputs(result.config, stdout);
    printf("! translated: %u, not: %u\n", result.n_services, result.n_left_out);
    FILE *mappings = result.mappings ? fopen(argv[3], "we") : NULL;
    if (mappings) {
        fputs(result.mappings, mappings);
        fclose(mappings);
    }
    for (int i = 4; i < argc; i++)
        free((char *)sources[i - 4].text);
    import_result_clear(&result);
    return EXIT_SUCCESS;
}
