/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "generator/unit_merge.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIT "dispatcherd-smtp.socket"

static const char generated[] = "[Unit]\nDescription=x\n[Socket]\nListenStream=0.0.0.0:25\n"
                                "ListenStream=[::]:25\nBacklog=50\n";

static char root[] = "/tmp/test_unit_merge_XXXXXX";
static struct unit_settings settings;

static void setup(void)
{
    strcpy(root + strlen(root) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void teardown(void)
{
    unit_settings_clear(&settings);
    nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Makes the folders on the way. */
static const char *place(const char *path)
{
    static char whole[PATH_MAX];

    snprintf(whole, sizeof(whole), "%s%s", root, path);
    for (char *c = whole + strlen(root) + 1; (c = strchr(c, '/')); c++) {
        *c = '\0';
        (void)mkdir(whole, 0755);
        *c = '/';
    }
    return whole;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(place(path), "we");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void merge(const char *text)
{
    unit_settings_clear(&settings);
    ck_assert_int_eq(unit_merge(root, UNIT, text, &settings), 0);
}

static void assert_text(const char *wanted)
{
    char *text = unit_settings_text(&settings);

    ck_assert_str_eq(text, wanted);
    free(text);
}

START_TEST(test_without_drop_ins_it_is_the_generators)
{
    merge(generated);
    assert_text("ListenStream=0.0.0.0:25\nListenStream=[::]:25\n");
    ck_assert_ptr_null(settings.items[0].file);
    ck_assert_str_eq(unit_settings_value(&settings, "Socket", "Backlog"), "50");
    ck_assert_ptr_null(unit_settings_value(&settings, "Socket", "Mark"));
}
END_TEST

START_TEST(test_an_empty_value_drops_those_before)
{
    put("/etc/systemd/system/" UNIT ".d/override.conf",
        "# a comment\n[Socket]\nListenStream=\nListenStream = 192.0.2.1:25\n");
    merge(generated);
    assert_text("ListenStream=192.0.2.1:25\n");
    const struct unit_setting *last = &settings.items[settings.n_items - 1];
    ck_assert_str_eq(last->file, "/etc/systemd/system/" UNIT ".d/override.conf");
    ck_assert_uint_eq(last->line, 4);
}
END_TEST

START_TEST(test_drop_ins_come_in_the_order_of_their_names)
{
    put("/run/systemd/system/" UNIT ".d/20.conf", "[Socket]\nMark=20\n");
    put("/etc/systemd/system/dispatcherd-.socket.d/30.conf", "[Socket]\nMark=30\n");
    put("/usr/lib/systemd/system/socket.d/10.conf", "[Socket]\nMark=10\n");
    put("/etc/systemd/system/" UNIT ".d/40.other", "[Socket]\nMark=40\n");
    merge("[Socket]\n");
    assert_text("Mark=10\nMark=20\nMark=30\n");
}
END_TEST

START_TEST(test_of_two_with_one_name_the_first_folder_wins)
{
    put("/run/systemd/system/" UNIT ".d/a.conf", "[Socket]\nMark=1\n");
    put("/etc/systemd/system/" UNIT ".d/a.conf", "[Socket]\nMark=2\n");
    put("/run/systemd/system/" UNIT ".d/b.conf", "[Socket]\nPriority=1\n");
    ck_assert_int_eq(symlink("/dev/null", place("/etc/systemd/system/" UNIT ".d/b.conf")), 0);
    merge("[Socket]\n");
    assert_text("Mark=2\n");
}
END_TEST

START_TEST(test_a_unit_of_the_administrators_wins)
{
    put("/etc/systemd/system/" UNIT, "[Socket]\nListenStream=1.2.3.4:5\n");
    put("/usr/lib/systemd/system/" UNIT, "[Socket]\nListenStream=5.6.7.8:9\n");
    merge(generated);
    assert_text("ListenStream=1.2.3.4:5\n");
    ck_assert_int_eq(unlink(place("/etc/systemd/system/" UNIT)), 0);
    merge(generated);
    assert_text("ListenStream=0.0.0.0:25\nListenStream=[::]:25\n");
    merge(NULL);
    assert_text("ListenStream=5.6.7.8:9\n");
}
END_TEST

START_TEST(test_a_masked_unit_says_so)
{
    ck_assert_int_eq(symlink("/dev/null", place("/etc/systemd/system/" UNIT)), 0);
    merge(generated);
    ck_assert(settings.is_masked);
}
END_TEST

START_TEST(test_a_unit_that_is_not_there)
{
    ck_assert_int_eq(unit_merge(root, UNIT, NULL, &settings), -ENOENT);
}
END_TEST

START_TEST(test_lines_that_go_on)
{
    merge("[Socket]\nExecStartPre=/bin/a \\\n# between\n  b\nMark=1");
    assert_text("ExecStartPre=/bin/a    b\nMark=1\n");
}
END_TEST

SUITE("unit_merge", setup, teardown, test_without_drop_ins_it_is_the_generators,
      test_an_empty_value_drops_those_before, test_drop_ins_come_in_the_order_of_their_names,
      test_of_two_with_one_name_the_first_folder_wins, test_a_unit_of_the_administrators_wins,
      test_a_masked_unit_says_so, test_a_unit_that_is_not_there, test_lines_that_go_on)
