/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* only_from and no_access of xinetd.conf(5). */
#pragma once

#include "import/xinetd_read.h"

/* Sets who may connect to the service. One whose denials cannot all be translated is disabled. */
void xinetd_set_access(struct importing *importing, const struct xinetd *xinetd,
                       const struct xinetd_entry *entry, struct foreign_service *service);
