/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A socket on which a service's connections arrive, for the modules that look at it; listener.h has
 * the operations. */
#pragma once

#include "base/address.h"
#include "base/timer.h"
#include "pool/pace.h"

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct service;

struct listener {
    struct service *service;
    int fd; /* owned */
    bool is_tls;
    bool is_inherited; /* from the service manager, which also has it open */
    bool
        may_have_more; /* the kernel has reported a connection, or `pace` says that one is likely */
    bool is_paused;    /* for lack of descriptors or memory */
    struct address address; /* AF_UNIX without its path */
    struct pace pace;
    sd_event_source *source;
    struct timer pause; /* until accepting is tried again */
    /* kernel_queue.h; CLOCK_MONOTONIC, in microseconds */
    uint64_t waiting_since; /* when clients were found in the kernel's queue; 0: there are none */
    uint64_t stuck_since; /* likewise, if none was accepted since; 0: one was, or there are none */
};
