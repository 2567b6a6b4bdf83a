/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Warnings of what is in order and can't be meant. */
#include "scene.h"
#include "support/suite.h"

#include "base/macro.h"
#include "mapping/metermaid.h"

#include <stdio.h>
#include <string.h>

static struct scene scene;

static void setup(void)
{
    scene_start(&scene);
}

static void teardown(void)
{
    scene_stop(&scene);
}

/* Files, and what is said of each: how many warnings, and one of them. */
struct doubt {
    const char *file;
    size_t n_warnings;
    const char *warning;
};

static void check(const struct doubt *doubts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ck_assert_msg(scene_load(&scene, doubts[i].file) == 0, "%s%s", doubts[i].file,
                      scene_problems(&scene));
        ck_assert_msg(scene.problems.n_warnings == doubts[i].n_warnings, "%s%s", doubts[i].file,
                      scene_problems(&scene));
        if (doubts[i].warning)
            ck_assert_msg(scene_said(&scene, doubts[i].warning), "%s%s", doubts[i].file,
                          scene_problems(&scene));
    }
}

START_TEST(test_warns_of_a_file_that_lets_in_everybody)
{
    static const struct doubt doubts[] = {
        {"", 1, "mappings: warning: the file is empty"},
        {"\n \n", 1, "mappings: warning: the file is empty"},
        {"! only a comment\n", 0, NULL},
        {"PORT_ACCESS\n", 1, "mappings:1: warning: PORT_ACCESS has no entries"},
        {"OTHER\n\n  *  $N\n", 1, "mappings: warning: there is no table PORT_ACCESS"},
    };

    check(doubts, ELEMENTSOF(doubts));
}
END_TEST

START_TEST(test_warns_of_a_near_miss_of_the_name)
{
    static const struct doubt doubts[] = {
        {"PORTACCESS\n\n  *  $N\n", 2, "mappings:1: warning: the table PORTACCESS has no effect"},
        {"PORT-ACCESS\n\n  *  $N\n", 2, "did you mean PORT_ACCESS?"},
        {"PORT_ACCES\n\n  *  $N\n", 2, "did you mean PORT_ACCESS?"},
        {"PROT_ACCESS\n\n  *  $N\n", 2, "did you mean PORT_ACCESS?"},
        {"PORT_ACCESS\n\n  *  $N\n\nPORT_ACCESSS\n\n  *  $N\n", 1,
         "mappings:5: warning: the table"},
        {"port_access\n\n  *  $N\n", 0, NULL},
        /* Tables of other programs. */
        {"PORT_ACCESS\n\n  *  $N\n\nFROM_ACCESS\n\n  x  y\n\nSEND_ACCESS\n\n  x  y\n\n"
         "MAIL_ACCESS\n\n  x  y\n\nORIG_SEND_ACCESS\n\n  x  y\n",
         0, NULL},
        /* One that is called means what it says. */
        {"PORT_ACCESS\n\n  *  $C$|PORT_ACCESS2;$0|$N$E\n\nPORT_ACCESS2\n\n  TCP|*|25|*  $Y\n", 0,
         NULL},
    };

    check(doubts, ELEMENTSOF(doubts));
}
END_TEST

#define PROBE "mappings:3: warning: the pattern "

START_TEST(test_warns_of_patterns_that_match_no_connection)
{
    static const struct {
        const char *pattern, *reason;
    } cases[] = {
        {"TCP|*|25|192.0.2.0/24|*", "the network is written as $(192.0.2.0/24)"},
        {"TCP|*|25|(192.0.2.0/24)|*", "the network is written as $(192.0.2.0/24)"},
        {"TCP|*|25|[192.0.2.0/24]|*", "the network is written as $(192.0.2.0/24)"},
        {"TCP|*|25|2001:db8::/32|*", "the network is written as ${2001:db8::/32}"},
        {"TCP|*|25|{2001:db8::/32}|*", "the network is written as ${2001:db8::/32}"},
        {"TCP|*|25|192.0.2.1-192.0.2.9|*", "a range of addresses is written as"},
        {"TCP|*|25|2001:db8:0:0:0:0:0:1|*", "the address is written as 2001:db8::1"},
        {"TCP|*|25|::ffff:192.0.2.1|*", "the address is written as 192.0.2.1"},
        {"TCP|25|192.0.2.5", "it has 2 of the four bars of a probe"},
        {"192.0.2.5", "it has 0 of the four bars"},
        {"TCP|*|25|*|*|*", "it has 5 of the four bars"},
        {"TCP|*|*|127.", "it has 3 of the four bars"},
        {"TPC|*|25|192.0.2.5|*", "a probe begins with TCP|"},
        {"TCP|*|smtp|192.0.2.5|*", "with numbers for ports"},
        {"TCP|*|25|192.0.2.5:*|*", "with numbers for ports and whole addresses"},
        {"TCP|*|25|192.0.2.|*", "whole addresses or a wildcard"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        char file[128], warning[160];

        snprintf(file, sizeof(file), "PORT_ACCESS\n\n  %s  $N\n  *  $Y\n", cases[i].pattern);
        snprintf(warning, sizeof(warning), PROBE "%s matches no connection: ", cases[i].pattern);
        check(&(struct doubt){file, 1, warning}, 1);
        ck_assert_msg(scene_said(&scene, cases[i].reason), "%s", scene_problems(&scene));
    }
}
END_TEST

START_TEST(test_warns_of_patterns_that_match_nothing_in_helper_tables)
{
    static const struct {
        const char *pattern, *reason;
    } cases[] = {
        {"192.0.2.0/24", "the network is written as $(192.0.2.0/24)"},
        {"2001:db8::/32", "the network is written as ${2001:db8::/32}"},
        {"2001:db8:0:2:0:0:0:5", "the address is written as 2001:db8:0:2::5"},
        {"192.0.2.", "the table OURS is called with addresses"},
        {"TCP|*|25|192.0.2.1|*", "the table OURS is called with addresses"},
        {"localhost", "the table OURS is called with addresses"},
    };
    static const char *const callers[] = {
        "*|*|*|*|*  $C$|OURS;$3|$N$E",
        "TCP|*|25|*|*  $C$|OURS;$1|$N$E",
        "TCP|*|25|$(192.0.2.0/24)|*  $C$|OURS;$1|$N$E",
        "*|*|*|*|*  $C$|MORE;$3|$N$E",
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        for (size_t k = 0; k < ELEMENTSOF(callers); k++) {
            char file[200], warning[160];

            snprintf(file, sizeof(file), "PORT_ACCESS\n\n  %s\n\nOURS\n\n  %s  $Y\n%s", callers[k],
                     cases[i].pattern,
                     strstr(callers[k], "MORE") ? "\nMORE\n\n  *  $C$|OURS;$0|$Y$E\n" : "");
            snprintf(warning, sizeof(warning),
                     "mappings:7: warning: the pattern %s matches no "
                     "client: ",
                     cases[i].pattern);
            check(&(struct doubt){file, 1, warning}, 1);
            ck_assert_msg(scene_said(&scene, cases[i].reason), "%s", scene_problems(&scene));
        }
}
END_TEST

START_TEST(test_says_nothing_of_strings_that_it_does_not_know)
{
    static const char *const files[] = {
        /* The string is whatever the entry before has made of it. */
        "PORT_ACCESS\n\n  *|*|*|*|*  $C$3\n  192.0.2.1  $N\n",
        "PORT_ACCESS\n\n  192.0.2.1  $N\n  TCP|*|*|*|*  $R$2\n",
        "PORT_ACCESS\n\n  192.0.2.1  $N\n  TCP|*|*|*|*  $L$2\n",
        "PORT_ACCESS\n\n  *|*|*|*|*  $C$|T;x$3|$N$E\n\nT\n\n  x192.0.2.1  $Y\n",
        "PORT_ACCESS\n\n  *|*|*|*|*  $C$|T;$3$4|$N$E\n\nT\n\n  whatever  $Y\n",
        /* Asked about two things. */
        "PORT_ACCESS\n\n  *|*|*|*|*  $C$|T;$3|$|T;$2|$N$E\n\nT\n\n  25  $Y\n  ::1  $Y\n",
        "PORT_ACCESS\n\n  *  $C$|T;$0|$N$E\n\nT\n\n  TCP|*|25|*  $Y\n",
        /* Tables that nobody calls. */
        "PORT_ACCESS\n\n  *  $N\n\nT\n\n  192.0.2.0/24  x\n",
    };

    for (size_t i = 0; i < ELEMENTSOF(files); i++)
        check(&(struct doubt){files[i], 0, NULL}, 1);
}
END_TEST

START_TEST(test_warns_of_entries_that_decide_nothing)
{
    static const struct doubt doubts[] = {
        {"PORT_ACCESS\n\n  *  500$ no\n", 1,
         "mappings:3: warning: the entry has neither $N nor $Y"},
        {"PORT_ACCESS\n\n  *\n", 1, "neither $N nor $Y"},
        {"PORT_ACCESS\n\n  *  $C$:A$E\n", 1, "neither $N nor $Y"},
        {"PORT_ACCESS\n\n  *  $Y\n", 0, NULL},
        {"PORT_ACCESS\n\n  *  $F\n", 0, NULL},
        {"PORT_ACCESS\n\n  *  $<seen\n", 0, NULL},
        {"PORT_ACCESS\n\n  *  $C$<seen|\n", 0, NULL},
        {"PORT_ACCESS\n\n  *|*|*|*|*  $C$[dns_verify,dns_verify_domain_port,$3,a.example]$E\n", 0,
         NULL},
        /* Flags add up. */
        {"PORT_ACCESS\n\n  *  $C$Nx\n  *  500$ no\n", 0, NULL},
        {"PORT_ACCESS\n\n  *|*|*|*|*  $C$|T;$3|$N$E\n\nT\n\n  ::1\n", 1,
         "mappings:7: warning: the entry lacks $Y"},
        {"PORT_ACCESS\n\n  *|*|*|*|*  $C$|T;$3|$N$E\n\nT\n\n  ::1  $N\n  *  $Y\n", 0, NULL},
    };

    check(doubts, ELEMENTSOF(doubts));
}
END_TEST

START_TEST(test_warns_of_an_include_that_is_indented)
{
    static const struct doubt doubts[] = {
        {"PORT_ACCESS\n\n  <other\n  *  $Y\n", 1,
         "mappings:3: warning: this is an entry; an included file has its <"},
        {"PORT_ACCESS\n\n  *|*|*|*|*  $C$|T;$3|$N$E\n\nT\n\n\t<other\n  ::1  $Y\n", 1,
         "mappings:7: warning: this is an entry; an included file has its <"},
    };

    check(doubts, ELEMENTSOF(doubts));
}
END_TEST

#define METERMAID                                                                                  \
    "PORT_ACCESS\n\n  *|*|*|*|*  "                                                                 \
    "$C$:A$[IMTA_LIB:check_metermaid.so,throttle,ext_throttle,$3]$N421$ too$ many$E\n"

START_TEST(test_a_check_metermaid_without_a_quota_rejects_nobody)
{
    static const struct doubt doubts[] = {
        {METERMAID, 1,
         "mappings:3: warning: check_metermaid rejects nobody until the table METERMAID_QUOTA of "
         "this file gives the number of connections allowed in a minute, as in: ext_throttle 60"},
        {METERMAID "\nMETERMAID_QUOTA\n\n  ext_throttle  60\n", 0, NULL},
        {METERMAID "\nMETERMAID_QUOTA\n\n  Ext_Throttle  7,penalize\n", 0, NULL},
        {METERMAID "\nMETERMAID_QUOTA\n\n  ext_throttle  7,quota_time=3600,penalize\n", 0, NULL},
        {METERMAID "\nMETERMAID_QUOTA\n\n  ext_throttle  QUOTA=7,penalize=true\n", 0, NULL},
        {METERMAID "\nMETERMAID_QUOTA\n\n  ext_throttle  7,quota_time=9\n", 1, "rejects nobody"},
        {METERMAID "\nMETERMAID_QUOTA\n\n  ext_throttle  quota_time=60\n", 1, "rejects nobody"},
        {METERMAID "\nMETERMAID_QUOTA\n\n  ext_throttle  7,penalize=x\n", 1, "rejects nobody"},
        {METERMAID "\nMETERMAID_QUOTA\n\n  other  60\n", 1, "rejects nobody"},
        {METERMAID "\nMETERMAID_QUOTA\n\n  ext_throttle  many\n", 1, "rejects nobody"},
    };

    check(doubts, ELEMENTSOF(doubts));
}
END_TEST

START_TEST(test_says_what_check_metermaid_is_without_a_fleet)
{
    ck_assert_int_eq(scene_load(&scene, METERMAID), 0);
    metermaid_warn_without_fleet(scene.set, &scene.problems);
    ck_assert_uint_eq(scene.problems.n_warnings, 1);
    ck_assert_int_eq(scene_load(&scene, METERMAID "\nMETERMAID_QUOTA\n\n  ext_throttle  60\n"), 0);
    ck_assert_uint_eq(scene.problems.n_warnings, 0);
    metermaid_warn_without_fleet(scene.set, &scene.problems);
    ck_assert_uint_eq(scene.problems.n_warnings, 1);
    ck_assert(scene_said(&scene, "mappings:3: warning: check_metermaid counts the connections of "
                                 "all hosts, which needs FLEET in dispatcher.cnf; using "
                                 "conn_throttle instead, which counts those of this host, with at "
                                 "most 60 a minute"));
}
END_TEST

START_TEST(test_throttles_in_place_of_check_metermaid)
{
    scene.answers.is_over = true;
    ck_assert_int_eq(scene_load(&scene, METERMAID), 0);
    ck_assert_str_eq(scene_ask(&scene, "198.51.100.7"), "accept");
    ck_assert_str_eq(scene.calls, "");
    ck_assert_int_eq(scene_load(&scene, METERMAID "\nMETERMAID_QUOTA\n\n  ext_throttle  60\n"), 0);
    ck_assert_str_eq(scene_ask(&scene, "198.51.100.7"), "reject reply=421 too many//");
    ck_assert_str_eq(scene.calls, "throttle 198.51.100.7 60;");
    ck_assert_int_eq(scene_load(&scene, METERMAID "\nMETERMAID_QUOTA\n\n  x  1\n  ext_throttle  "
                                                  "7,penalize\n"),
                     0);
    ck_assert_str_eq(scene_ask(&scene, "2001:db8::7"), "reject reply=421 too many//");
    ck_assert_str_eq(scene.calls, "throttle_p 2001:db8::7 7;");
}
END_TEST

START_TEST(test_doubts_nothing_in_the_samples_of_the_manuals)
{
    static const char *const samples[] = {
        "PORT_ACCESS\n\n  *|*|*|*|*  $C$|INTERNAL_IP;$3|$Y$E\n  *  $YEXTERNAL\n\n"
        "INTERNAL_IP\n\n  $(192.0.2.0/24)  $Y\n  127.0.0.1  $Y\n  *  $N\n",
        "PORT_ACCESS\n\n  TCP|*|225|198.51.100.7|*  $Y\n  TCP|*|225|198.51.100.8|*  $Y\n"
        "  TCP|*|225|*|*  $N500$ relays$ only\n",
        "PORT_ACCESS\n\n  *|*|*|*|*  $C$|INTERNAL_IP;$3|$Y$E\n"
        "  *|*|*|*|*  $C$:A$[conn_throttle,throttle,$3,10]$N421$ too$ many$E\n"
        "  *|*|*|*|*  $C$[conn_throttle,concurrent,$3,5]$N421$ too$ many$E\n"
        "  TCP|*|25|*|*  $C$[dns_verify,dns_verify_domain_port,$1,\\\n"
        "    zen.dnsbl.example,Your$ host$ ($1)$ found$ on$ list]$E\n  *  $YEXTERNAL\n\n"
        "INTERNAL_IP\n\n  127.0.0.1  $Y\n  ${::1}  $Y\n  $<192.0.2.0/8>  $Y\n  *  $N\n",
    };

    for (size_t i = 0; i < ELEMENTSOF(samples); i++)
        check(&(struct doubt){samples[i], 0, NULL}, 1);
}
END_TEST

SUITE("doubts", setup, teardown, test_warns_of_a_file_that_lets_in_everybody,
      test_warns_of_a_near_miss_of_the_name, test_warns_of_patterns_that_match_no_connection,
      test_warns_of_patterns_that_match_nothing_in_helper_tables,
      test_says_nothing_of_strings_that_it_does_not_know, test_warns_of_entries_that_decide_nothing,
      test_warns_of_an_include_that_is_indented,
      test_a_check_metermaid_without_a_quota_rejects_nobody,
      test_says_what_check_metermaid_is_without_a_fleet, test_throttles_in_place_of_check_metermaid,
      test_doubts_nothing_in_the_samples_of_the_manuals)
