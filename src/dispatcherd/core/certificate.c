/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/certificate.h"

#include "base/time.h"
#include "dispatcherd/core/service.h"

#include <time.h>

/* Time enough to renew one by hand. */
#define EXPIRES_SOON_SEC (14 * 24 * 3600)

bool certificate_is_bad(const struct service *service)
{
    const struct certificate *certificate = &service->certificate;

    return certificate->fault[0] ||
           (certificate->is_known &&
            certificate->expires_at - (int64_t)time(NULL) <= EXPIRES_SOON_SEC);
}

uint64_t certificate_bad_at(const struct service *service, uint64_t now)
{
    const struct certificate *certificate = &service->certificate;
    int64_t left = certificate->expires_at - EXPIRES_SOON_SEC - (int64_t)time(NULL);

    if (!certificate->is_known || left <= 0)
        return USEC_INFINITY;
    return time_add_usec(now, (uint64_t)left * USEC_PER_SEC);
}

void certificate_describe(const struct service *service, struct str_buffer *text)
{
    const struct certificate *certificate = &service->certificate;
    time_t at = (time_t)certificate->expires_at, now = time(NULL);
    char date[64] = "";
    struct tm tm;

    if (certificate->fault[0]) {
        str_buffer_add(text, "has a certificate that cannot be used: %s", certificate->fault);
        return;
    }
    if (gmtime_r(&at, &tm))
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm);
    if (at <= now)
        str_buffer_add(text, "has a certificate that expired on %s", date);
    else
        str_buffer_add(text, "has a certificate that expires on %s", date);
}
