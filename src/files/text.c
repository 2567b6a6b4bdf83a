/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "files/text.h"

#include "base/fd.h"
#include "base/macro.h"
#include "base/str.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *text_read_file(const char *path, size_t size)
{
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    _cleanup_str_ char *text = fd >= 0 ? malloc(size) : NULL;
    size_t length = 0;
    ssize_t n = 0;

    if (!text)
        return NULL;
    while (length < size - 1 && (n = read(fd, text + length, size - 1 - length)) > 0)
        length += (size_t)n;
    if (n < 0)
        return NULL;
    text[length] = '\0';
    return STEAL(text);
}

bool text_has_comment(const char *text)
{
    for (const char *c = text; (c = strpbrk(c, STR_BLANKS)); c++)
        if (c[1] == '!' || c[1] == ';' || c[1] == '#')
            return true;
    return false;
}
