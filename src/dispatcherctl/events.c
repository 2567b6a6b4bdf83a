/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/events.h"

#include "base/str.h"
#include "base/time.h"
#include "control_client/client.h"
#include "control_client/reply.h"
#include "dispatcherctl/views/explain.h"
#include "dispatcherctl/views/style.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

static enum style style_of(const json_t *event)
{
    static const struct {
        const char *event;
        enum style style;
    } styles[] = {{"connection broken", STYLE_BAD},
                  {"connection rejected", STYLE_WARNING},
                  {"connection unserved", STYLE_WARNING},
                  {"connection taken", STYLE_DIM},
                  {"connection ended", STYLE_DIM}};
    int64_t priority = reply_number(event, "priority");

    for (size_t i = 0; i < ELEMENTSOF(styles); i++)
        if (strcmp(reply_text(event, "event"), styles[i].event) == 0)
            return styles[i].style;
    if (priority <= LOG_ERR)
        return STYLE_BAD;
    return priority == LOG_WARNING ? STYLE_WARNING : STYLE_PLAIN;
}

static void print_time(const json_t *event, FILE *stream)
{
    int64_t usec = reply_number(json_object_get(event, "time"), "realtime");
    time_t sec = (time_t)(usec / (int64_t)USEC_PER_SEC);
    char text[32] = "";
    struct tm local;

    tzset(); /* events are followed for days, in which the time zone may change */
    if (localtime_r(&sec, &local))
        strftime(text, sizeof(text), "%H:%M:%S", &local);
    fprintf(stream, "%s.%03d", text, (int)(usec % (int64_t)USEC_PER_SEC / (int64_t)USEC_PER_MSEC));
}

/* Prints a word, so that the terminal obeys nothing that a stranger has put into it. */
static void print_word(const char *text, FILE *stream)
{
    char *copy = strdup(text);

    if (copy)
        fputs(str_make_printable(copy), stream);
    free(copy);
}

void events_print(const json_t *event, FILE *stream)
{
    enum style style = style_of(event);

    print_time(event, stream);
    fputc(' ', stream);
    print_word(reply_is_set(event, "service") ? reply_text(event, "service") : "-", stream);
    if (reply_is_set(event, "connection")) {
        fputc(' ', stream);
        print_word(reply_text(event, "connection"), stream);
    }
    fprintf(stream, " %s", style_on(style));
    print_word(reply_text(event, "text"), stream);
    fprintf(stream, "%s\n", style_off(style));
}

static int print_event(const struct request *request, const json_t *event)
{
    if (!request->is_json)
        events_print(event, stdout);
    else if (json_dumpf(event, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) < 0 || puts("") == EOF)
        return -EIO;
    return fflush(stdout) == 0 ? 0 : -errno;
}

/* Returns a negative errno of the connection; 1 if the daemon reported an error; 2 if standard
 * output cannot be written. */
static int follow(struct client *client, const struct request *request)
{
    json_t *reply = NULL;
    int r = client_call_more(client, "Follow", json_pack("{s:s*}", "service", request->service),
                             request->limit_usec, &reply);

    while (r == 0) {
        bool is_error = json_object_get(reply, "error") != NULL;

        if (is_error)
            explain_error(reply);
        else
            r = print_event(request, json_object_get(reply, "parameters"));
        json_decref(reply);
        if (is_error || r < 0)
            return is_error ? 1 : 2;
        r = client_next(client, USEC_INFINITY, &reply);
    }
    return r;
}

int events_run(const struct request *request)
{
    struct client client = {.fd = -1};
    int r = client_open(request->socket, request->limit_usec, &client);

    if (r == 0)
        r = follow(&client, request);
    client_close(&client);
    if (r < 0)
        explain_failure(request->socket, r);
    return EXIT_FAILURE;
}
