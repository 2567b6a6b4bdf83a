/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/event_source.h"

#include "base/time.h"

#include <sys/epoll.h>

void event_source_off(sd_event_source *source)
{
    (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

void event_source_defer(sd_event_source *source)
{
    (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void event_source_await_input(sd_event_source *source)
{
    (void)sd_event_source_set_io_events(source, EPOLLIN);
}

void event_loop_exit(sd_event *event, int code)
{
    (void)sd_event_exit(event, code);
}

int event_loop_exit_code(sd_event *event)
{
    int code = 0;

    (void)sd_event_get_exit_code(event, &code);
    return code;
}

uint64_t event_loop_now(sd_event *event)
{
    uint64_t now;

    return sd_event_now(event, CLOCK_MONOTONIC, &now) < 0 ? time_now_usec(CLOCK_MONOTONIC) : now;
}
