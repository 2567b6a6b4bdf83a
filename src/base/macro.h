/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Macros that are used everywhere. */
#pragma once

#include <stddef.h>

#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))

#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* Calls the function with the variable's address when the variable goes out of scope. */
#define _cleanup_(function) __attribute__((cleanup(function)))

#define _printf_(format_index, first_argument)                                                     \
    __attribute__((format(printf, format_index, first_argument)))

/* Passes the pointer on: its variable is NULL afterwards, so that no cleanup frees what now has
 * another owner. */
#define STEAL(pointer)                                                                             \
    __extension__({                                                                                \
        __typeof__(pointer) stolen_ = (pointer);                                                   \
        (pointer) = NULL;                                                                          \
        stolen_;                                                                                   \
    })

/* A parameter that a callback must have, and that this one does not need. */
#define _unused_ __attribute__((unused))
