/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The page that a person sees. Pure: figures in, HTML out. */
#pragma once

#include "web/page/samples.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Parameters of replies; each may be NULL. */
struct page {
    const json_t *status;
    const json_t *services;
    const json_t *workers;     /* an array */
    const json_t *connections; /* an array; NULL: the page is not allowed to see them */
    /* Arrays as above, of ended items. */
    const json_t *ended_workers;
    const json_t *ended_connections;
    const json_t *throttles; /* NULL: not allowed, or dispatcherd has no such list */
    const struct samples *samples;
    uint64_t now_usec; /* CLOCK_MONOTONIC, as in the samples */
    const char *error; /* if the daemon did not answer */
};

void page_write(FILE *stream, const struct page *page);

/* Its parts. */
void page_write_service(FILE *stream, const struct page *page, const json_t *service);
void page_write_workers(FILE *stream, const struct page *page);
void page_write_throttles(FILE *stream, const struct page *page);
void page_write_connections(FILE *stream, const struct page *page);
void page_write_ended_workers(FILE *stream, const struct page *page);
void page_write_ended_connections(FILE *stream, const struct page *page);

/* The time from a moment in the object until now, or "–". */
void page_write_age(FILE *stream, const json_t *object, const char *member, uint64_t now_usec);

/* An address and port of an object; a Unix socket, for instance, has no port. */
void page_write_address(FILE *stream, const json_t *object);

/* A gauge: the value and its limit. Near the limit it has another colour, if that is a problem. */
void page_write_gauge(FILE *stream, const char *title, const json_t *gauge, bool is_bad_at_limit);
