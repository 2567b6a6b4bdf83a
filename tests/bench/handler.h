/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The session that both servers of the benchmark serve: a greeting, whatever the client says up to
 * QUIT, a farewell. */
#pragma once

#define GREETING "220 bench ESMTP\r\n"
#define FAREWELL "221 bye\r\n"
#define QUIT     "QUIT\r\n"

/* Serves a connection in blocking mode to its end; closing it is the caller's. */
void handler_serve(int fd);
