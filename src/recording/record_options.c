/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "recording/record_options.h"

static uint16_t cut(unsigned value)
{
    return value < UINT16_MAX ? (uint16_t)value : UINT16_MAX;
}

struct record_options record_options_of(const struct service_options *options)
{
    return (struct record_options){
        .min_procs = cut(options->min_procs),
        .max_procs = cut(options->max_procs),
        .min_conns = cut(options->min_conns),
        .max_conns = cut(options->max_conns),
        .max_handoffs = cut(options->max_handoffs),
        .max_shutdown = cut(options->max_shutdown),
        .max_life_sec = options->max_life_time_sec,
        .max_life_conns = options->max_life_conns,
        .max_idle_sec = options->max_idle_time_sec,
        .max_per_address = options->max_conns_per_address,
        .max_per_network = options->max_conns_per_network,
    };
}
