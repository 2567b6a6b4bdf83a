/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/backend.h"

#include "dispatcherd/core/worker.h"
#include "protocol/message.h"

#include <stdio.h>
#include <string.h>

static void set_trouble(struct worker *worker, bool has_trouble)
{
    struct service *service = worker->service;

    service->backends.n_in_trouble -= worker->is_in_trouble;
    service->backends.n_in_trouble += has_trouble;
    worker->is_in_trouble = has_trouble;
}

bool backend_take(struct worker *worker, const struct message *message)
{
    struct service *service = worker->service;
    const char *text = message_find_text(message, "TEXT");

    if (worker->state == WORKER_STARTING)
        return false;
    set_trouble(worker, text != NULL);
    if (text)
        snprintf(service->backends.trouble, sizeof(service->backends.trouble), "%s", text);
    return true;
}

void backend_forget(struct worker *worker)
{
    set_trouble(worker, false);
}
