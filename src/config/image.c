/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "config/image.h"

#include "base/macro.h"

#include <stddef.h>
#include <string.h>

static const char *const delivered[] = {"inetd", "pass", "proxy", "tcp_smtp_server"};

const char *image_name(const char *image)
{
    const char *slash = strrchr(image, '/');

    return slash ? slash + 1 : image;
}

static bool is_named(const char *image, const char *const names[], size_t n_names)
{
    for (size_t i = 0; i < n_names; i++)
        if (strcmp(image_name(image), names[i]) == 0)
            return true;
    return false;
}

bool image_checks_parameters(const char *image)
{
    return is_named(image, delivered, ELEMENTSOF(delivered));
}

bool image_runs_programs(const char *image)
{
    return image && strcmp(image_name(image), "inetd") == 0;
}
