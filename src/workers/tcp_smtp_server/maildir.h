/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Delivery to a Maildir, as https://cr.yp.to/proto/maildir.html has it: a message is written to a
 * file of its own in tmp, brought to the disk, and then moved to new. Threads and processes may
 * deliver to the same Maildir at the same time. */
#pragma once

#include "base/macro.h"

#include <limits.h>
#include <stddef.h>

#define MAILDIR_BUFFER_BYTES 16384

/* One message on its way. All its descriptors are its own. */
struct maildir_delivery {
    int tmp_fd, new_fd; /* the folders */
    int file_fd;        /* -1 once committed */
    char file_name[NAME_MAX + 1];
    size_t n_buffered;
    char buffer[MAILDIR_BUFFER_BYTES];
};

/* Makes what is missing of the Maildir and the folders above it, brings their names to the disk,
 * and checks that we may write there. Returns 0 or a negative errno. */
int maildir_make(const char *path);

/* Removes from tmp what nobody can still be writing: files untouched for 36 hours, the age that the
 * Maildir's convention gives. A worker that was killed leaves such files. */
void maildir_clean(const char *path);

/* Starts a message. Returns 0 or a negative errno; then there is nothing to abort. */
int maildir_begin(struct maildir_delivery *delivery, const char *path, const char *host_name);

/* Adds to it. Returns 0 or a negative errno; the caller then aborts. */
int maildir_write(struct maildir_delivery *delivery, const char *bytes, size_t n_bytes);

/* Makes it safe on the disk and visible in new. Returns 0, or a negative errno and nothing is left
 * of it. The delivery is over in both cases. */
int maildir_commit(struct maildir_delivery *delivery);

/* Removes what was written. */
void maildir_abort(struct maildir_delivery *delivery);
