/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The file of a recording: a ring of records (recording/record.h). These calls may hang with the
 * file system; they are made by a thread. */
#pragma once

#include "recording/record.h"

#include <sys/types.h>

/* What is known of the file since it was last written. All zero: nothing. */
struct ring_file {
    dev_t device;
    ino_t inode;
    uint32_t n_records; /* of the ring */
    uint64_t sequence;  /* of the last record */
};

/* Opens the file, makes it if it does not exist, and writes the records behind the last one, with
 * their sequence numbers. Opens only regular files of this user, no symbolic links, no FIFOs and no
 * devices; a file that is no recording is left as it is. Returns 0 or a negative errno: -EEXIST if
 * it is another kind of file, -EBADMSG if it is no recording. */
int ring_file_write(struct ring_file *file, const char *path, struct record records[], size_t n);
