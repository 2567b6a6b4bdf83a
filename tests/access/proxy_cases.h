/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Headers of the PROXY protocol, for the tests of the parser and of the reader. */
#pragma once

#include "base/macro.h"

#include <stddef.h>

struct proxy_case {
    const char *name;
    const char *bytes;
    size_t size;
    const char *peer, *local; /* as address_format() writes them; NULL: the header names none */
    const char *fault;        /* a part of what is wrong; NULL: it is valid */
};

/* The versions of clang-format disagree about a macro in braces. */
/* clang-format off */
#define BYTES(literal)              (literal), sizeof(literal) - 1
#define VALID(name, literal, ...)   {(name), BYTES(literal), __VA_ARGS__, NULL}
#define INVALID(name, literal, why) {(name), BYTES(literal), NULL, NULL, (why)}
/* clang-format on */

#define V2            "\r\n\r\n\0\r\nQUIT\n"
#define V4_ADDRESSES  "\xc0\x00\x02\x01\xc0\x00\x02\x02\x30\x39\x00\x19"
#define IPV6(last)    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0" last
#define MAPPED(last)  "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02" last
#define TEN(text)     text text text text text text text text text text
#define HUNDRED(text) TEN(TEN(text))

static const struct proxy_case proxy_cases[] = {
    VALID("v1 TCP4", "PROXY TCP4 192.0.2.1 192.0.2.2 12345 25\r\n", "192.0.2.1:12345",
          "192.0.2.2:25"),
    VALID("v1 TCP6", "PROXY TCP6 2001:db8::1 2001:DB8::2 65535 0\r\n", "[2001:db8::1]:65535",
          "[2001:db8::2]:0"),
    VALID("v1 TCP6 mapped", "PROXY TCP6 ::ffff:192.0.2.1 ::1 1 25\r\n", "192.0.2.1:1", "[::1]:25"),
    VALID("v1 longest",
          "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
          "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
          "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"),
    VALID("v1 UNKNOWN", "PROXY UNKNOWN\r\n", NULL, NULL),
    VALID("v1 UNKNOWN with words",
          "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
          NULL, NULL),
    VALID("v1 107 bytes", "PROXY UNKNOWN " TEN("xxxxxxxxx") "x\r\n", NULL, NULL),
    VALID("v2 TCP4", V2 "\x21\x11\x00\x0c" V4_ADDRESSES, "192.0.2.1:12345", "192.0.2.2:25"),
    VALID("v2 TCP4 with TLVs", V2 "\x21\x11\x00\x13" V4_ADDRESSES "\x03\x00\x04\xba\xad\xf0\x0d",
          "192.0.2.1:12345", "192.0.2.2:25"),
    VALID("v2 TCP6", V2 "\x21\x21\x00\x24" IPV6("\x01") IPV6("\x02") "\xff\xff\x00\x19",
          "[2001:db8::1]:65535", "[2001:db8::2]:25"),
    VALID("v2 TCP6 mapped", V2 "\x21\x21\x00\x24" MAPPED("\x01") MAPPED("\x02") "\x00\x01\x00\x19",
          "192.0.2.1:1", "192.0.2.2:25"),
    VALID("v2 Unix", V2 "\x21\x31\x00\xd8" HUNDRED("\0") HUNDRED("/") TEN("\0") "\0\0\0\0\0\0",
          "unix", "unix"),
    VALID("v2 LOCAL", V2 "\x20\x00\x00\x00", NULL, NULL),
    VALID("v2 LOCAL with addresses", V2 "\x20\x11\x00\x0c" V4_ADDRESSES, NULL, NULL),
    VALID("v2 LOCAL of any family", V2 "\x20\xff\x00\x02xx", NULL, NULL),
    VALID("v2 unknown", V2 "\x21\x00\x00\x00", NULL, NULL),
    VALID("v2 unknown with TLVs", V2 "\x21\x00\x00\x03\x04\x00\x00", NULL, NULL),
    VALID("v2 1 KiB", V2 "\x21\x00\x03\xe8" TEN(HUNDRED("x")), NULL, NULL),

    INVALID("SMTP", "EHLO client.example\r\n", "does not begin with one"),
    INVALID("TLS", "\x16\x03\x01\x02\x00", "does not begin with one"),
    INVALID("nearly v1", "PROXYTCP4", "does not begin with one"),
    INVALID("lower case", "proxy TCP4 192.0.2.1 192.0.2.2 12345 25\r\n", "does not begin"),
    INVALID("nearly v2", "\r\n\r\n\r\nQUIT\r\n", "does not begin with one"),
    INVALID("v1 without CR", "PROXY TCP4 192.0.2.1 192.0.2.2 12345 25\n", "not end with CRLF"),
    INVALID("v1 empty", "PROXY \r\n", "neither TCP4 nor TCP6"),
    INVALID("v1 nothing", "PROXY \n", "not end with CRLF"),
    INVALID("v1 UDP", "PROXY UDP4 192.0.2.1 192.0.2.2 12345 25\r\n", "neither TCP4 nor TCP6"),
    INVALID("v1 unknown word", "PROXY UNKNOWNS\r\n", "neither TCP4 nor TCP6"),
    INVALID("v1 two spaces", "PROXY TCP4  192.0.2.1 192.0.2.2 12345 25\r\n", "two addresses"),
    INVALID("v1 space at the end", "PROXY TCP4 192.0.2.1 192.0.2.2 12345 25 \r\n", "single spaces"),
    INVALID("v1 tab", "PROXY TCP4 192.0.2.1\t192.0.2.2 12345 25\r\n", "two addresses"),
    INVALID("v1 few", "PROXY TCP4 192.0.2.1 192.0.2.2 12345\r\n", "two addresses"),
    INVALID("v1 other family", "PROXY TCP6 192.0.2.1 192.0.2.2 12345 25\r\n", "an address"),
    INVALID("v1 other family too", "PROXY TCP4 2001:db8::1 2001:db8::2 12345 25\r\n", "an address"),
    INVALID("v1 leading zero", "PROXY TCP4 192.0.2.01 192.0.2.2 12345 25\r\n", "an address"),
    INVALID("v1 brackets", "PROXY TCP6 [::1] [::1] 12345 25\r\n", "an address"),
    INVALID("v1 scope", "PROXY TCP6 fe80::1%lo fe80::1%lo 12345 25\r\n", "an address"),
    INVALID("v1 large port", "PROXY TCP4 192.0.2.1 192.0.2.2 65536 25\r\n", "a port"),
    INVALID("v1 port with zero", "PROXY TCP4 192.0.2.1 192.0.2.2 012345 25\r\n", "a port"),
    INVALID("v1 port 00", "PROXY TCP4 192.0.2.1 192.0.2.2 1 00\r\n", "a port"),
    INVALID("v1 negative port", "PROXY TCP4 192.0.2.1 192.0.2.2 -1 25\r\n", "a port"),
    INVALID("v1 CR in the line", "PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\r\n", "a port"),
    INVALID("v1 NUL", "PROXY TCP4 192.0.2.1 192.0.2.2 1 25\0\r\n", "contains a NUL byte"),
    INVALID("v1 108 bytes", "PROXY UNKNOWN " TEN("xxxxxxxxx") "xx\r\n", "longer than 107"),
    INVALID("v1 endless", "PROXY UNKNOWN " HUNDRED("x"), "longer than 107"),
    INVALID("v2 version 1", V2 "\x11\x11\x00\x0c" V4_ADDRESSES, "version is neither"),
    INVALID("v2 version 3", V2 "\x31", "version is neither"),
    INVALID("v2 command", V2 "\x22\x11\x00\x0c" V4_ADDRESSES, "command is neither"),
    INVALID("v2 UDP", V2 "\x21\x12\x00\x0c" V4_ADDRESSES, "for neither TCP nor a Unix stream"),
    INVALID("v2 half a family", V2 "\x21\x10\x00\x0c" V4_ADDRESSES, "for neither TCP nor"),
    INVALID("v2 family", V2 "\x21\x41", "for neither TCP nor"),
    INVALID("v2 short", V2 "\x21\x11\x00\x0b" V4_ADDRESSES, "too short for its addresses"),
    INVALID("v2 short IPv6", V2 "\x21\x21\x00\x0c" V4_ADDRESSES, "too short for its addresses"),
    INVALID("v2 huge", V2 "\x21\x11\xff\xff" V4_ADDRESSES, "longer than 2048 bytes"),
    INVALID("v2 huge LOCAL", V2 "\x20\x00\x07\xf1", "longer than 2048 bytes"),
};

#define N_PROXY_CASES ELEMENTSOF(proxy_cases)
