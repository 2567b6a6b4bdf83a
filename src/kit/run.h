/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Runs scenes, several at a time, each in a process of its own, and collects their verdicts. */
#pragma once

#include "kit/play/options.h"
#include "kit/play/rules.h"
#include "kit/play/verdict.h"

/* A rule that was tried. Until all rules have been, it is unknown whether another scene shows that
 * it is broken. */
struct outcome {
    enum rule_id rule;
    struct verdict verdict; /* of the rule's own scene */
};

/* Tries the rules of `outcomes`, and fills in their verdicts. Returns 0 or a negative errno. */
int run_scenes(const struct options *options, struct outcome outcomes[], unsigned n);
