/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/import_command.h"

#include "base/str.h"
#include "base/text_file.h"
#include "files/paths.h"
#include "import/import.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    EXIT_USAGE = 2
};

static bool can_run(const char *path)
{
    struct stat st;

    return path[0] == '/' && stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static uint16_t find_port(const char *name)
{
    const struct servent *service = getservbyname(name, "tcp");

    return service ? ntohs((uint16_t)service->s_port) : 0;
}

/* Reads all of the file, to be freed; NULL after it reported an error. */
static char *read_file(const char *path, size_t *ret_size)
{
    const char *fault = NULL;
    FILE *stream = NULL;
    struct stat st;

    int r = text_file_open(path, true, &stream, &st, &fault);
    char *text = r == 0 ? malloc(IMPORT_MAX_BYTES + 1) : NULL;
    size_t size = text ? fread(text, 1, IMPORT_MAX_BYTES + 1, stream) : 0;
    if (r == 0 && !text)
        r = -ENOMEM;
    else if (r == 0 && ferror(stream))
        r = -EIO;
    else if (size > IMPORT_MAX_BYTES)
        r = -EFBIG;
    if (stream)
        fclose(stream);
    if (r < 0) {
        fprintf(stderr, "dispatcherctl: cannot read %s: %s\n", path, fault ? fault : strerror(-r));
        free(text);
        return NULL;
    }
    *ret_size = size;
    return text;
}

/* A file that exists is not overwritten. */
static int write_mappings(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    FILE *stream = fd < 0 ? NULL : fdopen(fd, "w");
    int r = stream ? 0 : -errno;

    if (stream) {
        fputs(text, stream);
        r = ferror(stream) ? -EIO : 0;
        if (fclose(stream) != 0 && r == 0)
            r = -errno;
        if (r < 0)
            (void)unlink(path);
    } else if (fd >= 0) {
        close(fd);
    }
    if (r < 0)
        fprintf(stderr, "dispatcherctl: cannot write %s: %s\n", path, strerror(-r));
    return r;
}

static void print_mappings(const char *text)
{
    puts("!\n! For " CONFIG_DIR "/mappings, see dispatcher-mappings(5):\n!");
    while (*text) {
        size_t length = strcspn(text, "\n");

        printf("!%s%.*s\n", length > 0 ? " " : "", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static int print_config(const struct import_arguments *arguments,
                        const struct import_result *result)
{
    fputs(result->config, stdout);
    if (result->mappings && !arguments->mappings)
        print_mappings(result->mappings);
    if (fflush(stdout) == 0)
        return 0;
    fprintf(stderr, "dispatcherctl: cannot print: %s\n", strerror(errno));
    return -EIO;
}

static void report(const struct import_arguments *arguments, const struct import_result *result)
{
    unsigned n = result->n_with_access;

    fprintf(stderr, "dispatcherctl: %u %s translated, %u not%s\n", result->n_services,
            str_plural(result->n_services, "service", "services"), result->n_left_out,
            result->n_left_out > 0 ? ": see \"NOT TRANSLATED\" in the comments" : "");
    if (n > 0 && !arguments->mappings)
        fprintf(stderr,
                "dispatcherctl: %u %s access rules, which are comments at the end, and ENABLE=0: "
                "use --mappings FILE\n",
                n, str_plural(n, "service has", "services have"));
    else if (n > 0 && strcmp(arguments->mappings, CONFIG_DIR "/mappings") != 0)
        fprintf(stderr,
                "dispatcherctl: %u %s access rules, which are in %s: add them to " CONFIG_DIR
                "/mappings first\n",
                n, str_plural(n, "service has", "services have"), arguments->mappings);
}

/* The rules come first: without them, nothing that needs them is printed. */
static int print_result(const struct import_arguments *arguments,
                        const struct import_result *result)
{
    bool has_file = result->mappings && arguments->mappings;

    if (has_file && write_mappings(arguments->mappings, result->mappings) < 0)
        return EXIT_FAILURE;
    if (print_config(arguments, result) < 0) {
        if (has_file)
            (void)unlink(arguments->mappings);
        return EXIT_FAILURE;
    }
    report(arguments, result);
    return EXIT_SUCCESS;
}

static int run(const struct import_arguments *arguments, enum import_form form,
               struct import_source sources[], size_t n_sources)
{
    const struct config_paths paths = config_paths_default();
    const struct import_host host = {.can_run = can_run,
                                     .find_port = find_port,
                                     .worker_dir = paths.worker_dir,
                                     .has_mappings = arguments->mappings};
    struct import_result result;

    int r = import_run(form, &host, sources, n_sources, &result);
    if (r < 0) {
        fprintf(stderr, "dispatcherctl: cannot translate: %s\n", strerror(-r));
        return EXIT_FAILURE;
    }
    int status = print_result(arguments, &result);
    import_result_clear(&result);
    return status;
}

int import_command(const struct import_arguments *arguments, char *const files[], size_t n_files)
{
    enum import_form form = IMPORT_DISPATCHER;
    int status = EXIT_FAILURE;
    size_t n = 0;

    if (arguments->form && import_form_find(arguments->form, &form) < 0) {
        fprintf(stderr,
                "dispatcherctl: --from must be one of dispatcher.cnf, xinetd, inetd, master.cf; "
                "not '%s'\n",
                arguments->form);
        return EXIT_USAGE;
    }
    if (n_files == 0) {
        fputs("dispatcherctl: import needs a file\n", stderr);
        return EXIT_USAGE;
    }
    struct import_source *sources = calloc(n_files, sizeof(*sources));
    for (; sources && n < n_files; n++) {
        sources[n].name = files[n];
        sources[n].text = read_file(files[n], &sources[n].size);
        if (!sources[n].text)
            break;
    }
    if (sources && n == n_files)
        status = run(arguments, form, sources, n_files);
    for (size_t i = 0; i < n; i++)
        free((char *)sources[i].text);
    free(sources);
    return status;
}
