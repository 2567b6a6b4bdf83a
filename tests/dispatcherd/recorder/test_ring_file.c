/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/recorder/ring_file.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_ring_file.XXXXXX";
static char path[64];
static struct ring_file file;

static void make_path(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/recording", folder);
    file = (struct ring_file){0};
}

static void remove_path(void)
{
    (void)unlink(path);
    (void)rmdir(folder);
    strcpy(strrchr(folder, '.'), ".XXXXXX");
}

static int write_lost(uint64_t n_lost, size_t n)
{
    struct record records[3000];

    for (size_t i = 0; i < n; i++)
        records[i] = (struct record){.kind = RECORD_LOST, .at = 1, .n_lost = n_lost};
    return ring_file_write(&file, path, records, n);
}

/* The record at that place of the ring; its sequence is 0 if there is none. */
static struct record record_at(unsigned place)
{
    uint8_t bytes[RECORD_BYTES] = {0};
    struct record record = {0};
    FILE *stream = fopen(path, "re");

    ck_assert_ptr_nonnull(stream);
    fseek(stream, (long)(RECORD_BYTES * (place + 1)), SEEK_SET);
    (void)!fread(bytes, 1, sizeof(bytes), stream);
    fclose(stream);
    (void)record_decode(bytes, &record);
    return record;
}

static void make_small_ring(uint32_t n_records)
{
    uint8_t bytes[RECORD_BYTES];
    FILE *stream = fopen(path, "we");

    record_header_encode(n_records, bytes);
    fwrite(bytes, 1, sizeof(bytes), stream);
    fclose(stream);
}

START_TEST(test_a_new_file_is_made_and_continued)
{
    struct stat st;

    ck_assert_int_eq(write_lost(7, 3000), 0);
    ck_assert_int_eq(write_lost(8, 1), 0);
    file = (struct ring_file){0}; /* another process */
    ck_assert_int_eq(write_lost(9, 1), 0);
    ck_assert_uint_eq(record_at(2999).n_lost, 7);
    ck_assert_uint_eq(record_at(3000).n_lost, 8);
    ck_assert_uint_eq(record_at(3001).n_lost, 9);
    ck_assert_uint_eq(record_at(3001).sequence, 3002);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0640);
}
END_TEST

START_TEST(test_a_full_ring_begins_again)
{
    make_small_ring(10);
    ck_assert_int_eq(write_lost(1, 8), 0);
    ck_assert_int_eq(write_lost(2, 7), 0);
    ck_assert_uint_eq(record_at(4).sequence, 15);
    ck_assert_uint_eq(record_at(5).sequence, 6);
    ck_assert_uint_eq(record_at(10).sequence, 0);
    file = (struct ring_file){0};
    ck_assert_int_eq(write_lost(3, 1), 0);
    ck_assert_uint_eq(record_at(5).sequence, 16);
}
END_TEST

START_TEST(test_a_file_that_was_removed_or_emptied_is_made_again)
{
    ck_assert_int_eq(write_lost(1, 5), 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(write_lost(2, 1), 0);
    ck_assert_uint_eq(record_at(0).n_lost, 2);
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert_int_eq(write_lost(3, 1), 0);
    ck_assert_uint_eq(record_at(0).n_lost, 3);
}
END_TEST

START_TEST(test_nothing_else_is_touched)
{
    FILE *stream = fopen(path, "we");

    fputs("a letter", stream);
    fclose(stream);
    ck_assert_int_eq(write_lost(1, 1), -EBADMSG);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(write_lost(1, 1), -EEXIST);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("/dev/null", path), 0);
    ck_assert_int_eq(write_lost(1, 1), -ELOOP);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("ring_file");
    TCase *tests = tcase_create("ring_file");

    tcase_add_checked_fixture(tests, make_path, remove_path);
    tcase_add_test(tests, test_a_new_file_is_made_and_continued);
    tcase_add_test(tests, test_a_full_ring_begins_again);
    tcase_add_test(tests, test_a_file_that_was_removed_or_emptied_is_made_again);
    tcase_add_test(tests, test_nothing_else_is_touched);
    suite_add_tcase(suite, tests);
    return suite;
}
