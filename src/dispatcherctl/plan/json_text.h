/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* JSON text of bytes that need not be UTF-8. */
#pragma once

#include <jansson.h>

/* If the text is not UTF-8, each byte that is not ASCII becomes "?". NULL becomes null. Returns
 * NULL when out of memory. */
json_t *json_text(const char *text);
