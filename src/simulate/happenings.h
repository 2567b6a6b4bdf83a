/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is going to happen in simulated time: a heap, the next one on top. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum happening_kind {
    HAPPENING_CHECKED,        /* a connection has passed the checks */
    HAPPENING_PATIENCE_ENDED, /* of the client of a connection */
    HAPPENING_SESSION_ENDED,  /* of a connection, in the worker of a slot */
    HAPPENING_READY,          /* the worker of a slot */
    HAPPENING_EXITED,         /* likewise */
};

struct happening {
    uint64_t at;
    uint64_t number; /* of two at one time the one that was added first comes first */
    enum happening_kind kind;
    uint16_t slot;
    uint32_t connection; /* its index */
};

/* All zero is empty. */
struct happenings {
    struct happening *items; /* n_items of them, owned */
    size_t n_items;
    size_t n_room;
    uint64_t n_added;
};

/* Sets the number by itself. Returns 0 or -ENOMEM. */
int happenings_add(struct happenings *happenings, struct happening happening);

/* The next one, which stays; NULL if there is none. */
const struct happening *happenings_first(const struct happenings *happenings);

/* Removes the next one. There must be one. */
struct happening happenings_take(struct happenings *happenings);

void happenings_clear(struct happenings *happenings);
