/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Queries name servers, by c-ares on an event loop. */
#pragma once

#include "dns/dns_answer.h"

#include <stdint.h>
#include <systemd/sd-event.h>

struct dns_client;

/* Called when a query ends. `error`: 0 with `fact`, which is valid until the callback returns;
 * -ETIMEDOUT if no server answered; -ECANCELED from dns_client_free(); or another negative errno.
 * The callback may start new queries; it must not free the client. */
typedef void (*dns_client_callback)(void *userdata, int error, const struct dns_fact *fact);

/* `servers`: addresses with commas between them, each with its port unless that is 53
 * ("127.0.0.1:5353"). `event` is kept referenced. Returns 0 with *ret, -EINVAL if `servers` is
 * invalid, or another negative errno. */
int dns_client_new(sd_event *event, const char *servers, struct dns_client **ret);

/* Ends every query by its callback. NULL does nothing. */
void dns_client_free(struct dns_client *client);

/* Queries the records of a full name. The callback is called once, perhaps before the function
 * returns. A server that does not answer is asked again, and then the next one, for at least
 * DNS_CLIENT_LIMIT_USEC; with three servers that may take up to 20 s. */
void dns_client_ask(struct dns_client *client, const char *name, enum dns_type type,
                    dns_client_callback callback, void *userdata);

#define DNS_CLIENT_LIMIT_USEC UINT64_C(4500000)
