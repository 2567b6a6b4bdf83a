/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Shows replies of dispatcherd to people. */
#pragma once

#include "base/macro.h"

#include <jansson.h>
#include <stdio.h>

/* Each prints the parameters of its method's reply; `service` is the one that was named, or NULL.
 * Returns 0 or a negative errno. */
int view_status(const json_t *parameters, const char *service, FILE *stream);
int view_services(const json_t *parameters, const char *service, FILE *stream);
/* The services of a Status reply, and what troubles them. */
int view_summaries(const json_t *parameters, FILE *stream);
/* The counters and statistics of what view_services() prints. */
int view_figures(const json_t *parameters, FILE *stream);
/* The DNS lists of a Status reply: their figures, and a line for each list that is set aside.
 * Prints nothing if there are none. */
int view_dns(const json_t *parameters, FILE *stream);
int view_workers(const json_t *parameters, const char *service, FILE *stream);
int view_connections(const json_t *parameters, const char *service, FILE *stream);
int view_history(const json_t *parameters, const char *service, FILE *stream);
int view_explain(const json_t *parameters, const char *service, FILE *stream);
int view_debug(const json_t *parameters, const char *service, FILE *stream);
int view_masks(const json_t *parameters, const char *service, FILE *stream);
int view_stop(const json_t *parameters, const char *service, FILE *stream);
int view_start(const json_t *parameters, const char *service, FILE *stream);
int view_restart(const json_t *parameters, const char *service, FILE *stream);
int view_reload(const json_t *parameters, const char *service, FILE *stream);
