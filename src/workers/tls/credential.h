/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#pragma once

/* The file that a setting of TLS names: itself if there is a "/" in it, otherwise a credential of
 * the unit (systemd.exec(5), LoadCredential=), which is in CREDENTIALS_DIRECTORY. NULL if it is a
 * credential and that is not known here. The caller frees it; -ENOMEM looks like NULL. */
char *tls_credential_path(const char *value);
