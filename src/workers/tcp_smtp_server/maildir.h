/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Delivery to a Maildir as in https://cr.yp.to/proto/maildir.html: a message is written to a file
 * of its own in tmp, synced, and then moved to new. Several threads and processes may deliver to
 * the same Maildir at the same time. */
#pragma once

#include "base/macro.h"

#include <limits.h>
#include <stddef.h>

#define MAILDIR_BUFFER_BYTES 16384

/* One message being delivered. It owns its descriptors. */
struct maildir_delivery {
    int tmp_fd, new_fd; /* the folders */
    int file_fd;        /* -1 after it was committed */
    char file_name[NAME_MAX + 1];
    size_t n_buffered;
    char buffer[MAILDIR_BUFFER_BYTES];
};

/* Makes what is missing of the Maildir and the folders above it, syncs their names, and checks that
 * it can be written. Returns 0 or a negative errno. */
int maildir_make(const char *path);

/* Removes files from tmp that nobody can still be writing, since they have not changed for 36
 * hours, as the Maildir convention says. A worker that was killed leaves such files. */
void maildir_clean(const char *path);

/* Starts a message. Returns 0; or a negative errno, with nothing to abort. */
int maildir_begin(struct maildir_delivery *delivery, const char *path, const char *host_name);

/* Appends to it. Returns 0; or a negative errno, after which the caller must abort. */
int maildir_write(struct maildir_delivery *delivery, const char *bytes, size_t n_bytes);

/* Syncs it and moves it to new. Returns 0; or a negative errno, with nothing left of it. In both
 * cases the delivery has ended. */
int maildir_commit(struct maildir_delivery *delivery);

/* Removes what was written, and ends the delivery. */
void maildir_abort(struct maildir_delivery *delivery);
