/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The last step of an import: what the reader of dispatcher.cnf itself objects to becomes a
 * comment. */
#pragma once

/* Makes a comment of each line of *text for which the reader has an error or a warning, or of the
 * whole section if that is about the section, and writes the reason above it. Replaces *text, which
 * is the caller's. Returns 0, with the number of services that have become comments in
 * *ret_n_services; or a negative errno: the rest of *text is not settled. */
int import_settle(char **text, unsigned *ret_n_services);
