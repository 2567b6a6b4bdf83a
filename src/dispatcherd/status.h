/* The daemon's state in one line that a person reads at a glance. */
#pragma once

#include "dispatcherd/service.h"

/* Writes for example "SMTP 2/10 workers, 31/500 connections; POP3 cannot start ..." to
 * `text[size]`; what does not fit is cut. Returns `text`. */
const char *status_format(struct service *const services[], size_t n_services, char *text,
                          size_t size);
