/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dns/cares.h"

#include "base/macro.h"

#include <stdlib.h>

#define RECEIVE_BUF_SIZE (256 * 1024)

/* A question and its callback; owned by c-ares until that is called. */
struct asking {
    cares_callback callback;
    void *userdata;
};

static int count_servers(const char *servers)
{
    int n = 1;

    for (; *servers; servers++)
        n += *servers == ',';
    return n;
}

#if CARES_ADAPTS_WAITS

/* The shortest wait of c-ares (ares_metrics.c). */
#define LEAST_WAIT_MSEC 250

/* A name server that answers most questions at once makes c-ares wait only 250 ms for the next
 * answer, which may come from a slow list. That is no reason to call the list silent, so there are
 * enough tries to fill the limit in this case too. Each wait is twice as long as the one before it,
 * or down to half of that. */
static int tries_for(int n_servers)
{
    int n_tries = 0, sum_msec = 0;

    while (sum_msec < CARES_LIMIT_MSEC) {
        int wait_msec = LEAST_WAIT_MSEC;

        if (n_tries > 1)
            wait_msec = (LEAST_WAIT_MSEC << n_tries) / 2;
        if (wait_msec > CARES_FIRST_WAIT_MSEC / 2)
            wait_msec = CARES_FIRST_WAIT_MSEC / 2;
        sum_msec += n_servers * wait_msec;
        n_tries++;
    }
    return n_tries;
}

#else

/* The second wait is twice as long as the first. */
static int tries_for(_unused_ int n_servers)
{
    return 2;
}

#endif

static int set_newer_options(_unused_ struct ares_options *options)
{
    int which = 0;

    /* Exists from 1.31 on, and is on by default. */
#ifdef ARES_OPT_QUERY_CACHE
    options->qcache_max_ttl = 0;
    which |= ARES_OPT_QUERY_CACHE;
#endif
#if CARES_ADAPTS_WAITS
    options->maxtimeout = CARES_FIRST_WAIT_MSEC;
    which |= ARES_OPT_MAXTIMEOUTMS;
#endif
    return which;
}

int cares_open(const char *servers, ares_sock_state_cb on_socket, void *userdata, ares_channel *ret)
{
    int n_servers = count_servers(servers);
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
        .timeout = CARES_FIRST_WAIT_MSEC,
        .tries = tries_for(n_servers),
        .socket_receive_buffer_size = RECEIVE_BUF_SIZE,
        .lookups = (char *)"b",
        .resolvconf_path = (char *)"/dev/null",
        .sock_state_cb = on_socket,
        .sock_state_cb_data = userdata,
    };
    int which = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_RCVBUF |
                ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB;
    ares_channel channel;

    /* With a single server, its failure is the answer: newer releases would repeat the question at
     * once, several times. */
    if (n_servers == 1)
        options.flags |= ARES_FLAG_NOCHECKRESP;
    which |= set_newer_options(&options);
    int status = ares_init_options(&channel, &options, which);
    if (status != ARES_SUCCESS)
        return status;
    status = ares_set_servers_ports_csv(channel, servers);
    if (status != ARES_SUCCESS) {
        ares_destroy(channel);
        return status;
    }
    *ret = channel;
    return ARES_SUCCESS;
}

/* ares_query() is deprecated from 1.28 on. */
#if ARES_VERSION >= 0x011c00

static void on_record(void *userdata, ares_status_t status, _unused_ size_t timeouts,
                      const ares_dns_record_t *record)
{
    struct asking *asking = userdata;
    unsigned char *bytes = NULL;
    size_t size = 0;

    if (record && ares_dns_write(record, &bytes, &size) != ARES_SUCCESS)
        status = ARES_EBADRESP;
    asking->callback(asking->userdata, (int)status, bytes, size);
    ares_free_string(bytes);
    free(asking);
}

static void query(ares_channel channel, const char *name, enum dns_type type, struct asking *asking)
{
    (void)ares_query_dnsrec(channel, name, ARES_CLASS_IN, (ares_dns_rec_type_t)type, on_record,
                            asking, NULL);
}

#else

static void on_message(void *userdata, int status, _unused_ int timeouts, unsigned char *bytes,
                       int size)
{
    struct asking *asking = userdata;

    asking->callback(asking->userdata, status, bytes, size > 0 ? (size_t)size : 0);
    free(asking);
}

static void query(ares_channel channel, const char *name, enum dns_type type, struct asking *asking)
{
    ares_query(channel, name, 1 /* class IN */, (int)type, on_message, asking);
}

#endif

void cares_ask(ares_channel channel, const char *name, enum dns_type type, cares_callback callback,
               void *userdata)
{
    struct asking *asking = malloc(sizeof(*asking));

    if (!asking) {
        callback(userdata, ARES_ENOMEM, NULL, 0);
        return;
    }
    *asking = (struct asking){.callback = callback, .userdata = userdata};
    query(channel, name, type, asking);
}
