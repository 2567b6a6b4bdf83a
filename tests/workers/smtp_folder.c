/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/smtp_folder.h"

#include "base/str.h"

#include <check.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void smtp_folder_make(struct smtp_folder *folder)
{
    strcpy(folder->path, "/tmp/test_smtp.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder->path));
    snprintf(folder->maildir, sizeof(folder->maildir), "%s/mail", folder->path);
}

static int remove_one(const char *path, const struct stat *st _unused_, int kind _unused_,
                      struct FTW *where _unused_)
{
    return remove(path);
}

void smtp_folder_remove(const struct smtp_folder *folder)
{
    (void)nftw(folder->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Returns the number of files and leaves the last one's path in *ret_path, which may be NULL. */
static size_t look(const struct smtp_folder *folder, const char *part, char **ret_path)
{
    char path[128];
    struct dirent *entry;
    size_t n = 0;

    snprintf(path, sizeof(path), "%s/%s", folder->maildir, part);
    DIR *directory = opendir(path);
    while (directory && (entry = readdir(directory))) {
        if (entry->d_name[0] == '.')
            continue;
        n++;
        if (ret_path) {
            free(*ret_path);
            ck_assert_int_gt(asprintf(ret_path, "%s/%s", path, entry->d_name), 0);
        }
    }
    if (directory)
        closedir(directory);
    return n;
}

size_t smtp_folder_count(const struct smtp_folder *folder, const char *part)
{
    return look(folder, part, NULL);
}

char *smtp_folder_read_message(const struct smtp_folder *folder)
{
    _cleanup_str_ char *path = NULL;
    const size_t max = 1 << 20;
    char *text = malloc(max);

    ck_assert_uint_eq(look(folder, "new", &path), 1);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, max - 1, file)] = '\0';
    fclose(file);
    return text;
}
