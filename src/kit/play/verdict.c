/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "kit/play/verdict.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int verdict_fd = -1;

void verdict_open(int fd)
{
    verdict_fd = fd;
}

_Noreturn static void verdict_write(const struct verdict *verdict)
{
    (void)!write(verdict_fd, verdict, sizeof(*verdict));
    _exit(0);
}

void verdict_kept(void)
{
    verdict_write(&(struct verdict){.kind = VERDICT_KEPT});
}

void verdict_broken(enum rule_id rule, const char *format, ...)
{
    struct verdict verdict = {.kind = VERDICT_BROKEN, .rule = rule};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(verdict.text, sizeof(verdict.text), format, arguments);
    va_end(arguments);
    verdict_write(&verdict);
}

void verdict_skipped(const char *format, ...)
{
    struct verdict verdict = {.kind = VERDICT_SKIPPED};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(verdict.text, sizeof(verdict.text), format, arguments);
    va_end(arguments);
    verdict_write(&verdict);
}

void verdict_failed(const char *what)
{
    verdict_skipped("the kit could not do its part: %s: %s", what, strerror(errno));
}
