/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Prints one line for each rule, for people or as TAP. */
#pragma once

#include "kit/run.h"

/* Lists the rules that `options` name, in the order of the table. */
void report_list(const struct options *options);

/* Reports the verdicts of the rules that were asked for, and of others that are broken. A breach
 * that another scene has shown counts; a rule that builds on a broken one counts as not tried.
 * Returns how many are broken. */
unsigned report_outcomes(const struct options *options, struct outcome outcomes[], unsigned n);
