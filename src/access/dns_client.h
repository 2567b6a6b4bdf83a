/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Asks the name servers, by c-ares on an event loop. */
#pragma once

#include "access/dns_answer.h"

#include <stdint.h>
#include <systemd/sd-event.h>

struct dns_client;

/* The end of one question. `error`: 0 with `fact`, which lives until the callback returns;
 * -ETIMEDOUT if no server answered; -ECANCELED from dns_client_free(); else another negative
 * errno. May ask anew; must not free the client. */
typedef void (*dns_client_callback)(void *userdata, int error, const struct dns_fact *fact);

/* `servers`: addresses with commas between them, each with its port if that is not 53
 * ("127.0.0.1:5353"). `event` is kept referenced. Returns 0 with *ret,
 * -EINVAL for servers that cannot be read, or another negative errno. */
int dns_client_new(sd_event *event, const char *servers, struct dns_client **ret);

/* Ends every question, each with its callback. NULL does nothing. */
void dns_client_free(struct dns_client *client);

/* Asks for the records of a full name. There is one callback, and it may come before the function
 * returns. A server that does not answer is asked again, and then the next, for so long as
 * DNS_CLIENT_LIMIT_USEC at least; with three of them it may be 20 s until that is given up. */
void dns_client_ask(struct dns_client *client, const char *name, enum dns_type type,
                    dns_client_callback callback, void *userdata);

#define DNS_CLIENT_LIMIT_USEC UINT64_C(4500000)
