/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Rings of sessions: an empty one leads to itself. */
#pragma once

#include "workers/proxy/session.h"

static inline void link_init(struct session_link *ring)
{
    ring->prev = ring->next = ring;
}

/* At the end. */
static inline void link_add(struct session_link *ring, struct session_link *link)
{
    link->prev = ring->prev;
    link->next = ring;
    ring->prev->next = link;
    ring->prev = link;
}

static inline void link_remove(struct session_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
}
