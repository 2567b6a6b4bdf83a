/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The connections that a predecessor left in the store while they waited (connection_store.h):
 * those whose checks went on are checked anew, as if they had just come; others wait on.
 *
 * One that was offered to a worker may be in its hands: then there is a record of it, and the
 * workers' answers decide (passed_on.h). So this comes after the records were taken over. */
#pragma once

#include "dispatcherd/core/service.h"
#include "dispatcherd/store/inherited.h"

struct readmitted {
    unsigned n_checks;  /* that are checked anew */
    unsigned n_waiting; /* that wait on */
};

/* Takes them all from `inherited`. One whose service is no more is closed. */
void readmit_stored(struct service *const services[], size_t n_services,
                    struct inherited *inherited, struct readmitted *ret);
