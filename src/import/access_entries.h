/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Who may connect to a service, as entries of PORT_ACCESS (dispatcher-mappings(5)). */
#pragma once

#include "import/forms.h"

/* Whether the service has any. */
bool access_entries_are_needed(const struct foreign_service *service);

/* Writes the entries of the service to the mapping file. Of the networks that contain a client, the
 * smallest decides, as in xinetd; if two are equal, the one that denies. */
void access_entries_write(struct importing *importing, const struct foreign_service *service,
                          const char *name);
