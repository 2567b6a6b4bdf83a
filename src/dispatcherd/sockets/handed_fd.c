/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/sockets/handed_fd.h"

#include "base/time.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/closer.h"
#include "dispatcherd/store/stall_guard.h"

#include <sys/socket.h>

/* Looking at a socket takes a tenth of the time that closing it does, and a close may have been
 * slow just because the processor was busy. */
#define SUSPECT_USEC (60 * USEC_PER_SEC)
#define CLOSER_USEC  (600 * USEC_PER_SEC)

static bool would_wait(int fd)
{
    struct linger linger;
    socklen_t length = sizeof(linger);

    return getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length) == 0 && linger.l_onoff &&
           linger.l_linger > 0;
}

static void begin_caution(struct close_caution *caution, const char *service, uint64_t now)
{
    const struct subject subject = {.service = service, .message_id = MESSAGE_ID_WORKER_LINGERS};

    caution->closer_until = now + CLOSER_USEC;
    report(LOG_WARNING, &subject,
           "a worker has set SO_LINGER on the socket of a client, which may block whoever closes "
           "it; no worker may do that: its program is at fault, or controlled by an attacker; for "
           "ten minutes another process closes the sockets of this service");
}

void handed_fd_close(struct close_caution *caution, const char *service, int fd, uint64_t now)
{
    if (fd < 0)
        return;
    if (now >= caution->closer_until && now < caution->suspect_until && would_wait(fd))
        begin_caution(caution, service, now);
    if (now < caution->closer_until)
        closer_close(fd);
    else if (stall_guard_close(fd, now))
        caution->suspect_until = now + SUSPECT_USEC;
}
