/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* DNS lists and the name server that they ask, for a test. */
#pragma once

#include "base/time.h"
#include "dns/dns_lists.h"
#include "dns/dns_server.h"

/* Short, so that tests of silence are: and long enough for a loop with much to do. */
#define LIMIT_USEC USEC_PER_SEC
#define LONG_USEC  (3600 * USEC_PER_SEC)

#define ZONES(...) ((const char *const[]){__VA_ARGS__, NULL})

struct dns_scene {
    sd_event *event;
    struct dns_server server;
    struct dns_lists *lists;
    struct dns_account *account; /* of those who ask */
    unsigned n_ill, n_well;      /* lists that were set aside, and taken back */
    char last_health[256];
};

/* The one of the test that runs. */
extern struct dns_scene scene;

/* What came of one asking. */
struct scene_result {
    bool is_done;
    struct dns_request *request;
    struct dns_lists_answer answer;
    char text[DNS_TEXT_MAX + 1];
    struct dns_request *to_cancel; /* from the callback */
};

void dns_scene_setup(void);
void dns_scene_teardown(void);

/* Opens scene.lists with the limit LIMIT_USEC, and tests of lists that do not come again. */
void dns_scene_open_lists(const char *servers);

/* Asks without waiting; `zones` end with NULL. Returns true where the answer was known at once. */
bool dns_scene_start(struct scene_result *result, const char *client, const char *const zones[],
                     bool want_text);

/* Asks and waits. */
enum dns_lists_outcome dns_scene_ask(const char *client, const char *const zones[]);

struct dns_zone_figures dns_scene_figures(const char *zone);
