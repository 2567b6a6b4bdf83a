/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The link, for the files that carry it out: link.c has the connection, link_reply.c what is read
 * from it. */
#pragma once

#include "base/address.h"
#include "base/timer.h"
#include "dispatcherd/fleet/breaker.h"
#include "dispatcherd/fleet/link.h"
#include "dispatcherd/fleet/reply.h"
#include "dispatcherd/fleet/request.h"
#include "dispatcherd/sockets/fleet_address.h"

#include <stdbool.h>

/* A digest in hexadecimal digits, with its NUL. */
#define SHA_MAX 41

enum link_state {
    LINK_DOWN,
    LINK_CONNECTING,
    LINK_GREETING,
    LINK_UP
};

struct fleet_link {
    sd_event *event;
    struct str_list stores;
    struct fleet_address **names; /* of each that has a name; owned; NULL: none has */
    uint64_t named_at;            /* since when an address for the name is awaited; 0: none is */
    char used[ADDRESS_TEXT_MAX];  /* the address of the name in use; "": it has none */
    struct timer name_timer;      /* looks whether that has changed */
    char *name;
    struct fleet_link_callbacks callbacks;
    enum link_state state;
    uint64_t since;               /* it is up, or not */
    uint64_t attempt_at;          /* when the last attempt began, or its connection was made */
    size_t store;                 /* index of the address */
    size_t n_tried;               /* addresses in a row that failed */
    char moved[ADDRESS_TEXT_MAX]; /* where MOVED leads; "": it does not */
    bool is_redirected;           /* since the last answer */
    char shown[FLEET_REASON_MAX]; /* the address in use */
    char reason[FLEET_REASON_MAX];
    char sha[SHA_MAX];
    char epoch[FLEET_EPOCH_MAX];
    int fd;
    sd_event_source *source;
    bool awaits_output;
    unsigned n_greetings; /* replies that are awaited in greeting */
    struct timer timer;   /* a deadline, or the next attempt */
    struct breaker breaker;
    struct fleet_reader *reader;
    struct fleet_output output;
    struct fleet_answer answer;
    struct fleet_link_figures figures;
};

/* Ends the connection for this reason, and plans the next attempt. */
void fleet_link_fail(struct fleet_link *link, const char *format, ...) _printf_(2, 3);

/* Connects anew at once, to `store`, which may be link->moved. The first answer must come before
 * that is done again. Returns false if it is not done. */
bool fleet_link_redirect(struct fleet_link *link, const char *store);

/* The store has taken the script. */
void fleet_link_set_up(struct fleet_link *link);

/* Sets the timer to the deadline of what is awaited now. */
void fleet_link_set_deadline(struct fleet_link *link);

/* Takes in what has been received, as far as it is whole replies. May end the connection. */
void fleet_link_read(struct fleet_link *link);
