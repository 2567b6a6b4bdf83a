/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The client's end of a session that is relayed, if TLS ends here: what the way to the other side
 * carries is what TLS protects. An end without close_notify is a broken connection to it, so that
 * the other side does not take what it got for the whole (RFC 8446, 6.1). */
#pragma once

#include "workers/common/way.h"
#include "workers/tls/tls_session.h"

/* An end for the session, whose handshake is over, and which must outlive it. It can be read and
 * written at once: what came with the handshake is no further event. */
struct end tls_end(struct tls_session *session);
