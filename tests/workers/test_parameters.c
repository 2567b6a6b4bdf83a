/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/str.h"
#include "workers/common/parameters.h"
#include "workers/common/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct settings {
    char *path;
    struct str_list items;
    uint64_t size;
    uint64_t limit_usec;
    unsigned way;
    bool is_complete;
};

static struct settings settings;
static char seen[2048];

static int complete(void *data, const struct parameter_report *report)
{
    struct settings *own = data;

    own->is_complete = true;
    if (report->facts.has_proxy_protocol) {
        parameter_say(report, PARAMETER_ERROR, PARAMETER_NONE, "no proxy, in %d words", 4);
        return -EINVAL;
    }
    return 0;
}

static const char *const ways[] = {"journal", "socket", "null", NULL};

static const struct parameter items[] = {
    {.name = "PATH", .read = parameter_read_text, .offset = offsetof(struct settings, path)},
    {.name = "ITEM",
     .read = parameter_read_list,
     .offset = offsetof(struct settings, items),
     .hint = "must be an item"},
    {.name = "SIZE",
     .read = parameter_read_number,
     .offset = offsetof(struct settings, size),
     .min = 10,
     .max = 20},
    {.name = "LIMIT",
     .read = parameter_read_seconds,
     .offset = offsetof(struct settings, limit_usec),
     .max = 60},
    {.name = "WAY",
     .read = parameter_read_choice,
     .offset = offsetof(struct settings, way),
     .choices = ways},
};

static const struct parameter_table table = {
    .items = items, .n_items = ELEMENTSOF(items), .complete = complete};

static void note(const struct parameter_report *report, enum parameter_severity severity,
                 const char *text)
{
    size_t length = strlen(seen);

    snprintf(seen + length, sizeof(seen) - length, "%d %s %s\n",
             report->index == PARAMETER_NONE ? -1 : (int)report->index,
             severity == PARAMETER_ERROR ? "error" : "warning", text);
}

static int read_all(const char *const parameters[], size_t n, bool has_proxy_protocol)
{
    struct parameter_report report = {.facts.has_proxy_protocol = has_proxy_protocol,
                                      .write = note};

    seen[0] = '\0';
    return parameters_read(&table, &settings, parameters, n, &report);
}

static void tear_down(void)
{
    free(settings.path);
    str_list_clear(&settings.items);
    settings = (struct settings){0};
}

START_TEST(test_reads_each_kind)
{
    static const char *const parameters[] = {"PATH=/a", "path=/b=c", "Item=1",   "ITEM=2",
                                             "SIZE=20", "LIMIT=60",  "WAY=NULL", "LIMIT=0"};

    ck_assert_int_eq(read_all(parameters, ELEMENTSOF(parameters), false), 0);
    ck_assert_str_eq(settings.path, "/b=c");
    ck_assert_uint_eq(settings.items.n_items, 2);
    ck_assert_uint_eq(settings.size, 20);
    ck_assert_uint_eq(settings.limit_usec, 0);
    ck_assert_uint_eq(settings.way, 2);
    ck_assert(settings.is_complete);
    ck_assert_str_eq(seen, "");
}
END_TEST

START_TEST(test_reports_every_mistake_with_what_would_be_right)
{
    static const char *const parameters[] = {"PATH=",   "ITEM=",    "SIZE=9",  "LIMIT=61",
                                             "WAY=out", "PATHS=/a", "nothing", "SIZE=+11"};

    ck_assert_int_eq(read_all(parameters, ELEMENTSOF(parameters), false), -EINVAL);
    ck_assert_str_eq(seen,
                     "0 error PARAMETER=PATH=: must not be empty\n"
                     "1 error PARAMETER=ITEM=: must be an item\n"
                     "2 error PARAMETER=SIZE=9: must be a number from 10 to 20\n"
                     "3 error PARAMETER=LIMIT=61: must be a number of seconds from 0 to 60\n"
                     "4 error PARAMETER=WAY=out: must be journal, socket or null\n"
                     "5 error PARAMETER=PATHS=/a: unknown; the parameters are PATH=, ITEM=, SIZE=, "
                     "LIMIT= and WAY=\n"
                     "6 error PARAMETER=nothing: unknown; the parameters are PATH=, ITEM=, SIZE=, "
                     "LIMIT= and WAY=\n"
                     "7 error PARAMETER=SIZE=+11: must be a number from 10 to 20\n");
    ck_assert(!settings.is_complete);
}
END_TEST

START_TEST(test_completes_with_the_facts_of_the_service)
{
    ck_assert_int_eq(read_all(NULL, 0, true), -EINVAL);
    ck_assert_str_eq(seen, "-1 error no proxy, in 4 words\n");
}
END_TEST

START_TEST(test_is_a_check_by_its_first_argument_alone)
{
    char *const serves[] = {(char *)"worker", NULL};
    char *const checks[] = {(char *)"worker", (char *)"--check-parameters", NULL};

    ck_assert(!parameters_is_check(1, (char **)serves));
    ck_assert(parameters_is_check(2, (char **)checks));
}
END_TEST

START_TEST(test_names_the_unit_of_the_workers)
{
    char name[UNIT_NAME_MAX];

    ck_assert_str_eq(unit_name("SMTP_in", name), "dispatcherd-smtp_in-worker@.service");
}
END_TEST

SUITE("parameters", NULL, tear_down, test_reads_each_kind,
      test_reports_every_mistake_with_what_would_be_right,
      test_completes_with_the_facts_of_the_service, test_is_a_check_by_its_first_argument_alone,
      test_names_the_unit_of_the_workers)
