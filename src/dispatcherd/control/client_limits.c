/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control/client_limits.h"

#include "dispatcherd/control/peer.h"

enum kind {
    KIND_TRUSTED,
    KIND_PAGE,
    KIND_STRANGER,
};

static enum kind kind_of(const struct control_caller *caller)
{
    if (caller->is_trusted)
        return KIND_TRUSTED;
    return caller->is_page ? KIND_PAGE : KIND_STRANGER;
}

static unsigned limit_of(enum kind kind)
{
    static const unsigned limits[] = {
        [KIND_TRUSTED] = CLIENT_LIMIT_TRUSTED,
        [KIND_PAGE] = CLIENT_LIMIT_PAGE,
        [KIND_STRANGER] = CLIENT_LIMIT_STRANGERS,
    };

    return limits[kind];
}

static bool gives_way_before(const struct control_client *a, bool a_is_idle,
                             const struct control_client *b, bool b_is_idle)
{
    if (a_is_idle != b_is_idle)
        return a_is_idle;
    return a_is_idle ? a->moved_at < b->moved_at : a->n_answered > b->n_answered;
}

/* The client of the caller's kind that is to give way; only one of the same user if `of_user`. */
static struct control_client *find_victim(const struct control_client_list *clients,
                                          const struct control_caller *caller, bool of_user)
{
    enum kind kind = kind_of(caller);
    struct control_client *client, *found = NULL;
    bool found_is_idle = false;

    TAILQ_FOREACH(client, clients, link) {
        if (kind_of(&client->caller) != kind || (of_user && client->caller.uid != caller->uid))
            continue;
        bool is_idle = control_client_is_idle(client);
        if (kind == KIND_TRUSTED && !is_idle)
            continue;
        if (found && !gives_way_before(client, is_idle, found, found_is_idle))
            continue;
        found = client;
        found_is_idle = is_idle;
    }
    return found;
}

bool client_limits_find_room(const struct control_client_list *clients,
                             const struct control_caller *caller,
                             struct control_client **ret_victim)
{
    enum kind kind = kind_of(caller);
    const struct control_client *client;
    unsigned n = 0, n_of_user = 0;

    TAILQ_FOREACH(client, clients, link) {
        if (kind_of(&client->caller) != kind)
            continue;
        n++;
        n_of_user += client->caller.uid == caller->uid;
    }
    bool of_user = kind == KIND_STRANGER && caller->uid != CONTROL_OVERFLOW_ID &&
                   n_of_user >= CLIENT_LIMIT_A_STRANGER;
    bool is_full = of_user || n >= limit_of(kind);
    *ret_victim = is_full ? find_victim(clients, caller, of_user) : NULL;
    return !is_full || *ret_victim;
}
