/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "kit/play/rules.h"

#include <string.h>

static const struct rule rules[N_RULES] = {
#define RULE_ROW(id, name_, section_, base_, scene_, sentence_)                                    \
    [RULE_##id] = {                                                                                \
        .name = (name_), .section = (section_), .sentence = (sentence_), .base = RULE_##base_},
    RULES(RULE_ROW)
#undef RULE_ROW
};

const struct rule *rule_of(enum rule_id id)
{
    return &rules[id];
}

enum rule_id rule_find(const char *name)
{
    for (unsigned i = 0; i < N_RULES; i++)
        if (strcmp(rules[i].name, name) == 0)
            return (enum rule_id)i;
    return N_RULES;
}
