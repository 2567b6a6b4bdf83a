/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Elements that several parts of the page use. */
#include "control_client/duration.h"
#include "control_client/reply.h"
#include "web/page/html.h"
#include "web/page/page.h"

#include <inttypes.h>
#include <string.h>

void page_write_age(FILE *stream, const json_t *object, const char *member, uint64_t now_usec)
{
    uint64_t at = reply_moment(object, member);
    char text[DURATION_TEXT_MAX];

    if (at == 0)
        fputs("–", stream);
    else
        fputs(duration_format(at < now_usec ? now_usec - at : 0, text), stream);
}

void page_write_address(FILE *stream, const json_t *object)
{
    const char *address = reply_text(object, "address");
    bool is_ipv6 = strchr(address, ':') != NULL;
    int64_t port = reply_number(object, "port");

    fputs(is_ipv6 ? "[" : "", stream);
    html_text(stream, address);
    fputs(is_ipv6 ? "]" : "", stream);
    if (port > 0)
        fprintf(stream, ":%" PRId64, port);
}

/* Amber from four fifths of the limit on, red at the limit, as in dispatcherctl. */
static const char *gauge_class(int64_t value, int64_t limit)
{
    if (limit <= 0 || value * 5 < limit * 4)
        return "";
    return value < limit ? " near" : " at";
}

void page_write_gauge(FILE *stream, const char *title, const json_t *gauge, bool is_bad_at_limit)
{
    int64_t value = reply_number(gauge, "value"), limit = reply_number(gauge, "limit");
    double part = limit > 0 ? (double)value / (double)limit : 0;

    fprintf(stream,
            "<div class=\"gauge%s\"><span>%s</span> <b>%" PRId64 "<i>/%" PRId64 "</i></b>"
            "<svg class=\"bar\" viewBox=\"0 0 100 1\" preserveAspectRatio=\"none\" "
            "aria-hidden=\"true\"><rect width=\"%.1f\" height=\"1\"/></svg></div>\n",
            is_bad_at_limit && value > 0 ? gauge_class(value, limit) : "", title, value, limit,
            part > 1 ? 100.0 : part * 100);
}
