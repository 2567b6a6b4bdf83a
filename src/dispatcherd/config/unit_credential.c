/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/config/unit_credential.h"

#include "base/macro.h"
#include "base/text_file.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The most lines of a unit file that are read; those of administrators have a few. */
#define LINES_MAX 10000

/* Bytes for the name of a folder, and of a file in it. */
#define FOLDER_BYTES 160
#define FILE_BYTES   (FOLDER_BYTES + NAME_MAX + 2)

/* In the order of systemd.unit(5). */
static const char *const folders[] = {
    "/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient",
    "/etc/systemd/system",         "/run/systemd/system",         "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
};

static bool line_sets(const char *line, const char *name)
{
    static const char *const settings[] = {
        "LoadCredential=", "LoadCredentialEncrypted=", "SetCredential=", "SetCredentialEncrypted=",
        "ImportCredential="};

    for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
        size_t length = strlen(settings[i]);

        if (strncmp(line, settings[i], length) == 0 &&
            strncmp(line + length, name, strlen(name)) == 0)
            return strchr(":\r\n*", line[length + strlen(name)]) != NULL;
    }
    return false;
}

static bool file_sets(const char *path, const char *name)
{
    char line[1024];
    struct stat st;
    const char *fault;
    bool is_set = false;
    FILE *stream;

    if (text_file_open(path, false, &stream, &st, &fault) < 0)
        return false;
    for (unsigned n = 0; !is_set && n < LINES_MAX && fgets(line, sizeof(line), stream); n++)
        is_set = line_sets(line, name);
    fclose(stream);
    return is_set;
}

static bool drop_in_sets(const char folder_path[FOLDER_BYTES], const char *name)
{
    DIR *folder = opendir(folder_path);
    const struct dirent *entry;
    char path[FILE_BYTES];
    bool is_set = false;

    while (folder && !is_set && (entry = readdir(folder))) {
        snprintf(path, sizeof(path), "%.*s/%s", FOLDER_BYTES - 1, folder_path, entry->d_name);
        is_set = entry->d_name[0] != '.' && file_sets(path, name);
    }
    if (folder)
        closedir(folder);
    return is_set;
}

bool unit_credential_is_set(const struct service_options *service, const char *name)
{
    char path[FOLDER_BYTES];

    for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
        int n = snprintf(path, sizeof(path) - strlen(".d"), "%s/dispatcherd-%.40s-worker@.service",
                         folders[i], service->unit_name);

        if (file_sets(path, name))
            return true;
        strcpy(path + n, ".d");
        if (drop_in_sets(path, name))
            return true;
    }
    return false;
}
