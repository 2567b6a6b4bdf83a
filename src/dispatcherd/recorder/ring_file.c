/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/recorder/ring_file.h"

#include "base/fd.h"
#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define RING_FILE_MODE 0640

/* Records that are read or written by one call: 64 KiB. */
#define CHUNK 1024

static off_t ring_file_offset(const struct ring_file *file, uint64_t sequence)
{
    return (off_t)(RECORD_BYTES * (1 + (sequence - 1) % file->n_records));
}

static int ring_file_put(int fd, const uint8_t *bytes, size_t size, off_t offset)
{
    while (size > 0) {
        ssize_t n = pwrite(fd, bytes, size, offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        bytes += n;
        size -= (size_t)n;
        offset += n;
    }
    return 0;
}

/* Finds the last record. */
static int ring_file_scan(int fd, struct ring_file *file)
{
    uint8_t bytes[CHUNK * RECORD_BYTES];
    off_t offset = RECORD_BYTES;
    struct record record;
    ssize_t n;

    file->sequence = 0;
    while ((n = pread(fd, bytes, sizeof(bytes), offset)) >= RECORD_BYTES) {
        for (ssize_t i = 0; i + RECORD_BYTES <= n; i += RECORD_BYTES)
            if (record_decode(bytes + i, &record) && record.sequence > file->sequence &&
                ring_file_offset(file, record.sequence) == offset + i)
                file->sequence = record.sequence;
        offset += n - n % RECORD_BYTES;
    }
    return n < 0 ? -errno : 0;
}

/* Of an open file that is not the one of before. */
static int ring_file_begin(int fd, struct ring_file *file, const struct stat *st)
{
    struct ring_file found = {.device = st->st_dev, .inode = st->st_ino};
    uint8_t header[RECORD_BYTES];
    int r;

    if (st->st_size == 0) {
        found.n_records = RECORDS_MAX;
        record_header_encode(found.n_records, header);
        r = ring_file_put(fd, header, sizeof(header), 0);
    } else {
        ssize_t n = pread(fd, header, sizeof(header), 0);

        if (n < 0)
            return -errno;
        found.n_records = n == sizeof(header) ? record_header_decode(header) : 0;
        if (found.n_records == 0)
            return -EBADMSG;
        r = ring_file_scan(fd, &found);
    }
    if (r == 0)
        *file = found;
    return r;
}

int ring_file_write(struct ring_file *file, const char *path, struct record records[], size_t n)
{
    uint8_t bytes[CHUNK * RECORD_BYTES];
    struct stat st;

    /* With O_NONBLOCK, since opening a FIFO would wait for its reader. */
    _cleanup_fd_ int fd = open(
        path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, RING_FILE_MODE);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink > 1)
        return -EEXIST;
    int r = 0;
    if (st.st_dev != file->device || st.st_ino != file->inode || st.st_size == 0)
        r = ring_file_begin(fd, file, &st);
    for (size_t i = 0, n_bytes = 0; i < n && r == 0; i++) {
        uint64_t sequence = file->sequence + 1 + n_bytes / RECORD_BYTES;

        records[i].sequence = sequence;
        record_encode(&records[i], bytes + n_bytes);
        n_bytes += RECORD_BYTES;
        /* Up to the end of the buffer, of the ring, or of the records. */
        if (n_bytes < sizeof(bytes) && sequence % file->n_records != 0 && i + 1 < n)
            continue;
        r = ring_file_put(fd, bytes, n_bytes, ring_file_offset(file, file->sequence + 1));
        if (r == 0)
            file->sequence = sequence;
        n_bytes = 0;
    }
    return r;
}
