/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Credentials of workers' units: in a /run of the test's own, which takes root. */
#include "dispatcherd/config/unit_credential.h"
#include "support/suite.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIT "/run/systemd/system/dispatcherd-credential-test-worker@.service"

static const struct service_options service = {.unit_name = (char *)"credential-test"};

/* Returns whether the test can have a /run of its own, which is empty. */
static bool begin(void)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0) {
        printf("# skipped: only root can mount a /run\n");
        return false;
    }
    ck_assert_int_eq(mkdir("/run/systemd", 0755), 0);
    ck_assert_int_eq(mkdir("/run/systemd/system", 0755), 0);
    ck_assert_int_eq(mkdir(UNIT ".d", 0755), 0);
    ck_assert(!unit_credential_is_set(&service, "tls.cert"));
    return true;
}

static void write_file(const char *path, const char *text)
{
    FILE *stream = fopen(path, "we");

    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs(text, stream), 0);
    fclose(stream);
}

/* Whether this file of the unit sets the credential. */
static bool sets(const char *path, const char *text)
{
    write_file(path, text);
    bool is_set = unit_credential_is_set(&service, "tls.cert");
    ck_assert_int_eq(unlink(path), 0);
    return is_set;
}

START_TEST(test_each_setting_of_a_credential_counts)
{
    if (!begin())
        return;
    ck_assert(sets(UNIT ".d/a.conf", "[Service]\nLoadCredential=tls.cert:/etc/ssl/cert.pem\n"));
    ck_assert(sets(UNIT ".d/a.conf", "[Service]\nLoadCredential=tls.cert\n"));
    ck_assert(sets(UNIT ".d/a.conf", "[Service]\nLoadCredentialEncrypted=tls.cert:/x\n"));
    ck_assert(sets(UNIT ".d/a.conf", "[Service]\nSetCredential=tls.cert:text\n"));
    ck_assert(sets(UNIT ".d/a.conf", "[Service]\nSetCredentialEncrypted=tls.cert:text\n"));
    ck_assert(sets(UNIT ".d/a.conf", "[Service]\nImportCredential=tls.cert*\n"));
}
END_TEST

START_TEST(test_the_unit_itself_counts_too)
{
    if (!begin())
        return;
    ck_assert(sets(UNIT, "[Service]\nExecStart=/x\nLoadCredential=tls.cert:/x\n"));
}
END_TEST

START_TEST(test_other_lines_do_not_count)
{
    if (!begin())
        return;
    ck_assert(!sets(UNIT ".d/a.conf", "[Service]\nLoadCredential=tls.certificate:/x\n"));
    ck_assert(!sets(UNIT ".d/a.conf", "[Service]\nLoadCredential=tls.key:/tls.cert\n"));
    ck_assert(!sets(UNIT ".d/a.conf", "# LoadCredential=tls.cert:/x\n"));
    ck_assert(!sets(UNIT ".d/a.conf", ""));
}
END_TEST

/* systemd does not read them either. */
START_TEST(test_hidden_files_and_other_units_do_not_count)
{
    if (!begin())
        return;
    ck_assert(!sets(UNIT ".d/.a.conf.swp", "[Service]\nLoadCredential=tls.cert:/x\n"));
    ck_assert(!sets("/run/systemd/system/dispatcherd-other-worker@.service",
                    "[Service]\nLoadCredential=tls.cert:/x\n"));
}
END_TEST

/* Whoever has put it there must not hang up the daemon. */
START_TEST(test_what_is_no_file_is_left_alone)
{
    if (!begin())
        return;
    ck_assert_int_eq(mkfifo(UNIT ".d/pipe.conf", 0600), 0);
    ck_assert_int_eq(mkdir(UNIT ".d/folder.conf", 0700), 0);
    ck_assert(!unit_credential_is_set(&service, "tls.cert"));
    ck_assert(sets(UNIT ".d/z.conf", "[Service]\nSetCredential=tls.cert:x\n"));
}
END_TEST

SUITE("unit_credential", NULL, NULL, test_each_setting_of_a_credential_counts,
      test_the_unit_itself_counts_too, test_other_lines_do_not_count,
      test_hidden_files_and_other_units_do_not_count, test_what_is_no_file_is_left_alone)
