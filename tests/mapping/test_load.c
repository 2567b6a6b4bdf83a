/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "scene.h"
#include "support/suite.h"

#include "base/macro.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct scene scene;

static void setup(void)
{
    scene_start(&scene);
}

static void teardown(void)
{
    scene_stop(&scene);
}

START_TEST(test_accepts_what_the_manuals_describe)
{
    static const char *const files[] = {
        "! nothing\n; at all\n",
        "PORT_ACCESS\n\n  *a*  $Nb\n",
        "PORT_ACCESS\r\n\r\n  *a*  $Nb\r\n",
        "PORT_ACCESS\n\n\t*a*\t$Nb\n",
        "PORT_ACCESS \n\n * $N\n",
        "PORT_ACCESS\n\n  *a*  $Nb\n! comment\n; comment\n  *c*  $Yd\n\nA.b-c_9\n\n  e  f\n",
        "PORT_ACCESS\n! comment\n\n  *a*  $Nb",
        "PORT_ACCESS\n\n  *a*  $Nb$ c  \n",
        "PORT_ACCESS\n\n  *a\\\nb*  $Yc\\\n  d\n",
        "PORT_ACCESS\n\n  *a* \\\n  $Nb\n",
        "! a comment is not continued\\\nPORT_ACCESS\n\n  *a*  $Nb\n",
        /* What other programs' tables have is no business of ours. */
        ("PORT_ACCESS\n\n  *  $N\n\nOTHER\n\n  a  "
         "$}x,y{$]ldap:///[$#f|10|3#${key}$=$[x,y,z]$|NONE;$0|$5\n"),
        "PORT_ACCESS\n\n  *  $N\n\nOTHER\n\n  a  $C$|OTHER;$0|\n",
        "PORT_ACCESS\n\n  *  $N\n\nOTHER\n\n  a  $|OTHER;x|\n",
    };

    for (size_t i = 0; i < ELEMENTSOF(files); i++) {
        ck_assert_msg(scene_load(&scene, files[i]) == 0, "%s", files[i]);
        ck_assert_msg(scene.problems.n_items == 0, "%s%s", files[i], scene_problems(&scene));
    }
}
END_TEST

START_TEST(test_names_what_is_wrong_and_where)
{
    static const struct {
        const char *file, *problem;
    } cases[] = {
        {"  a  b\n", "mappings:1: error: this entry comes before the first table"},
        {"9T\n\n  a  b\n", "mappings:1: error: a line that is not indented"},
        {"-T\n", "mappings:1: error: a line that is not indented"},
        {"# x\n", "mappings:1: error: a comment begins with !"},
        {"T U\n", "mappings:1: error: the name of a table is alone"},
        {"T/U\n", "mappings:1: error: the name of a table may contain only letters"},
        {"T\n\n  a  b\n\nt\n\n  c  d\n",
         "mappings:5: error: the table t already exists, at mappings:1"},
        {"T\n\n  a  b c\n", "mappings:3: error: the template has a blank, which"},
        {"T\n\n  $Q*  b\n", "mappings:3: error: the pattern has the unknown element $Q"},
        {"T\n\n  a  $!\n", "mappings:3: error: the template has the unknown element $!"},
        {"T\n\n  a  b$\n", "mappings:3: error: the template ends in a dollar"},
        {"T\n\n  a  $N\x01\n", "mappings:3: error: the template has a control character"},
        {"T\n\n  a  $?101?\n", "mappings:3: error: the template has a $? without"},
        {"T\n\n  a  $?x?\n", "mappings:3: error: the template has a $? without"},
        {"T\n\n  a  $?.?\n", "mappings:3: error: the template has a $? without"},
        {"T\n\n  a  $?2,5?\n", "mappings:3: error: the template has a $? without"},
        {"T\n\n  a  $?-1?\n", "mappings:3: error: the template has a $? without"},
        {"T\n\n  a  $?100.1?\n", "mappings:3: error: the template has a $? without"},
        {"T\n\n  a  $?1.0000001?\n", "mappings:3: error: the template has a $? without"},
        {"T\n\n  a  $|X;b\n", "mappings:3: error: the template's $| lacks its closing |"},
        {"T\n\n  a  $|b|\n", "mappings:3: error: the template has a $| without"},
        {"T\n\n  a  $|X;$Y|\n", "mappings:3: error: the argument of $| cannot contain $Y"},
        {"T\n\n  a  $|X;$|Y;z||\n", "mappings:3: error: the argument of $| cannot contain a |"},
        {"T\n\n  a  $[a,b\n", "mappings:3: error: the template has a $[ that is not"},
        {"T\n\n  a  $[a,b]\n", "mappings:3: error: the template has a $[ that is not"},
        {"T\n\n  a  $+2E\n", "mappings:3: error: the template has $+ that is not followed"},
        {"T\n\n  a  $#x\n", "mappings:3: error: the template's $# lacks its closing #"},
        {"T\n\n  a  $:\n", "mappings:3: error: the template ends before the letter"},
        /* Of PORT_ACCESS and what it calls. */
        {"PORT_ACCESS\n\n  a  $C${key}\n",
         "mappings:3: error: the entry for a in PORT_ACCESS uses ${ (a lookup in the general"},
        {"PORT_ACCESS\n\n  a  $]x[\n", "error: the entry for a in PORT_ACCESS uses $]"},
        {"PORT_ACCESS\n\n  a  $}x{\n", "error: the entry for a in PORT_ACCESS uses $}"},
        {"PORT_ACCESS\n\n  a  $#f|10#\n", "error: the entry for a in PORT_ACCESS uses $#"},
        {"PORT_ACCESS\n\n  a  $=\n", "error: the entry for a in PORT_ACCESS uses $="},
        {"PORT_ACCESS\n\n  *  $1\n", "mappings:3: error: the entry for * in PORT_ACCESS has $1"},
        {"PORT_ACCESS\n\n  *  $C$|T;$0|\n\nT\n\n  x*  $C$|U;y|\n\nU\n\n  q  $=\n",
         "mappings:11: error: the entry for q in U uses $="},
        {"PORT_ACCESS\n\n  *  $C$|T;$0|\n", "mappings:3: error: the template calls the table T"},
        {"PORT_ACCESS\n\n  *  $C$|PORT_ACCESS;$0|\n", "mappings:3: error: the template calls the "
                                                      "table PORT_ACCESS, which leads back"},
        {"PORT_ACCESS\n\n  *  $C$|T;$0|\n\nT\n\n  *  $|U;a|$Y\n\nU\n\n  *  $Y$|T;b|\n",
         "mappings:11: error: the template calls the table T, which leads back to itself"},
        {"PORT_ACCESS\n\n  *  $C$[x.so,y,z]\n", "calls a library that is not built in"},
        {"PORT_ACCESS\n\n  *  $C$[conn_throttle.so,x,z]\n", "calls a routine that conn_throttle"},
        {"PORT_ACCESS\n\n  *  $C$[IMTA_LIB:check_metermaid.so,store,t,$0]\n",
         "calls a routine of check_metermaid that is not available"},
        {"PORT_ACCESS\n\n  *  $C$[check_metermaid,throttle,$0]\n",
         "calls throttle, which needs TABLE,ADDRESS"},
        {"PORT_ACCESS\n\n  *  $C$[check_metermaid,throttle,t,mail]\n", "which has no address"},
        {"PORT_ACCESS\n\n  *  $C$[dns_verify,dns_verify_ptr,$0]\n",
         "calls a routine of dns_verify that is not available"},
        {"PORT_ACCESS\n\n  *  $C$[dns_verify,dns_verify_domain_port,$0]\n",
         "calls dns_verify_domain_port, which needs ADDRESS,ZONE"},
        {"PORT_ACCESS\n\n  *  $C$[dns_verify,dns_verify_domain_port,$0,a..b]\n",
         "which has no domain name"},
        {"PORT_ACCESS\n\n  *  $C$[conn_throttle,throttle,$0]\n",
         "calls throttle, which needs ADDRESS,NUMBER"},
        {"PORT_ACCESS\n\n  *  $C$[conn_throttle,throttle,$0,ten]\n", "which has no number"},
        {"PORT_ACCESS\n\n  *  $C$[conn_throttle,throttle,$0,99999999999]\n", "which has no number"},
        {"PORT_ACCESS\n\n  *  $C$[conn_throttle,throttle,a.b,1]\n", "which has no address"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        ck_assert_msg(scene_load(&scene, cases[i].file) == -EINVAL, "%s", cases[i].file);
        ck_assert_msg(scene_said(&scene, cases[i].problem), "%s%s", cases[i].file,
                      scene_problems(&scene));
        ck_assert_uint_eq(scene.problems.n_errors, 1);
        ck_assert_ptr_null(scene.set);
    }
}
END_TEST

START_TEST(test_warns_of_what_is_odd)
{
    static const struct {
        const char *file, *problem;
    } cases[] = {
        {"T\n  a  b\n", "mappings:2: warning: a blank line is missing between the name"},
        {"T\n\n  a  b\n\n  c  d\n", "mappings:5: warning: the table continues after a blank line"},
        {"T\n\n  a  b\nU\n\n  c  d\n", "mappings:4: warning: a blank line is missing before"},
        {"T\n\n  a  b\\", "mappings:3: warning: the file ends after a backslash"},
        {"T\n\n  a\\\n  b  c\n", "mappings:3: warning: a line that looks like an entry of its own "
                                 "is part of this one, because line 3"},
        {"T\n\n  ! a\n", "mappings:3: warning: this is an entry; a comment has its !"},
        {"T\n\n  $(192.0.2.9/24)  b\n",
         "mappings:3: warning: the address in 192.0.2.9/24 has bits"},
        {"PORT_ACCESS\n\n  *  $|T;$0|$N\n\nT\n\n  *  $Y\n",
         "mappings:3: warning: if a call or test in the template fails"},
        {"PORT_ACCESS\n\n  *  $:A$C\n", "mappings:3: warning: if a call or test"},
        {"PORT_ACCESS\n\n  *  $C$E$?5?$Y\n", "mappings:3: warning: if a call or test"},
        {"PORT_ACCESS\n\n  *  $[conn_throttle,throttle,$0,1]$N\n",
         "mappings:3: warning: if a call"},
        {"PORT_ACCESS\n\n  *a*  $D$Y\n  *b*  $D$N\n",
         "mappings:3: warning: $D is a flag without effect in PORT_ACCESS"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        ck_assert_msg(scene_load(&scene, cases[i].file) == 0, "%s%s", cases[i].file,
                      scene_problems(&scene));
        ck_assert_msg(scene_said(&scene, cases[i].problem), "%s%s", cases[i].file,
                      scene_problems(&scene));
        /* Beside what is said of each file without the table. */
        bool has_table = !scene_said(&scene, "there is no table PORT_ACCESS");
        ck_assert_msg(scene.problems.n_warnings == (has_table ? 1 : 2), "%s%s", cases[i].file,
                      scene_problems(&scene));
    }
}
END_TEST

START_TEST(test_collects_all_problems)
{
    ck_assert_int_eq(scene_load(&scene, "PORT_ACCESS\n\n  a  $!\n  $Z  b\n  c  $C$|T;x|\n"
                                        "  d  $5\n1\n\n  e  $!\n"),
                     -EINVAL);
    ck_assert_uint_eq(scene.problems.n_errors, 6);
}
END_TEST

START_TEST(test_has_limits)
{
    char text[2 * 4096 + 100];
    size_t n = (size_t)sprintf(text, "T\n\n  a  ");

    memset(text + n, 'x', 1024);
    strcpy(text + n + 1024, "\n");
    ck_assert_int_eq(scene_load(&scene, text), 0);
    strcpy(text + n + 1024, "x\n");
    ck_assert_int_eq(scene_load(&scene, text), -EINVAL);
    ck_assert(scene_said(&scene, "mappings:3: error: the template has 1025 characters"));

    memset(text + 5, 'x', 256);
    strcpy(text + 5 + 256, " y\n");
    ck_assert_int_eq(scene_load(&scene, text), 0);
    strcpy(text + 5 + 256, "x y\n");
    ck_assert_int_eq(scene_load(&scene, text), -EINVAL);
    ck_assert(scene_said(&scene, "mappings:3: error: the pattern has 257 characters"));

    memset(text + 5, ' ', 4096);
    strcpy(text + 5 + 4090, "x\n");
    ck_assert_int_eq(scene_load(&scene, text), 0);
    memset(text + 5, ' ', 4096);
    strcpy(text + 5 + 4096, "x\n");
    ck_assert_int_eq(scene_load(&scene, text), -EINVAL);
    ck_assert(scene_said(&scene, "mappings:3: error: the line has more than 4096"));

    memset(text, 'T', 64);
    strcpy(text + 64, "\n");
    ck_assert_int_eq(scene_load(&scene, text), 0);
    strcpy(text + 64, "T\n");
    ck_assert_int_eq(scene_load(&scene, text), -EINVAL);
}
END_TEST

START_TEST(test_refuses_nul_bytes)
{
    static const char text[] = "T\n\n  a\0b  c\n";

    scene_write(&scene, "mappings", text, sizeof(text) - 1);
    ck_assert_int_eq(mapping_set_load(scene_path(&scene, "mappings"), &scene.problems, &scene.set),
                     -EINVAL);
    ck_assert(scene_said(&scene, "mappings:3: error: the line contains a NUL byte"));
}
END_TEST

static void write_text(const char *name, const char *text)
{
    scene_write(&scene, name, text, strlen(text));
}

START_TEST(test_includes_files_three_deep)
{
    char text[256];

    snprintf(text, sizeof(text), "! one\n<%s\n", scene_path(&scene, "two"));
    write_text("one", text);
    snprintf(text, sizeof(text), "  b  $Y2\n<%s\n  c  $Y4\n", scene_path(&scene, "three"));
    write_text("two", text);
    write_text("three", "  d  $Y3\n");
    snprintf(text, sizeof(text), "PORT_ACCESS\n\n  a  $Y1\n<%s\n  e  $Y5\n",
             scene_path(&scene, "one"));
    ck_assert_msg(scene_load(&scene, text) == 0, "%s", scene_problems(&scene));
    ck_assert_uint_eq(scene.problems.n_errors, 0);
    ck_assert_str_eq(scene_run(&scene, MAPPING_PORT_ACCESS, "d"), "3/Y");
    ck_assert_uint_eq(mapping_run_entry(&scene.run)->line, 1);
    ck_assert(strstr(mapping_run_entry(&scene.run)->file, "/three"));
    ck_assert_str_eq(scene_run(&scene, MAPPING_PORT_ACCESS, "c"), "4/Y");
    ck_assert_str_eq(scene_run(&scene, MAPPING_PORT_ACCESS, "e"), "5/Y");
    /* One more is too deep. */
    write_text("three", "<four\n");
    write_text("four", "");
    ck_assert_int_eq(scene_load(&scene, text), -EINVAL);
    ck_assert(scene_said(&scene, "three:1: error: the include file four is nested too deep"));
}
END_TEST

START_TEST(test_names_problems_of_includes)
{
    static const struct {
        const char *file, *problem;
    } cases[] = {
        {"<nothing\n", "mappings:1: error: the include file"},
        {"<mappings\n", "mappings:1: error: the include file mappings includes itself"},
        {"<\n", "mappings:1: error: a file's name must follow the <"},
        {"<.\n", "is not a regular file"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        ck_assert_int_eq(scene_load(&scene, cases[i].file), -EINVAL);
        ck_assert_msg(scene_said(&scene, cases[i].problem), "%s", scene_problems(&scene));
    }
    write_text("bad", "T\n\n  a  $!\n");
    ck_assert_int_eq(scene_load(&scene, "<bad\n"), -EINVAL);
    ck_assert(scene_said(&scene, "bad:3: error: the template has the unknown element $!"));
}
END_TEST

START_TEST(test_warns_of_files_that_others_may_write)
{
    write_text("mappings", "PORT_ACCESS\n");
    ck_assert_int_eq(chmod(scene_path(&scene, "mappings"), 0666), 0);
    ck_assert_int_eq(mapping_set_load(scene_path(&scene, "mappings"), &scene.problems, &scene.set),
                     0);
    ck_assert(scene_said(&scene, "mappings: warning: the file can be written by everybody"));
}
END_TEST

START_TEST(test_names_characters_that_nobody_sees)
{
    static const struct {
        const char *file;
        size_t n_warnings;
        const char *problem;
    } cases[] = {
        {"\xef\xbb\xbfPORT_ACCESS\n\n  *  $N\n", 0, NULL},
        {"\xef\xbb\xbf! comment\nPORT_ACCESS\n\n  *  $N\n", 0, NULL},
        {"PORT_ACCESS\n\n  *  $N500$ no\xc2\xa0way\n", 1,
         "mappings:3: warning: character 15 of the line is a no-break space (U+00A0)"},
        {"PORT_ACCESS\n\n  *  $N500$ a\\\n b\xe2\x80\x8b\n", 1,
         "mappings:4: warning: character 3 of"},
        {"! \xc2\xa0 in a comment\nPORT_ACCESS\n\n  *  $N\n", 0, NULL},
        {"! comment\rPORT_ACCESS\r\r  *  $N\r", 1,
         "mappings:1: warning: character 10 of the line is a "
         "carriage return"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        ck_assert_int_eq(scene_load(&scene, cases[i].file), 0);
        ck_assert_msg(scene.problems.n_warnings == cases[i].n_warnings, "%s%s", cases[i].file,
                      scene_problems(&scene));
        if (cases[i].problem)
            ck_assert_msg(scene_said(&scene, cases[i].problem), "%s", scene_problems(&scene));
    }
    /* What is an error anyway gets its reason. */
    ck_assert_int_eq(scene_load(&scene, "PORT_ACCESS\xe2\x80\x8b\n\n  *  $N\n"), -EINVAL);
    ck_assert(
        scene_said(&scene, "mappings:1: warning: character 12 of the line is a zero-width space"));
}
END_TEST

START_TEST(test_copies_all_that_it_read_into_one_file)
{
    static const char expected[] = "PORT_ACCESS\n\n  *  $C$|T;x|$N500$E\n\nT\n\n  x  $Y\n";
    char *text = NULL;
    size_t length;
    FILE *copy = open_memstream(&text, &length);

    write_text("more", "! included\nT\n\n  x  $Y\n");
    snprintf(scene.trace, sizeof(scene.trace), "PORT_ACCESS\n\n  *  \\\n  $C$|T;x|$N500$E\n\n<%s\n",
             scene_path(&scene, "more"));
    write_text("mappings", scene.trace);
    ck_assert_int_eq(mapping_set_load_and_copy(scene_path(&scene, "mappings"), copy,
                                               &scene.problems, &scene.set),
                     0);
    fclose(copy);
    ck_assert_str_eq(text, expected);
    ck_assert_int_eq(scene_load(&scene, text), 0);
    free(text);
}
END_TEST

START_TEST(test_lives_as_long_as_somebody_needs_it)
{
    struct mapping_run run;

    ck_assert_int_eq(scene_load(&scene, "PORT_ACCESS\n\n"
                                        "  *  $C$[conn_throttle,throttle,$0,1]$Nold$E\n"),
                     0);
    _cleanup_mapping_set_ struct mapping_set *kept = mapping_set_ref(scene.set);
    mapping_run_start(&run, kept, MAPPING_PORT_ACCESS, "192.0.2.1", 0, NULL);
    ck_assert_int_eq(mapping_run_step(&run), MAPPING_CALLOUT);
    ck_assert_int_eq(scene_load(&scene, "PORT_ACCESS\n\n  *  $Nnew\n"), 0);
    mapping_run_resume(&run, true, NULL);
    ck_assert_int_eq(mapping_run_step(&run), MAPPING_DONE);
    ck_assert_str_eq(mapping_run_string(&run), "old");
}
END_TEST

SUITE("load", setup, teardown, test_accepts_what_the_manuals_describe,
      test_names_what_is_wrong_and_where, test_warns_of_what_is_odd, test_collects_all_problems,
      test_names_characters_that_nobody_sees, test_copies_all_that_it_read_into_one_file,
      test_has_limits, test_refuses_nul_bytes, test_includes_files_three_deep,
      test_names_problems_of_includes, test_warns_of_files_that_others_may_write,
      test_lives_as_long_as_somebody_needs_it)
