/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "workers/tcp_smtp_server/path.h"

#include <string.h>

#define TEN(x) x x x x x x x x x x
#define TEN_A  TEN("a")
#define A_60   TEN_A TEN_A TEN_A TEN_A TEN_A TEN_A
#define A_63   A_60 "aaa"
#define A_64   A_60 "aaaa"

/* `mailbox` is NULL where the text is no path. */
static const struct {
    enum path_kind kind;
    const char *text, *mailbox, *domain, *rest;
} cases[] = {
    {PATH_FORWARD, "<a@b.example>", "a@b.example", "b.example", ""},
    {PATH_FORWARD, "<a@b.example> SIZE=1", "a@b.example", "b.example", " SIZE=1"},
    {PATH_FORWARD, "<a@b>", "a@b", "b", ""},
    {PATH_FORWARD, "<a.b.c@b-c.example>", "a.b.c@b-c.example", "b-c.example", ""},
    {PATH_FORWARD, "<!#$%&'*+-/=?^_`{|}~@b>", "!#$%&'*+-/=?^_`{|}~@b", "b", ""},
    {PATH_FORWARD, "<a@4.example>", "a@4.example", "4.example", ""},
    {PATH_FORWARD, "<a@_b.example>", "a@_b.example", "_b.example", ""},
    /* Quoted local parts. */
    {PATH_FORWARD, "<\"\"@b>", "\"\"@b", "b", ""},
    {PATH_FORWARD, "<\"a b\"@b>", "\"a b\"@b", "b", ""},
    {PATH_FORWARD, "<\"a@b>c\"@d>", "\"a@b>c\"@d", "d", ""},
    {PATH_FORWARD, "<\"a\\\"b\\\\\"@b>", "\"a\\\"b\\\\\"@b", "b", ""},
    {PATH_FORWARD, "<\"a@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<\"a\"b@c>", NULL, NULL, NULL},
    {PATH_FORWARD, "<\"a\\\"@c>", NULL, NULL, NULL},
    {PATH_FORWARD, "<\"a\tb\"@c>", NULL, NULL, NULL},
    {PATH_FORWARD, "<\"a\\", NULL, NULL, NULL},
    /* Dots, and what is no atom. */
    {PATH_FORWARD, "<.a@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a.@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a..b@c>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a b@c>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a,b@c>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@b@c>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a(c)@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a\x01@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a\x7f@b>", NULL, NULL, NULL},
    /* Domains. */
    {PATH_FORWARD, "<a@>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@b.>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@.b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@b..c>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@-b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@b->", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@b-.c>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@b/c>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@" A_63 ".b>", "a@" A_63 ".b", A_63 ".b", ""},
    {PATH_FORWARD, "<a@" A_64 ".b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<" A_64 "@b>", A_64 "@b", "b", ""},
    {PATH_FORWARD, "<a" A_64 "@b>", NULL, NULL, NULL},
    /* 256 octets with brackets, and one more. */
    {PATH_FORWARD, "<" A_60 "@" A_63 "." A_63 "." A_63 ">", A_60 "@" A_63 "." A_63 "." A_63,
     A_63 "." A_63 "." A_63, ""},
    {PATH_FORWARD, "<" A_60 "a@" A_63 "." A_63 "." A_63 ".a>", NULL, NULL, NULL},
    /* Address literals. */
    {PATH_FORWARD, "<a@[192.0.2.1]>", "a@[192.0.2.1]", "[192.0.2.1]", ""},
    {PATH_FORWARD, "<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]", ""},
    {PATH_FORWARD, "<a@[ipv6:::1]>", "a@[ipv6:::1]", "[ipv6:::1]", ""},
    {PATH_FORWARD, "<a@[x25:1234]>", "a@[x25:1234]", "[x25:1234]", ""},
    {PATH_FORWARD, "<a@[192.0.2]>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@[192.0.2.256]>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@[2001:db8::1]>", "a@[2001:db8::1]", "[2001:db8::1]", ""},
    {PATH_FORWARD, "<a@[::1]>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@[IPv6:fe80::1%eth0]>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@[x25:]>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@[x25:1 2]>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@[]>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@[192.0.2.1>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@[192.0.2.1]b>", NULL, NULL, NULL},
    /* Source routes. */
    {PATH_FORWARD, "<@c:a@b>", "a@b", "b", ""},
    {PATH_FORWARD, "<@c,@[192.0.2.1],@d.example:a@b>", "a@b", "b", ""},
    {PATH_FORWARD, "<@c,d:a@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<@c a@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<@c:>", NULL, NULL, NULL},
    {PATH_FORWARD, "<@:a@b>", NULL, NULL, NULL},
    /* Without a domain. */
    {PATH_FORWARD, "<postmaster>", "postmaster", "", ""},
    {PATH_FORWARD, "<PostMaster>", "PostMaster", "", ""},
    {PATH_FORWARD, "<postmaster@b>", "postmaster@b", "b", ""},
    {PATH_FORWARD, "<@c:postmaster>", NULL, NULL, NULL},
    {PATH_FORWARD, "<postmasters>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a>", NULL, NULL, NULL},
    {PATH_FORWARD, "<>", NULL, NULL, NULL},
    {PATH_REVERSE, "<>", "", "", ""},
    {PATH_REVERSE, "<> BODY=7BIT", "", "", " BODY=7BIT"},
    {PATH_REVERSE, "<@c:>", NULL, NULL, NULL},
    {PATH_REVERSE, "<postmaster>", NULL, NULL, NULL},
    {PATH_REVERSE, "<a@b>", "a@b", "b", ""},
    /* Brackets and what stands around them. */
    {PATH_FORWARD, "a@b", NULL, NULL, NULL},
    {PATH_FORWARD, " <a@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "< a@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@b >", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@b", NULL, NULL, NULL},
    {PATH_FORWARD, "<<a@b>>", NULL, NULL, NULL},
    {PATH_FORWARD, "<", NULL, NULL, NULL},
    {PATH_FORWARD, "", NULL, NULL, NULL},
    /* UTF-8: two, three and four octets; too long forms, surrogates, beyond the end, C1, cut. */
    {PATH_FORWARD, "<\xc3\xa4@b>", "\xc3\xa4@b", "b", ""},
    {PATH_FORWARD, "<a@\xe4\xbe\x8b.example>", "a@\xe4\xbe\x8b.example", "\xe4\xbe\x8b.example",
     ""},
    {PATH_FORWARD, "<\"\xf0\x9f\x93\xa7\"@b>", "\"\xf0\x9f\x93\xa7\"@b", "b", ""},
    {PATH_FORWARD, "<\xc0\xaf@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<\xe0\x80\xaf@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<\xed\xa0\x80@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<\xf4\x90\x80\x80@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<\xc2\x9b@b>", NULL, NULL, NULL},
    /* What turns the text around, or is not seen: in the local part, quoted or not, in the domain,
     * in a source route. */
    {PATH_FORWARD, "<a\xe2\x80\xaeknab@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<\"a\xe2\x80\xae\"@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<a@b\xe2\x80\xae>", NULL, NULL, NULL},
    {PATH_FORWARD, "<@c\xe2\x81\xa7:a@b>", NULL, NULL, NULL},
    {PATH_REVERSE, "<a\xe2\x80\x8b@b>", NULL, NULL, NULL},
    {PATH_REVERSE, "<a\xd8\x9c@b>", NULL, NULL, NULL},
    {PATH_REVERSE, "<a\xf3\xa0\x81\x81@b>", NULL, NULL, NULL},
    {PATH_REVERSE, "<a\xef\xbb\xbf@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<\xe4\xbe@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<\xff@b>", NULL, NULL, NULL},
    {PATH_FORWARD, "<\xe4", NULL, NULL, NULL},
};

START_TEST(test_accepts_what_the_grammar_has_and_nothing_else)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct path path;
        const char *rest = path_parse(cases[i].text, cases[i].kind, &path);

        if (!cases[i].mailbox) {
            ck_assert_msg(!rest, "%s was accepted", cases[i].text);
            continue;
        }
        ck_assert_msg(rest != NULL, "%s was refused", cases[i].text);
        ck_assert_str_eq(path.mailbox, cases[i].mailbox);
        ck_assert_str_eq(path_domain(&path), cases[i].domain);
        ck_assert_str_eq(rest, cases[i].rest);
    }
}
END_TEST

START_TEST(test_knows_what_needs_smtputf8)
{
    struct path path;

    ck_assert(path_parse("<a@b>", PATH_FORWARD, &path) && path.is_ascii);
    ck_assert(path_parse("<>", PATH_REVERSE, &path) && path.is_ascii);
    ck_assert(path_parse("<\xc3\xa4@b>", PATH_FORWARD, &path) && !path.is_ascii);
    ck_assert(path_parse("<a@\xc3\xa4>", PATH_FORWARD, &path) && !path.is_ascii);
}
END_TEST

START_TEST(test_domain_stands_alone)
{
    ck_assert(path_is_domain("example.com", false));
    ck_assert(path_is_domain("[192.0.2.1]", false));
    ck_assert(path_is_domain("\xc3\xa4.example", true));
    ck_assert(!path_is_domain("\xc3\xa4.example", false));
    ck_assert(!path_is_domain("example.com.", false));
    ck_assert(!path_is_domain("a b", false));
    ck_assert(!path_is_domain("", true));
}
END_TEST

SUITE("smtp_path", NULL, NULL, test_accepts_what_the_grammar_has_and_nothing_else,
      test_knows_what_needs_smtputf8, test_domain_stands_alone)
