/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "scene.h"
#include "support/suite.h"

#include "base/macro.h"

#include <errno.h>
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

struct example {
    const char *entries; /* of PORT_ACCESS */
    const char *client;
    const char *verdict;
};

static void check(const struct example *examples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        scene_load_entries(&scene, examples[i].entries);
        const char *verdict = scene_ask(&scene, examples[i].client);
        ck_assert_msg(strcmp(verdict, examples[i].verdict) == 0, "%s\nfor %s: %s, not %s\n%s",
                      examples[i].entries, examples[i].client, verdict, examples[i].verdict,
                      scene.trace);
    }
}

START_TEST(test_accepts_everybody_without_a_file_or_table)
{
    ck_assert_int_eq(mapping_set_load(scene_path(&scene, "mappings"), &scene.problems, &scene.set),
                     0);
    ck_assert_uint_eq(scene.problems.n_items, 0);
    ck_assert_str_eq(scene_ask(&scene, "192.0.2.9"), "accept");
    ck_assert(!scene.verdict.is_matched);
    ck_assert_int_eq(scene_load(&scene, "OTHER\n\n  *  $N\n"), 0);
    ck_assert_str_eq(scene_ask(&scene, "192.0.2.9"), "accept");
    ck_assert(!scene.verdict.is_matched);
}
END_TEST

START_TEST(test_exempts_the_addresses_that_an_entry_names)
{
    static const struct {
        const char *entry;
        bool is_permitted;
    } cases[] = {
        {"TCP|*|*|192.0.2.9|*  $Y", true},
        {"TCP|*|*|192.0.2.*|*  $YINTERNAL", true},
        {"*|*|*|$(192.0.2.0/24)|*  $Y", true},
        {"*192.0.2.9*  $Y", true},
        {"*  $Y", false},
        {"*  $YEXTERNAL", false},
        {"TCP|*|25|*|*  $Y", false},
        {"TCP|*|*|*|40312  $Y", false},
        {"TCP|*|*|192.0.2.9|*  $<noted", false},
        {"TCP|*|*|192.0.2.9|*  $N500$Y", false},
        {"TCP|*|*|192.0.2.8|*  $Y", false},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        scene_load_entries(&scene, cases[i].entry);
        scene_ask(&scene, "192.0.2.9");
        ck_assert_msg(scene.verdict.is_permitted == cases[i].is_permitted, "%s", cases[i].entry);
    }
}
END_TEST

START_TEST(test_rejects_with_n_and_f_and_accepts_all_else)
{
    static const struct example examples[] = {
        {"TCP|*|25|192.0.2.9|*  $N500", "192.0.2.9", "reject reply=500//"},
        {"TCP|*|25|192.0.2.9|*  $N500", "192.0.2.8", "accept"},
        {"tcp|*|25|192.0.2.9|*  $N500$ Go$ away", "192.0.2.9", "reject reply=500 Go away//"},
        {"TCP|*|25|192.0.2.9|*  $N", "192.0.2.9", "reject"},
        {"TCP|*|25|192.0.2.9|*  $F421$ later", "192.0.2.9", "reject reply=421 later//"},
        {"TCP|*|25|192.0.2.9|*  $n500", "192.0.2.9", "reject reply=500//"},
        {"TCP|*|25|192.0.2.9|*  500$ no$N", "192.0.2.9", "reject reply=500 no//"},
        {"TCP|*|26|*|*  $N", "192.0.2.9", "accept"},
        {"*  $Y", "192.0.2.9", "accept"},
        {"*  text", "192.0.2.9", "accept"},
        {"*", "192.0.2.9", "accept"},
        {"*  $N$Y500", "192.0.2.9", "reject reply=500//"},
        {"*  $Y$N500", "192.0.2.9", "reject reply=500//"},
        {"*  $YEXTERNAL", "192.0.2.9", "accept tag=EXTERNAL"},
        {"*  EXTERNAL$Y", "192.0.2.9", "accept tag=EXTERNAL"},
        {"*  $N-ERR$ no", "192.0.2.9", "reject reply=-ERR no//"},
        {"*  $N500$ costs$ 5$$", "192.0.2.9", "reject reply=500 costs 5$//"},
        {"TCP|*|25|*|*  $N500$ $1$ from$ $2", "192.0.2.9",
         "reject reply=500 192.0.2.9 from 40312//"},
        {"*|*|*|*|*  $N$0,$1,$2,$3,$4", "192.0.2.9",
         "reject reply=TCP,192.0.2.1,25,192.0.2.9,40312//"},
        {"TCP|*|25|2001:DB8::9|*  $N6", "2001:db8::9", "reject reply=6//"},
        {"TCP|*|25|192.0.2.9|*  $N4", "::ffff:192.0.2.9", "reject reply=4//"},
    };

    check(examples, ELEMENTSOF(examples));
}
END_TEST

START_TEST(test_takes_the_first_entry_that_matches)
{
    static const char entries[] = "TCP|*|*|192.0.2.9|*  $Y\nTCP|*|*|192.0.2.*|*  $N";
    static const struct example examples[] = {
        {entries, "192.0.2.9", "accept"},
        {entries, "192.0.2.8", "reject"},
        {"*  $N500$ no$E\n*  $Y\n*  $N421", "192.0.2.9", "reject reply=500 no//"},
        {"*  $N500$ no\n*  $YX", "192.0.2.9", "reject reply=500 no//"},
    };

    check(examples, ELEMENTSOF(examples));
}
END_TEST

START_TEST(test_parts_lines_at_tildes_of_the_template)
{
    static const struct example examples[] = {
        {"*  $N421$ a~421$ b", "192.0.2.9", "reject reply=421 a//421 b//"},
        {"*  $N421-a~421-b~421$ c", "192.0.2.9", "reject reply=421-a//421-b//421 c//"},
        {"*  $N421$ a$~b", "192.0.2.9", "reject reply=421 a~b//"},
        {"*  $Ya~b", "192.0.2.9", "accept tag=a~b"},
        {"*  $<a~b|$N500$ c~500$ d", "192.0.2.9", "reject reply=500 c//500 d// note=a~b"},
        /* Out of a substitution it stays one. */
        {"*  a~b$C\n*~*  $N$0~$1", "192.0.2.9", "reject reply=a//b//"},
        {"*  a~b$C\n*  $N$0", "192.0.2.9", "reject reply=a~b//"},
        {"*  a~b$C\na$[~]%b  $N$0~c", "192.0.2.9", "reject reply=~//c//"},
    };

    check(examples, ELEMENTSOF(examples));
}
END_TEST

START_TEST(test_gives_arguments_to_flags_in_their_order)
{
    static const struct example examples[] = {
        {"TCP|*|*|*|*  $<seen$ $2|$N500$ no", "198.51.100.7",
         "reject reply=500 no// note=seen 198.51.100.7"},
        {"*  $N$<a|b", "192.0.2.9", "reject reply=b// note=a"},
        {"*  a|b$<$N", "192.0.2.9", "reject reply=b// note=a"},
        {"*  $<a$>b$N", "192.0.2.9", "reject note=ab"},
        {"*  $<a|b|c$>$N", "192.0.2.9", "reject reply=c// note=a reject-note=b"},
        {"*  $>a|b|c$N", "192.0.2.9", "reject reply=b// reject-note=a"},
        {"*  $Y$<a", "192.0.2.9", "accept note=a"},
        {"*  $<a|$YTAG", "192.0.2.9", "accept note=a tag=TAG"},
        {"*  $>note$Y", "192.0.2.9", "accept"},
        {"*  $<note$Y", "192.0.2.9", "accept note=note"},
        {"*  $<note", "192.0.2.9", "accept note=note"},
        {"*  $<note|$N500$ no", "192.0.2.9", "reject reply=500 no// note=note"},
        {"*  $N$T500$ no||spammer", "192.0.2.9", "reject reply=500 no// log=spammer"},
        {"*  $N500$ no||spammer", "192.0.2.9", "reject reply=500 no// log=spammer"},
        {"*  $N||spammer|x", "192.0.2.9", "reject log=spammer|x"},
        {"*  $YTAG||friend", "192.0.2.9", "accept tag=TAG log=friend"},
        {"*  $<|$N500", "192.0.2.9", "reject reply=500//"},
        {"*  $N500|rest", "192.0.2.9", "reject reply=500//"},
        {"*  $<", "192.0.2.9", "accept"},
    };

    check(examples, ELEMENTSOF(examples));
}
END_TEST

static const char delivered[] = "PORT_ACCESS\n"
                                "\n"
                                "  *|*|*|*|*  $C$|INTERNAL_IP;$3|$Y$E\n"
                                "  *  $YEXTERNAL\n"
                                "\n"
                                "INTERNAL_IP\n"
                                "\n"
                                "  $(192.0.2.0/24)  $Y\n"
                                "  127.0.0.1  $Y\n"
                                "  ${2001:db8::/32}  $Y\n"
                                "  *  $N\n";

START_TEST(test_runs_the_table_as_delivered)
{
    ck_assert_int_eq(scene_load(&scene, delivered), 0);
    ck_assert_msg(scene.problems.n_items == 0, "%s", scene_problems(&scene));
    ck_assert_str_eq(scene_ask(&scene, "192.0.2.50"), "accept");
    ck_assert_uint_eq(scene.verdict.entry->line, 3);
    ck_assert_str_eq(scene_ask(&scene, "127.0.0.1"), "accept");
    ck_assert_uint_eq(scene.verdict.entry->line, 3);
    ck_assert_str_eq(scene_ask(&scene, "2001:db8:1::1"), "accept");
    ck_assert_uint_eq(scene.verdict.entry->line, 3);
    ck_assert_str_eq(scene_ask(&scene, "203.0.113.5"), "accept tag=EXTERNAL");
    ck_assert_uint_eq(scene.verdict.entry->line, 4);
    ck_assert_str_eq(scene_ask(&scene, "192.0.3.1"), "accept tag=EXTERNAL");
}
END_TEST

START_TEST(test_asks_routines)
{
    static const char throttle[] =
        "TCP|*|25|*|*  $C$[IMTA_LIB:conn_throttle.so,throttle,$1,10]$N421$ too$ many$E\n*  $Y";
    static const char dns[] = "TCP|*|25|*|*  $C$[IMTA_LIB:dns_verify.so,dns_verify_domain_port,$1,"
                              "zen.dnsbl.example,Your$ host$ ($1)$ found,$ really]$E\n*  $YX";
    static const char plain_dns[] = "TCP|*|25|*|*  $C$[/x/dns_verify.so,DNS_VERIFY_DOMAIN_PORT,$1,"
                                    "zen.dnsbl.example]$E\n*  $YX";
    static const struct {
        const char *entries;
        struct answers answers;
        const char *verdict, *calls;
    } cases[] = {
        {throttle, {0}, "accept", "throttle 192.0.2.9 10;"},
        {throttle, {.is_over = true}, "reject reply=421 too many//", "throttle 192.0.2.9 10;"},
        {"TCP|*|25|*|*  $C$[conn_throttle,concurrent,$1,3]$NX$E\n*  $Y",
         {.is_over = true},
         "reject reply=X//",
         "concurrent 192.0.2.9 3;"},
        {"TCP|*|25|*|*  $C$[conn_throttle,throttle_p,$1,0]$NX$E\n*  $Y",
         {.is_over = true},
         "reject reply=X//",
         "throttle_p 192.0.2.9 0;"},
        {dns,
         {.listed = "see http://x"},
         "reject reply=500 5.7.1 see http://x//",
         "dns_verify_domain_port 192.0.2.9 zen.dnsbl.example;"},
        {dns,
         {.listed = ""},
         "reject reply=500 5.7.1 Your host (192.0.2.9) found, really//",
         "dns_verify_domain_port 192.0.2.9 zen.dnsbl.example;"},
        {dns, {0}, "accept tag=X", "dns_verify_domain_port 192.0.2.9 zen.dnsbl.example;"},
        {plain_dns,
         {.listed = ""},
         "reject reply=500 5.7.1 No error text available.//",
         "dns_verify_domain_port 192.0.2.9 zen.dnsbl.example;"},
        /* What comes from outside is text and nothing else. */
        {plain_dns,
         {.listed = "$Y$C|a||b~c\nd\x01\xff$$"},
         "reject reply=500 5.7.1 $Y$C|a||b~c?d|?$$//",
         "dns_verify_domain_port 192.0.2.9 zen.dnsbl.example;"},
        /* Not an address: the call fails without being made. */
        {"TCP|*|25|*|*  $C$[conn_throttle,throttle,$1:$2,1]$NX$E\n*  $Y",
         {.is_over = true},
         "accept",
         ""},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        scene_load_entries(&scene, cases[i].entries);
        scene.answers = cases[i].answers;
        ck_assert_str_eq(scene_ask(&scene, "192.0.2.9"), cases[i].verdict);
        ck_assert_str_eq(scene.calls, cases[i].calls);
    }
}
END_TEST

START_TEST(test_cuts_replies_at_1024_bytes)
{
    char line[1100] = "*  $N";

    memset(line + 5, 'x', 1020);
    scene_load_entries(&scene, line);
    scene_ask(&scene, "192.0.2.9");
    ck_assert_uint_eq(scene.verdict.reply_length, 1022);
    for (size_t i = 5; i < 1025; i += 2)
        line[i] = '~';
    scene_load_entries(&scene, line);
    scene_ask(&scene, "192.0.2.9");
    ck_assert_uint_le(scene.verdict.reply_length, PORT_ACCESS_REPLY_MAX);
    ck_assert_uint_ge(scene.verdict.reply_length, PORT_ACCESS_REPLY_MAX - 2);
    ck_assert_str_eq(scene.verdict.reply + scene.verdict.reply_length - 2, "\r\n");
}
END_TEST

START_TEST(test_has_no_probe_for_unix_sockets)
{
    struct address ip, local = {.family = AF_UNIX};
    char probe[PORT_ACCESS_PROBE_MAX];

    ck_assert_int_eq(address_parse("2001:db8::1", &ip), 0);
    ck_assert_int_eq(port_access_probe(&local, &local, probe), -EAFNOSUPPORT);
    ck_assert_int_eq(port_access_probe(&ip, &local, probe), -EAFNOSUPPORT);
    ip.scope_id = 3;
    ip.port = 65535;
    ck_assert_int_eq(port_access_probe(&ip, &ip, probe), 0);
    ck_assert_str_eq(probe, "TCP|2001:db8::1|65535|2001:db8::1|65535");
}
END_TEST

SUITE("port_access", setup, teardown, test_accepts_everybody_without_a_file_or_table,
      test_rejects_with_n_and_f_and_accepts_all_else,
      test_exempts_the_addresses_that_an_entry_names, test_takes_the_first_entry_that_matches,
      test_parts_lines_at_tildes_of_the_template, test_gives_arguments_to_flags_in_their_order,
      test_runs_the_table_as_delivered, test_asks_routines, test_cuts_replies_at_1024_bytes,
      test_has_no_probe_for_unix_sockets)
