/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The one table of all options. The parser, --check, --print-config, the manual page and the tests
 * take what they know of an option from here. */
#pragma once

#include "config/option.h"

/* An option of the original that has no effect here. */
struct ignored_option {
    const char *name;
    const char *advice; /* what to use instead */
    bool is_quiet_at_0; /* 0 switched it off there, which needs no warning here */
};

/* Indexed by enum option_id. */
extern const struct option option_table[N_OPTIONS];

extern const struct ignored_option ignored_option_table[];
extern const size_t n_ignored_options;

/* Each finds by name or alias, without regard to case. Returns NULL if there is none. */
const struct option *option_find(const char *name);
const struct ignored_option *ignored_option_find(const char *name);

/* The known name that `name` most likely is a misspelling of; NULL if none is near. */
const char *option_nearest_name(const char *name);

enum option_id option_id(const struct option *option);

/* The option's place in a service. */
void *option_place(const struct option *option, struct service_options *service);
const void *option_place_const(const struct option *option, const struct service_options *service);

/* Copies the option's value from one service to another. Returns 0; or -ENOMEM, with the option
 * empty. */
int option_copy(const struct option *option, const struct service_options *from,
                struct service_options *to);

/* Sets the option to its default, freeing what was there. */
void option_set_default(const struct option *option, struct service_options *service);

/* Frees all that the service owns; it is all zero afterwards. */
void service_options_clear(struct service_options *service);

/* The option's default as text: "10", "none". Returns `text`. */
#define OPTION_DEFAULT_TEXT_MAX 64
const char *option_default_text(const struct option *option, char text[OPTION_DEFAULT_TEXT_MAX]);
