/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The handler as a program of its own, for whoever runs one for each connection. */
#include "bench/handler.h"

#include <unistd.h>

int main(void)
{
    handler_serve(STDIN_FILENO);
    return 0;
}
