/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/hosts/gather.h"

#include "base/str.h"
#include "base/time.h"
#include "dispatcherctl/query/query.h"
#include "dispatcherctl/views/explain.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One host, and the thread that asks it. */
struct errand {
    struct watch *watch; /* NULL: it is asked once */
    const struct request *request;
    const struct gather_call *calls;
    size_t n_calls;
    pthread_t thread;
    struct remote remote;
    struct gathered answer; /* of a watch: guarded by its mutex */
};

struct watch {
    pthread_mutex_t mutex;
    uint64_t interval_usec;
    size_t n_errands;
    struct errand errands[];
};

void gathered_clear(struct gathered answers[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        json_decref(answers[i].reply);
        answers[i].reply = NULL;
    }
}

/* Adds the parameters of one call. Returns 0, or -EREMOTEIO if the reply is an error. */
static int take_reply(const json_t *reply, const struct gather_call *call, struct gathered *answer)
{
    json_t *parameters = json_object_get(reply, "parameters");
    char text[EXPLAIN_TEXT_MAX];

    if (json_object_get(reply, "error")) {
        explain_error_text(reply, text, sizeof(text));
        snprintf(answer->reason, sizeof(answer->reason), "%.*s", REMOTE_REASON_MAX - 1, text);
        (void)str_make_printable(answer->reason);
        return -EREMOTEIO;
    }
    if (call->as &&
        json_object_set(parameters, call->as, json_object_get(parameters, call->list)) == 0)
        json_object_del(parameters, call->list);
    return json_object_update(answer->reply, parameters) < 0 ? -EBADMSG : 0;
}

static int make_calls(struct errand *errand, uint64_t deadline, struct gathered *answer)
{
    errand->remote.client.bytes_left = GATHER_BYTES_MAX;
    for (size_t i = 0; i < errand->n_calls; i++) {
        json_auto_t *reply = NULL;
        int r = query_call(&errand->remote.client, errand->request, errand->calls[i].method,
                           errand->calls[i].list, deadline, &reply);
        if (r == 0)
            r = take_reply(reply, &errand->calls[i], answer);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Asks the host, over the connection that there is or a new one. */
static void errand_ask(struct errand *errand, struct gathered *answer)
{
    const struct request *request = errand->request;
    uint64_t deadline = time_add_usec(time_now_usec(CLOCK_MONOTONIC), request->limit_usec);
    int r = 0;

    answer->reply = json_object();
    if (!answer->reply)
        r = -ENOMEM;
    else if (errand->remote.client.fd < 0)
        r = remote_open(answer->host, request->socket, request->limit_usec, &errand->remote);
    if (r == 0)
        r = make_calls(errand, deadline, answer);
    if (r == 0)
        return;
    if (r == -EFBIG)
        snprintf(answer->reason, sizeof(answer->reason),
                 "its answer has more than %zu MiB and was left out; ask for less, such as one "
                 "SERVICE",
                 GATHER_BYTES_MAX / 1024 / 1024);
    else if (r != -EREMOTEIO)
        remote_explain(&errand->remote, request->socket, r, request->limit_usec, answer->reason);
    json_decref(answer->reply);
    answer->reply = NULL;
    remote_close(&errand->remote);
}

static void *errand_run(void *userdata)
{
    struct errand *errand = userdata;

    errand_ask(errand, &errand->answer);
    remote_close(&errand->remote);
    return NULL;
}

static void *errand_repeat(void *userdata)
{
    struct errand *errand = userdata;
    struct watch *watch = errand->watch;

    for (;;) {
        struct gathered answer = {.host = errand->answer.host};

        errand_ask(errand, &answer);
        pthread_mutex_lock(&watch->mutex);
        gathered_clear(&errand->answer, 1);
        errand->answer = answer;
        pthread_mutex_unlock(&watch->mutex);
        usleep((useconds_t)watch->interval_usec);
    }
    return NULL;
}

int gather(const struct request *request, char *const hosts[], size_t n_hosts,
           const struct gather_call calls[], size_t n_calls, struct gathered ret[])
{
    struct errand errands[GATHER_HOSTS_MAX];
    size_t n_started = 0;
    int r = 0;

    /* jansson(3) wants that before there is a second thread. */
    json_object_seed(0);
    for (; r == 0 && n_started < n_hosts; n_started += r == 0) {
        struct errand *errand = &errands[n_started];

        *errand = (struct errand){
            .request = request, .calls = calls, .n_calls = n_calls, .remote = REMOTE_NONE};
        errand->answer.host = hosts[n_started];
        r = -pthread_create(&errand->thread, NULL, errand_run, errand);
    }
    for (size_t i = 0; i < n_started; i++) {
        pthread_join(errands[i].thread, NULL);
        ret[i] = errands[i].answer;
    }
    if (r < 0)
        gathered_clear(ret, n_started);
    return r;
}

int watch_start(const struct request *request, char *const hosts[], size_t n_hosts,
                const struct gather_call calls[], size_t n_calls, uint64_t interval_usec,
                struct watch **ret)
{
    struct watch *watch = calloc(1, sizeof(*watch) + n_hosts * sizeof(watch->errands[0]));

    if (!watch)
        return -ENOMEM;
    json_object_seed(0);
    pthread_mutex_init(&watch->mutex, NULL);
    watch->interval_usec = interval_usec;
    watch->n_errands = n_hosts;
    *ret = watch; /* never freed: threads use it until the process ends */
    for (size_t i = 0; i < n_hosts; i++) {
        struct errand *errand = &watch->errands[i];

        *errand = (struct errand){.watch = watch,
                                  .request = request,
                                  .calls = calls,
                                  .n_calls = n_calls,
                                  .remote = REMOTE_NONE};
        errand->answer = (struct gathered){.host = hosts[i], .reason = "not asked yet"};
        int r = -pthread_create(&errand->thread, NULL, errand_repeat, errand);
        if (r < 0)
            return r;
    }
    return 0;
}

void watch_copy(struct watch *watch, struct gathered ret[])
{
    pthread_mutex_lock(&watch->mutex);
    for (size_t i = 0; i < watch->n_errands; i++) {
        ret[i] = watch->errands[i].answer;
        ret[i].reply = json_deep_copy(ret[i].reply);
    }
    pthread_mutex_unlock(&watch->mutex);
}
