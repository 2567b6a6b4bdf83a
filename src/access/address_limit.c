/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/address_limit.h"

#include "base/come_back.h"

const char *address_limit_rejection(uint16_t port, bool is_network)
{
    return come_back_text(come_back_protocol_of_port(port),
                          is_network ? COME_BACK_FROM_NETWORK : COME_BACK_FROM_ADDRESS);
}
