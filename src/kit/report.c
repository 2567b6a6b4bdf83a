/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "kit/report.h"

#include <stdio.h>
#include <string.h>

#define MANUAL "dispatcher-worker(7)"

enum {
    NAME_COLUMN = 30
};

/* Indexed by rule; VERDICT_NONE: not tried. */
typedef struct verdict verdict_table[N_RULES];

void report_list(const struct options *options)
{
    for (unsigned i = 0; i < N_RULES; i++) {
        const struct rule *rule = rule_of((enum rule_id)i);

        if (options_has_rule(options, rule->name))
            printf("%-*s %s, \"%s\": %s\n", NAME_COLUMN, rule->name, MANUAL, rule->section,
                   rule->sentence);
    }
}

static void skip(struct verdict *verdict, enum rule_id broken)
{
    verdict->kind = VERDICT_SKIPPED;
    snprintf(verdict->text, sizeof(verdict->text), "not tried, since %s is broken",
             rule_of(broken)->name);
}

/* A breach counts for the rule that is broken, whichever scene has shown it. */
static void sort_out(verdict_table verdicts, const struct outcome outcomes[], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        verdicts[outcomes[i].rule] = outcomes[i].verdict;
        if (outcomes[i].verdict.kind == VERDICT_BROKEN)
            skip(&verdicts[outcomes[i].rule], outcomes[i].verdict.rule);
    }
    for (unsigned i = 0; i < n; i++)
        if (outcomes[i].verdict.kind == VERDICT_BROKEN)
            verdicts[outcomes[i].verdict.rule] = outcomes[i].verdict;
}

/* The first broken rule that this one builds on; N_RULES if there is none. */
static enum rule_id broken_base(const verdict_table verdicts, enum rule_id id)
{
    enum rule_id base = rule_of(id)->base;

    if (base == id)
        return N_RULES;
    return verdicts[base].kind == VERDICT_BROKEN ? base : broken_base(verdicts, base);
}

static void skip_above_broken(verdict_table verdicts)
{
    enum rule_id base;

    for (unsigned i = 0; i < N_RULES; i++)
        if (verdicts[i].kind == VERDICT_BROKEN &&
            (base = broken_base(verdicts, (enum rule_id)i)) != N_RULES)
            skip(&verdicts[i], base);
}

/* The text may have several lines of the worker's output. */
static void print_indented(const char *prefix, const char *text)
{
    for (const char *line = text; *line;) {
        int length = (int)strcspn(line, "\n");

        printf("%s%.*s\n", prefix, length, line);
        line += length + (line[length] == '\n');
    }
}

static void print_tap(unsigned number, const struct rule *rule, const struct verdict *verdict)
{
    bool is_broken = verdict->kind == VERDICT_BROKEN;

    printf("%sok %u - %s (%s, \"%s\")", is_broken ? "not " : "", number, rule->name, MANUAL,
           rule->section);
    if (verdict->kind == VERDICT_SKIPPED)
        printf(" # SKIP %.*s", (int)strcspn(verdict->text, "\n"), verdict->text);
    putchar('\n');
    if (is_broken) {
        print_indented("# rule: ", rule->sentence);
        print_indented("# ", verdict->text);
    }
}

static void print_line(const struct rule *rule, const struct verdict *verdict)
{
    static const char *const words[] = {
        [VERDICT_NONE] = "",
        [VERDICT_KEPT] = "kept",
        [VERDICT_BROKEN] = "BROKEN",
        [VERDICT_SKIPPED] = "not tried",
    };

    printf("%-9s  %-*s %s", words[verdict->kind], NAME_COLUMN, rule->name, rule->section);
    if (verdict->kind == VERDICT_SKIPPED)
        printf(": %.*s", (int)strcspn(verdict->text, "\n"), verdict->text);
    putchar('\n');
    if (verdict->kind != VERDICT_BROKEN)
        return;
    print_indented("           rule: ", rule->sentence);
    print_indented("           ", verdict->text);
}

unsigned report_outcomes(const struct options *options, struct outcome outcomes[], unsigned n)
{
    static verdict_table verdicts;
    unsigned counts[4] = {0}, number = 0;

    sort_out(verdicts, outcomes, n);
    skip_above_broken(verdicts);
    for (unsigned i = 0; i < N_RULES; i++) {
        const struct rule *rule = rule_of((enum rule_id)i);

        bool is_asked = options_has_rule(options, rule->name);
        if (verdicts[i].kind == VERDICT_NONE || (!is_asked && verdicts[i].kind != VERDICT_BROKEN))
            continue;
        counts[verdicts[i].kind]++;
        if (options->is_tap)
            print_tap(++number, rule, &verdicts[i]);
        else
            print_line(rule, &verdicts[i]);
    }
    if (options->is_tap)
        printf("1..%u\n", number);
    else
        printf("\n%u kept, %u broken, %u not tried\n", counts[VERDICT_KEPT], counts[VERDICT_BROKEN],
               counts[VERDICT_SKIPPED]);
    return counts[VERDICT_BROKEN];
}
