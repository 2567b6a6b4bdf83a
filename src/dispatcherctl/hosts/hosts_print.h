/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Shows to people what several hosts have answered (merge.h), side by side and with sums. */
#pragma once

#include <jansson.h>
#include <stdio.h>

/* Each prints the merged object with its "sums". Returns 0 or a negative errno. */
int hosts_print_status(const json_t *merged, FILE *stream);
int hosts_print_services(const json_t *merged, FILE *stream);
int hosts_print_clients(const json_t *merged, FILE *stream);
int hosts_print_workers(const json_t *merged, FILE *stream);
int hosts_print_connections(const json_t *merged, FILE *stream);
int hosts_print_history(const json_t *merged, FILE *stream);
int hosts_print_explain(const json_t *merged, FILE *stream);
int hosts_print_top(const json_t *merged, FILE *stream);
