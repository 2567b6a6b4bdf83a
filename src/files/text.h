/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The texts of files and their lines. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Reads a file of the system or our own, such as one in /proc: its first size - 1 bytes, and a NUL.
 * To be freed; NULL with errno if it cannot be read. (What an administrator wrote needs more care:
 * base/text_file.h.) */
char *text_read_file(const char *path, size_t size);

/* True if a part of the text looks like a comment, as in "25 ! smtp". There are no comments within
 * a line (dispatcher.cnf(5)), so errors about such a text mention that. */
bool text_has_comment(const char *text);
