/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A temporary folder with a Maildir for the tests of the SMTP worker. */
#pragma once

#include <stddef.h>

/* Makes the folder; its Maildir is "mail" in it and not yet made. */
struct smtp_folder {
    char path[64];
    char maildir[80];
};

void smtp_folder_make(struct smtp_folder *folder);
void smtp_folder_remove(const struct smtp_folder *folder);

/* The number of files in the Maildir's part ("tmp", "new"). */
size_t smtp_folder_count(const struct smtp_folder *folder, const char *part);

/* The text of the only file in new; to be freed. */
char *smtp_folder_read_message(const struct smtp_folder *folder);
