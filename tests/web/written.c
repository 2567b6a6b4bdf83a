/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "web/written.h"

#include "base/macro.h"

static FILE *stream;
static char *text;
static size_t length;

FILE *written_begin(void)
{
    stream = open_memstream(&text, &length);
    return stream;
}

char *written_end(void)
{
    fclose(stream);
    return STEAL(text);
}
