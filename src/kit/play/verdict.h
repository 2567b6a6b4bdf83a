/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How a scene ends. It runs in a process of its own, which each of these functions exits; the
 * caller of the scene reads the verdict from a pipe. */
#pragma once

#include "base/macro.h"
#include "kit/play/rules.h"

enum {
    VERDICT_TEXT_MAX = 1024 /* bytes; less than PIPE_BUF, so that it is written in one piece */
};

enum verdict_kind {
    VERDICT_NONE, /* the scene's process ended without one */
    VERDICT_KEPT,
    VERDICT_BROKEN,
    VERDICT_SKIPPED /* the rule does not apply to this worker, or could not be tried */
};

struct verdict {
    enum verdict_kind kind;
    enum rule_id rule; /* VERDICT_BROKEN: the broken rule, whatever the scene was for */
    char text[VERDICT_TEXT_MAX];
};

/* `fd` is the writing end of the pipe. */
void verdict_open(int fd);

_Noreturn void verdict_kept(void);
_Noreturn void verdict_broken(enum rule_id rule, const char *format, ...) _printf_(2, 3);
_Noreturn void verdict_skipped(const char *format, ...) _printf_(1, 2);

/* The kit itself has failed, with errno: the rule counts as not tried. */
_Noreturn void verdict_failed(const char *what);

#define MUST(rule, condition, ...)                                                                 \
    do {                                                                                           \
        if (!(condition))                                                                          \
            verdict_broken(rule, __VA_ARGS__);                                                     \
    } while (0)

/* For the kit's own system calls: a negative result is a failure of the kit. */
#define CHECK_CALL(call)                                                                           \
    do {                                                                                           \
        if ((call) < 0)                                                                            \
            verdict_failed(#call);                                                                 \
    } while (0)
