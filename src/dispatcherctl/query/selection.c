/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/query/selection.h"

#include "base/macro.h"
#include "base/str.h"
#include "control_client/duration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* More rows than any daemon lists. */
#define LIMIT_MAX 1000000

struct choice {
    const char *text;
    enum selection_list list;
    struct selection *selection;
    struct str_buffer *reason;
};

static const struct state {
    enum selection_list list;
    const char *name;
} states[] = {
    {LIST_OF_CONNECTIONS, "waiting"}, {LIST_OF_CONNECTIONS, "hand-off"},
    {LIST_OF_CONNECTIONS, "active"},  {LIST_OF_CONNECTIONS, "passed-on"},
    {LIST_OF_ENDED, "ended"},         {LIST_OF_ENDED, "broken"},
    {LIST_OF_ENDED, "gone"},          {LIST_OF_ENDED, "rejected"},
    {LIST_OF_ENDED, "unserved"},      {LIST_OF_ENDED, "failed"},
    {LIST_OF_ENDED, "sent-away"},
};

/* Reads a number of digits alone, from 1 to `max`. */
static bool read_number(const char *text, unsigned long max, unsigned long *ret)
{
    char *end;

    errno = 0;
    *ret = strtoul(text, &end, 10);
    return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' && *ret >= 1 &&
           *ret <= max;
}

static bool read_worker(const struct choice *choice)
{
    unsigned long number;

    if (!read_number(choice->text, INT32_MAX, &number)) {
        str_buffer_add(choice->reason, "must be a process number");
        return false;
    }
    choice->selection->worker_pid = (int64_t)number;
    return true;
}

static bool read_client(const struct choice *choice)
{
    char reason[NETWORK_REASON_MAX];

    if (ip_network_parse(choice->text, &choice->selection->client, reason) == 0)
        return true;
    str_buffer_add(choice->reason, "must be an address or a network: %s", reason);
    return false;
}

static bool read_state(const struct choice *choice)
{
    const char *comma = "";

    choice->selection->state = choice->text;
    for (size_t i = 0; i < ELEMENTSOF(states); i++)
        if (states[i].list == choice->list && strcmp(states[i].name, choice->text) == 0)
            return true;
    str_buffer_add(choice->reason, "must be one of ");
    for (size_t i = 0; i < ELEMENTSOF(states); i++)
        if (states[i].list == choice->list) {
            str_buffer_add(choice->reason, "%s%s", comma, states[i].name);
            comma = ", ";
        }
    return false;
}

static bool read_user(const struct choice *choice)
{
    choice->selection->user = choice->text;
    return true;
}

static bool read_duration(const struct choice *choice, uint64_t *ret)
{
    if (duration_parse(choice->text, ret) == 0)
        return true;
    str_buffer_add(choice->reason, "must be a time span, such as 90, 500ms, 5min or \"1h 30min\"");
    return false;
}

static bool read_older(const struct choice *choice)
{
    return read_duration(choice, &choice->selection->older_usec);
}

static bool read_waited(const struct choice *choice)
{
    return read_duration(choice, &choice->selection->waited_usec);
}

static bool read_sort(const struct choice *choice)
{
    const char *name = choice->text;
    char names[128];

    choice->selection->is_reversed = *name == '-';
    name += *name == '-';
    choice->selection->order = selection_order_find(name, choice->list);
    if (choice->selection->order)
        return true;
    selection_order_names(choice->list, names, sizeof(names));
    str_buffer_add(choice->reason, "must be one of %s; a '-' before it reverses the order", names);
    return false;
}

static bool read_limit(const struct choice *choice)
{
    unsigned long number;

    if (!read_number(choice->text, LIMIT_MAX, &number)) {
        str_buffer_add(choice->reason, "must be a number of rows, 1 to %d", LIMIT_MAX);
        return false;
    }
    choice->selection->limit = number;
    return true;
}

static const struct {
    const char *name;
    bool (*read)(const struct choice *choice);
} options[N_SELECTION_OPTIONS] = {
    [SELECTION_WORKER] = {"worker", read_worker}, [SELECTION_CLIENT] = {"client", read_client},
    [SELECTION_STATE] = {"state", read_state},    [SELECTION_USER] = {"user", read_user},
    [SELECTION_OLDER] = {"older", read_older},    [SELECTION_WAITED] = {"waited", read_waited},
    [SELECTION_SORT] = {"sort", read_sort},       [SELECTION_LIMIT] = {"limit", read_limit},
};

const char *selection_option_name(enum selection_option option)
{
    return options[option].name;
}

int selection_parse(const char *const texts[N_SELECTION_OPTIONS], enum selection_list list,
                    struct selection *ret, char reason[SELECTION_REASON_MAX])
{
    struct str_buffer buffer = str_buffer_init(reason, SELECTION_REASON_MAX);
    struct selection selection = {0};

    for (enum selection_option i = 0; i < N_SELECTION_OPTIONS; i++) {
        const struct choice choice = {
            .text = texts[i], .list = list, .selection = &selection, .reason = &buffer};

        if (!texts[i])
            continue;
        str_buffer_add(&buffer, "--%s ", options[i].name);
        if (list == NO_LIST) {
            str_buffer_add(&buffer, "applies only to connections and history");
            return -EINVAL;
        }
        if (!options[i].read(&choice)) {
            str_buffer_add(&buffer, "; not '%s'", texts[i]);
            return -EINVAL;
        }
        buffer = str_buffer_init(reason, SELECTION_REASON_MAX);
        selection.is_set[i] = true;
    }
    *ret = selection;
    return 0;
}
