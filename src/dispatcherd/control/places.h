/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Who has a place at the control socket, and who gives way. Three kinds of clients do not take
 * places from each other: those who are trusted, the status page, and all others. */
#pragma once

#include "dispatcherd/control/client.h"

/* People have one or two connections, monitoring a few, and each worker that ends one for a
 * moment. */
#define CONTROL_PLACES_TRUSTED 64

/* One, and another one after a restart. */
#define CONTROL_PLACES_PAGE 2

#define CONTROL_PLACES_STRANGERS 48

/* Of these for each user, if users can be told apart: with PrivateUsers= they all look like one. */
#define CONTROL_PLACES_A_STRANGER 16

/* Finds out whether the caller can have a place. *ret_victim is the client that is to be closed
 * for that, or NULL: the one that has been idle for the longest time, else (never of those who are
 * trusted) the one that was answered most often. Returns false if there is no place. */
bool control_places_find(const struct control_client_list *clients,
                         const struct control_caller *caller, struct control_client **ret_victim);
