/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The words of an alert: its name, the line that reports it, and the line that reports its end. */
#pragma once

#include "dispatcherd/core/service.h"

void alert_texts_raised(const struct service *service, enum service_alert alert, uint64_t now);
void alert_texts_cleared(const struct service *service, enum service_alert alert, uint64_t now);

/* What is wrong with the service's certificate, as a sentence without its subject, the service. */
void alert_texts_certificate(const struct service *service, struct str_buffer *text);
