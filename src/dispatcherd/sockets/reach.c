/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/sockets/reach.h"

#include "config/options.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/sockets/listening_socket.h"

#include <string.h>

static void reach_remedy(const struct service_options *options, const struct listener *listener,
                         struct str_buffer *text)
{
    if (listener->is_inherited)
        str_buffer_add(text, "systemctl restart dispatcherd.service dispatcherd-%s%s.socket",
                       options->unit_name, listener->is_tls ? "-tls" : "");
    else
        str_buffer_add(text, "dispatcherctl reload");
}

void reach_lost(struct reach *reach, const struct service_options *options,
                const struct listener *listener, int error)
{
    const struct subject subject = {.service = options->name, .message_id = MESSAGE_ID_SOCKET_LOST};
    char address[ADDRESS_TEXT_MAX], words[128];
    struct str_buffer remedy = str_buffer_init(words, sizeof(words));

    reach->n_lost++;
    reach->lost = listener->address;
    reach_remedy(options, listener, &remedy);
    report(LOG_ERR, &subject,
           "the socket at %s no longer listens (%s): another program has shut it down, "
           "as \"ss -K\" does; its clients are refused; to listen again: %s",
           address_format(&listener->address, address), strerror(error), words);
}

void reach_restored(struct reach *reach)
{
    *reach = (struct reach){0};
}

uint64_t reach_n_missing(const struct reach *reach, size_t n_listeners)
{
    if (n_listeners == 0 && reach->n_lost == 0)
        return 1;
    return reach->n_lost;
}

void reach_describe(const struct reach *reach, size_t n_listeners, struct str_buffer *text)
{
    char address[ADDRESS_TEXT_MAX];

    if (n_listeners == 0)
        str_buffer_add(text, "has no socket: nobody can reach it");
    else
        str_buffer_add(text, "no longer listens at %s: nobody can reach it there",
                       address_format(&reach->lost, address));
}

const char *reach_accepts(size_t n_listeners, enum accept_verdict verdict)
{
    if (n_listeners == 0 && verdict != ACCEPT_STOPPING)
        return "no socket";
    return accept_verdict_to_string(verdict);
}
