/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Who is let in at the control socket, and who has to give way. There are three kinds of
 * clients, which do not take room from each other: trusted ones, the status page, and all others.
 */
#pragma once

#include "dispatcherd/control/client.h"

/* An administrator has one or two connections, monitoring a few, and each worker that ends has one
 * for a moment. */
#define CLIENT_LIMIT_TRUSTED 64

/* One, and a second one after a restart of the page. */
#define CLIENT_LIMIT_PAGE 2

#define CLIENT_LIMIT_STRANGERS 48

/* Of these for each user, unless users cannot be told apart: with PrivateUsers= they all look the
 * same. */
#define CLIENT_LIMIT_A_STRANGER 16

/* Finds out whether there is room for the caller. *ret_victim is the client that has to be closed
 * for it, or NULL: the one that has been idle longest, or else (never among trusted ones) the one
 * that was answered most often. Returns false if there is none. */
bool client_limits_find_room(const struct control_client_list *clients,
                             const struct control_caller *caller,
                             struct control_client **ret_victim);
