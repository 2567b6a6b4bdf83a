/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "access/address_limit.h"

START_TEST(test_speaks_the_protocol_of_the_port)
{
    ck_assert_str_eq(address_limit_rejection(25, false),
                     "421 4.7.0 too many connections from your address\r\n");
    ck_assert_str_eq(address_limit_rejection(587, false), address_limit_rejection(25, false));
    ck_assert_str_eq(address_limit_rejection(110, false),
                     "-ERR [SYS/TEMP] too many connections from your address\r\n");
    ck_assert_str_eq(address_limit_rejection(143, false),
                     "* BYE [UNAVAILABLE] too many connections from your address\r\n");
    /* TLS comes first there; the client of HTTP speaks first; nothing is known of 2525. */
    ck_assert_str_eq(address_limit_rejection(25, true),
                     "421 4.7.0 too many connections from your network\r\n");
    ck_assert_str_eq(address_limit_rejection(465, false), "");
    ck_assert_str_eq(address_limit_rejection(80, false), "");
    ck_assert_str_eq(address_limit_rejection(2525, false), "");
}
END_TEST

SUITE("address_limit", NULL, NULL, test_speaks_the_protocol_of_the_port)
