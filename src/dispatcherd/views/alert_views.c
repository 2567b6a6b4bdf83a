/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The alerts that are raised, as JSON. */
#include "dispatcherd/alerts/alert_watch.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/views/daemon.h"
#include "dispatcherd/views/views.h"

static json_t *view_alert(const char *name, const struct alert *alert, uint64_t worst,
                          const char *text, const struct control_clock *clock)
{
    json_t *object = json_object();

    view_put(&object, "alert", json_string(name));
    view_put(&object, "since", view_time(alert->raised_at, clock));
    view_put(&object, "worst", view_count(worst));
    view_put(&object, "text", view_text(text));
    return object;
}

static json_t *view_service_alert(const struct service *service, enum service_alert kind,
                                  const struct control_clock *clock)
{
    char words[512];
    struct str_buffer text = str_buffer_init(words, sizeof(words));

    str_buffer_add(&text, "%s ", service->options->name);
    alerts_describe(service, kind, &text);
    json_t *object = view_alert(service_alert_to_string(kind), &service->alerts.of[kind],
                                alerts_worst(service, kind), words, clock);
    view_put(&object, "service", json_string(service->options->name));
    view_put(&object, "zone", json_null());
    return object;
}

static json_t *view_list_alert(const struct list_alert *item, const struct control_clock *clock)
{
    char words[512];
    struct str_buffer text = str_buffer_init(words, sizeof(words));

    str_buffer_add(&text, "DNS list %s %s, and rejects nobody%s: %s", item->zone,
                   item->is_ill ? "is set aside" : "was set aside", item->is_ill ? "" : " then",
                   item->reason);
    json_t *object = view_alert("dns_list", &item->alert, item->n_times, words, clock);
    view_put(&object, "service", json_null());
    view_put(&object, "zone", view_text(item->zone));
    return object;
}

static json_t *view_fleet_alert(const struct fleet *fleet, const struct control_clock *clock)
{
    char words[512];
    struct str_buffer text = str_buffer_init(words, sizeof(words));

    str_buffer_add(&text, "fleet: ");
    fleet_describe(fleet, &text);
    json_t *object = view_alert("fleet", fleet_alert(fleet), 1, words, clock);
    view_put(&object, "service", json_null());
    view_put(&object, "zone", json_null());
    return object;
}

json_t *view_alerts(const struct control_daemon *daemon, const struct control_clock *clock)
{
    json_t *array = json_array();

    for (size_t i = 0; i < daemon->n_services; i++)
        for (enum service_alert kind = 0; kind < N_SERVICE_ALERTS; kind++)
            if (daemon->services[i]->alerts.of[kind].is_raised)
                view_append(&array, view_service_alert(daemon->services[i], kind, clock));
    for (size_t i = 0; daemon->admission && i < daemon->admission->list_alerts.n_items; i++)
        if (daemon->admission->list_alerts.items[i].alert.is_raised)
            view_append(&array, view_list_alert(&daemon->admission->list_alerts.items[i], clock));
    if (daemon->admission && daemon->admission->fleet &&
        fleet_alert(daemon->admission->fleet)->is_raised)
        view_append(&array, view_fleet_alert(daemon->admission->fleet, clock));
    return array;
}
