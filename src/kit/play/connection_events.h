/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Checks and notes what a worker reports about its connections, by messages or in the ring. */
#pragma once

#include "kit/play/play.h"

void connection_event(struct play *play, enum message_type type, uint64_t id);

/* A connection in HELD. */
void connection_event_held(struct play *play, const struct connection_view *view);

/* The READY that completes the answer to ADOPT. */
void connection_events_adopted(struct play *play);
