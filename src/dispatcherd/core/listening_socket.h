/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A socket on which a service's connections arrive, as the modules that look at it see it; what is
 * done with it is in listener.h. */
#pragma once

#include "base/address.h"
#include "base/timer.h"
#include "dispatcherd/core/pace.h"

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct service;

struct listener {
    struct service *service;
    int fd; /* owned */
    bool is_tls;
    bool is_inherited;      /* from the service manager, which listens on without us */
    bool may_have_more;     /* the kernel has told of a connection, or our pace says to ask */
    bool is_paused;         /* for lack of descriptors or memory */
    struct address address; /* AF_UNIX without its path */
    struct pace pace;
    sd_event_source *source;
    struct timer pause; /* until it accepts again */
    uint64_t
        waiting_since; /* core/kernel_queue.h: clients were found in the kernel's queue; 0: none */
    uint64_t stuck_since; /* likewise, and none was accepted since; 0: none, or one was */
};
