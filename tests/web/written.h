/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a function writes to a stream, as a text. One at a time. */
#pragma once

#include <stdio.h>

FILE *written_begin(void);

/* Closes the stream. Returns the text, the caller's to free. */
char *written_end(void);
