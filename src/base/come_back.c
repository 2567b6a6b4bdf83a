/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/come_back.h"

#include "base/macro.h"

#include <stddef.h>

#define BUSY         "too busy, come back later\r\n"
#define FROM_ADDRESS "too many connections from your address\r\n"
#define FROM_NETWORK "too many connections from your network\r\n"

static const char *const texts[COME_BACK_N_PROTOCOLS][COME_BACK_N_CAUSES] = {
    [COME_BACK_UNKNOWN] = {"", "", ""},
    /* RFC 5321, 3.8 and 4.2.5; RFC 3463: a temporary failure of the system, and of the network. */
    [COME_BACK_SMTP] = {("421 4.3.2 " BUSY), ("421 4.7.0 " FROM_ADDRESS),
                        ("421 4.7.0 " FROM_NETWORK)},
    /* RFC 3206: not a wrong password, and temporary. */
    [COME_BACK_POP3] = {("-ERR [SYS/TEMP] " BUSY), ("-ERR [SYS/TEMP] " FROM_ADDRESS),
                        ("-ERR [SYS/TEMP] " FROM_NETWORK)},
    /* RFC 5530 */
    [COME_BACK_IMAP] = {("* BYE [UNAVAILABLE] " BUSY), ("* BYE [UNAVAILABLE] " FROM_ADDRESS),
                        ("* BYE [UNAVAILABLE] " FROM_NETWORK)},
    /* RFC 3977, 5.1.1: temporarily unavailable. */
    [COME_BACK_NNTP] = {("400 " BUSY), ("400 " FROM_ADDRESS), ("400 " FROM_NETWORK)},
    /* RFC 959, 5.4 */
    [COME_BACK_FTP] = {("421 " BUSY), ("421 " FROM_ADDRESS), ("421 " FROM_NETWORK)},
};

enum come_back_protocol come_back_protocol_of_port(uint16_t port)
{
    static const struct {
        uint16_t port;
        enum come_back_protocol protocol;
    } known[] = {
        {21, COME_BACK_FTP},   {24, COME_BACK_SMTP},  {25, COME_BACK_SMTP},  {110, COME_BACK_POP3},
        {119, COME_BACK_NNTP}, {143, COME_BACK_IMAP}, {433, COME_BACK_NNTP}, {587, COME_BACK_SMTP},
    };

    for (size_t i = 0; i < ELEMENTSOF(known); i++)
        if (known[i].port == port)
            return known[i].protocol;
    return COME_BACK_UNKNOWN;
}

const char *come_back_text(enum come_back_protocol protocol, enum come_back_cause cause)
{
    return texts[protocol][cause];
}
