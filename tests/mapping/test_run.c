/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "scene.h"
#include "support/suite.h"

#include "base/macro.h"

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

/* An auxiliary table that comes with every example. */
#define AUX                                                                                        \
    "\nYES\n\n  a*  $Y[$0]\n  ~  $Yx~y\n  e*  $Y\n  flag  $:A$Y\n  *  no\n"                        \
    "\nNO\n\n  *  $Nno\n"                                                                          \
    "\nCONT\n\n  *  $C$0.\n  x*  $Y$0\n"

struct example {
    const char *entries, *string, *outcome;
};

static void check(const struct example *examples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char text[4096];

        snprintf(text, sizeof(text), "PORT_ACCESS\n\n%s%s", examples[i].entries, AUX);
        int r = scene_load(&scene, text);
        ck_assert_msg(r == 0, "%s%s", text, scene_problems(&scene));
        const char *outcome = scene_run(&scene, MAPPING_PORT_ACCESS, examples[i].string);
        ck_assert_msg(strcmp(outcome, examples[i].outcome) == 0, "%s\nfor %s: %s, not %s\n%s",
                      examples[i].entries, examples[i].string, outcome, examples[i].outcome,
                      scene.trace);
    }
}

START_TEST(test_makes_strings)
{
    static const struct example examples[] = {
        {" a text\n", "a", "text/"},
        {" a text\n", "b", "none"},
        {" a\n", "a", "/"},
        {" * <$0>\n", "a b", "<a b>/"},
        {" a$ b c$ d\n", "A B", "c d/"},
        {" a x$$y\n", "a", "x$y/"},
        {" a x$\ty\n", "a", "x\ty/"},
        {" %%% $2$1$0\n", "abc", "cba/"},
        {" * $0A\n", "x", "xA/"},
        {" * a$^b$0$\\C$_D$0\n", "x", "aBXcDx/"},
        {" *~* $1~$0\n", "a~b", "b\na/"},
        {" * $Y$D$Q$z\n", "a", "/DQYZ"},
        {" * a$+1Eb$N\n", "x", "a/"},
        {" * a$+1Cb\n * c\n", "x", "ab/"},
        {" \x24(192.0.2.0/24)|* $1,$0\n", "192.0.2.7|x", "x,192.0.2.7/"},
        {" * $0\n", "a\x01\x7f\n", "a??\?/"},
    };

    check(examples, ELEMENTSOF(examples));
}
END_TEST

START_TEST(test_follows_control_letters)
{
    static const struct example examples[] = {
        {" * a\n * b\n", "x", "a/"},
        {" * a$E\n * b\n", "x", "a/"},
        {" * a$C\n * $0b\n", "x", "ab/"},
        {" * a$C\n b c\n", "x", "a/"},
        {" * a$c$e\n * b\n", "x", "a/"},
        {" * a$E$C\n * b\n", "x", "b/"},
        {" x a$Y$C\n a $N$C\n * z$T\n", "x", "z/NTY"},
        {" x* $0$R\n a end\n x b\n", "xa", "end/"},
        {" x$@** $0$R\n", "abc", "none"},
        {" a* $0$R\n * $0!\n", "aaab", "b!/"},
        {" b done\n a b$L\n", "a", "done/"},
        {" b c$L\n a b$L\n", "a", "c/"},
        {" b done\n a b$L\n * b$C\n", "a", "b/"},
        {" b done\n a b$L\n b b$E\n", "a", "b/"},
        {" a $C$:B$Nno\n * $Yend\n", "a", "end/Y"},
        {" a x$C$;Ay\n * <$0>\n", "a", "<a>/"},
        {" a $N$C$;A\n * $Y\n", "a", "/Y"},
        {" a $N$;A$C\n * $Y\n", "a", "none"},
        {" a $C$:A$Nno$E\n * $Y\n", "a", "no/N"},
        {" a $C$:a$Nno$E\n * $Y\n", "a", "no/N"},
        {" a $C$;A$Nno$E\n * $Y\n", "a", "/Y"},
        {" a $C$:*$Nno$E\n * $Y\n", "a", "/Y"},
        {" a first$C\n * $;A\n", "x", "none"},
        {" a first$C\n * $;Ax\n", "a", "first/"},
        {" * $C$?0?no$E\n * yes\n", "a", "yes/"},
        {" * $C$?100?no$E\n * yes\n", "a", "no/"},
        {" * $C$?1?no$E\n * yes\n", "a", "no/"},
    };

    check(examples, ELEMENTSOF(examples));
}
END_TEST

START_TEST(test_calls_tables)
{
    static const struct example examples[] = {
        {" * $C$|YES;$0|$Y$E\n * $N\n", "ab", "[b]/Y"},
        {" * $C$|YES;$0|$Y$E\n * $N\n", "zz", "/N"},
        {" * $C$|NO;$0|$Y$E\n * else\n", "a", "else/"},
        {" * $|NO;$0|$N500\n * else\n", "a", "none"},
        {" * $C<$|yes;a$0|>$|YES;e|.\n", "x", "<[x]>./"},
        {" * $C$|YES;flag|ok\n", "x", "ok/"},
        {" * $C$|CONT;$0|ok\n", "x1", "1.ok/"},
        {" * $C$|CONT;y|ok$E\n * no\n", "x", "no/"},
        {" * $C$^$|YES;ab|$\\$|YES;aB|\n", "x", "[B][b]/"},
        /* What a table gives is no template, and its tilde parts no lines. */
        {" * $C$|YES;~|\n", "x", "x~y/"},
        {" * $C$|YES;$$Y|$N\n * $0\n", "x", "x/"},
    };

    check(examples, ELEMENTSOF(examples));
}
END_TEST

START_TEST(test_stops_passes_that_lead_nowhere)
{
    static const struct example examples[] = {
        {" * $0$R\n", "x", "x/"},        {" * $0x$R\n", "x", "xxxxxxxxxxxx/"},
        {" x$@** $R\n", "x", "/"},       {" x* $0$R\n *y $R$0\n", "xxxxy", "/"},
        {" a b$R\n b a$R\n", "a", "b/"},
    };

    check(examples, ELEMENTSOF(examples));
}
END_TEST

START_TEST(test_ends_at_its_limit)
{
    static const struct example examples[] = {
        /* Shorter and longer again, for ever. */
        {" xx x$R\n x xx$R\n", "x", "limit"},
    };

    check(examples, ELEMENTSOF(examples));
    port_access_judge(&scene.run, &scene.verdict);
    ck_assert(scene.verdict.has_hit_limit && !scene.verdict.is_rejected);
    ck_assert(!scene.verdict.is_matched);
    ck_assert_int_eq(mapping_run_step(&scene.run), MAPPING_LIMIT);
}
END_TEST

START_TEST(test_fails_entries_whose_result_is_too_long)
{
    char string[MAPPING_STRING_MAX + 2] = "";
    static const char file[] = "PORT_ACCESS\n\n  *  $C$0$0$E\n  *  $Yfits\n";

    ck_assert_int_eq(scene_load(&scene, file), 0);
    memset(string, 'x', 512);
    ck_assert_uint_eq(strlen(scene_run(&scene, MAPPING_PORT_ACCESS, string)), 1024 + 1);
    string[512] = 'x';
    ck_assert_str_eq(scene_run(&scene, MAPPING_PORT_ACCESS, string), "fits/Y");
    memset(string, 'x', MAPPING_STRING_MAX);
    ck_assert_str_eq(scene_run(&scene, MAPPING_PORT_ACCESS, string), "fits/Y");
    string[MAPPING_STRING_MAX] = 'x';
    ck_assert_str_eq(scene_run(&scene, MAPPING_PORT_ACCESS, string), "none");
}
END_TEST

/* PORT_ACCESS calls T1, that T2, and so on. */
static int load_nested(unsigned depth)
{
    char text[2048] = "PORT_ACCESS\n\n  *  $C$|T1;$0|ok$E\n";

    for (unsigned i = 1; i <= depth; i++)
        if (i < depth)
            sprintf(text + strlen(text), "\nT%u\n\n  *  $Y$|T%u;$0|%u\n", i, i + 1, i);
        else
            sprintf(text + strlen(text), "\nT%u\n\n  *  $Y$0\n", i);
    return scene_load(&scene, text);
}

START_TEST(test_nests_ten_deep)
{
    ck_assert_int_eq(load_nested(10), 0);
    ck_assert_str_eq(scene_run(&scene, MAPPING_PORT_ACCESS, "x"), "x987654321ok/");
    ck_assert_int_lt(load_nested(11), 0);
    ck_assert_msg(scene_said(&scene, "nested more than 10 deep"), "%s", scene_problems(&scene));
}
END_TEST

START_TEST(test_asks_routines_from_nested_tables_and_arguments)
{
    static const char nested[] = "PORT_ACCESS\n\n  *  $C$|T;$0|yes$E\n  *  no\n\n"
                                 "T\n\n  *  $C<$[conn_throttle,throttle,$0,2]>$Y$E\n";
    static const char argument[] =
        "PORT_ACCESS\n\n  *  $C$|T;$[conn_throttle,throttle,$0,2]x|$E\n  *  no\n\n"
        "T\n\n  x  $Yfound\n";
    static const char inner[] =
        "PORT_ACCESS\n\n  *  $C$[conn_throttle,throttle,$|T;$0|,2]ok$E\n  *  no\n\n"
        "T\n\n  *  $Y192.0.2.77\n";

    scene.answers.is_over = true;
    ck_assert_int_eq(scene_load(&scene, nested), 0);
    ck_assert_str_eq(scene_run(&scene, MAPPING_PORT_ACCESS, "192.0.2.1"), "<>yes/");
    ck_assert_int_eq(scene_load(&scene, argument), 0);
    ck_assert_str_eq(scene_run(&scene, MAPPING_PORT_ACCESS, "192.0.2.1"), "found/");
    ck_assert_int_eq(scene_load(&scene, inner), 0);
    ck_assert_str_eq(scene_run(&scene, MAPPING_PORT_ACCESS, "192.0.2.1"), "ok/");
    ck_assert_str_eq(scene.calls, "throttle 192.0.2.77 2;");
    scene.answers.is_over = false;
    ck_assert_str_eq(scene_run(&scene, MAPPING_PORT_ACCESS, "192.0.2.1"), "no/");
}
END_TEST

START_TEST(test_takes_chances)
{
    ck_assert_int_eq(scene_load(&scene, "PORT_ACCESS\n\n  *  $C$?25?a$E\n  *  b\n"), 0);
    for (unsigned i = 0; i < 100; i++) {
        scene.answers.chance = i * (CHANCE_WHOLE / 100);
        ck_assert_str_eq(scene_run(&scene, MAPPING_PORT_ACCESS, "x"), i < 25 ? "a/" : "b/");
    }
}
END_TEST

START_TEST(test_takes_chances_of_a_fraction_of_a_percent)
{
    static const struct {
        const char *percent;
        uint32_t chance; /* that is enough no more */
    } cases[] = {
        {"0", 0},          {"2.5", 2500000},        {".5", 500000},     {"0.000001", 1},
        {"3.", 3000000},   {"100", CHANCE_WHOLE},   {"99.9", 99900000}, {"007", 7000000},
        {"1.25", 1250000}, {"33.333333", 33333333},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        char text[80];

        snprintf(text, sizeof(text), "PORT_ACCESS\n\n  *  $C$?%s?$Na$E\n  *  $Yb\n",
                 cases[i].percent);
        ck_assert_msg(scene_load(&scene, text) == 0, "%s%s", text, scene_problems(&scene));
        scene.answers.chance = cases[i].chance;
        if (cases[i].chance < CHANCE_WHOLE)
            ck_assert_msg(strcmp(scene_run(&scene, MAPPING_PORT_ACCESS, "x"), "b/Y") == 0, "%s",
                          text);
        scene.answers.chance = cases[i].chance - 1;
        if (cases[i].chance > 0)
            ck_assert_msg(strcmp(scene_run(&scene, MAPPING_PORT_ACCESS, "x"), "a/N") == 0, "%s",
                          text);
    }
}
END_TEST

START_TEST(test_tells_what_happens)
{
    ck_assert_int_eq(scene_load(&scene, "PORT_ACCESS\n\n  *  $C$|T;$0|$Y$E\n  *  $N$:Aa\n\n"
                                        "T\n\n  *  $N\n"),
                     0);
    scene_run(&scene, MAPPING_PORT_ACCESS, "x");
    ck_assert_str_eq(scene.trace, "0 PORT_ACCESS:0 PORT_ACCESS: x\n"
                                  "0 PORT_ACCESS:3 matches\n"
                                  "0 PORT_ACCESS:3 calls $|T;x|\n"
                                  "1 T:0 T: x\n"
                                  "1 T:8 matches\n"
                                  "1 T:8 succeeds with \"\" $N; the mapping ends\n"
                                  "0 PORT_ACCESS:3 $|T| fails\n"
                                  "0 PORT_ACCESS:3 fails; the next entry is tried\n"
                                  "0 PORT_ACCESS:4 matches\n"
                                  "0 PORT_ACCESS:4 $:A passes\n"
                                  "0 PORT_ACCESS:4 succeeds with \"a\" $N; the mapping ends\n");
}
END_TEST

SUITE("run", setup, teardown, test_makes_strings, test_follows_control_letters, test_calls_tables,
      test_stops_passes_that_lead_nowhere, test_ends_at_its_limit,
      test_fails_entries_whose_result_is_too_long, test_nests_ten_deep,
      test_asks_routines_from_nested_tables_and_arguments, test_takes_chances,
      test_takes_chances_of_a_fraction_of_a_percent, test_tells_what_happens)
