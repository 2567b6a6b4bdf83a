/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* dispatcher-worker-test: plays dispatcherd to a worker program, and reports which rules of
 * dispatcher-worker(7) it keeps. */
#include "base/fd.h"
#include "kit/play/options.h"
#include "kit/report.h"
#include "kit/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum {
    EXIT_KEPT = 0,
    EXIT_BROKEN = 1,
    EXIT_USAGE = 2
};

/* Together with the rules that a rule builds on, since they may be broken. */
static unsigned choose(const struct options *options, struct outcome outcomes[])
{
    bool is_chosen[N_RULES] = {false};
    unsigned n = 0;

    for (unsigned i = 0; i < N_RULES; i++)
        if (options_has_rule(options, rule_of((enum rule_id)i)->name))
            for (unsigned id = i; !is_chosen[id]; id = rule_of((enum rule_id)id)->base)
                is_chosen[id] = true;
    for (unsigned i = 0; i < N_RULES; i++)
        if (is_chosen[i])
            outcomes[n++].rule = (enum rule_id)i;
    return n;
}

static int try_rules(const struct options *options)
{
    static struct outcome outcomes[N_RULES];
    unsigned n = choose(options, outcomes);
    int r = run_scenes(options, outcomes, n);

    if (r < 0) {
        fprintf(stderr, "dispatcher-worker-test: cannot run the scenes: %s\n", strerror(-r));
        return EXIT_USAGE;
    }
    unsigned n_broken = report_outcomes(options, outcomes, n);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "dispatcher-worker-test: cannot write the report: %s\n", strerror(errno));
        return EXIT_USAGE;
    }
    return n_broken == 0 ? EXIT_KEPT : EXIT_BROKEN;
}

int main(int argc, char *argv[])
{
    struct options options;
    int status = EXIT_KEPT;

    if (fd_fill_standard(O_RDONLY) < 0)
        return EXIT_USAGE;
    int r = options_read(argc, argv, &options);
    if (r < 0)
        return r == -ECANCELED ? EXIT_KEPT : EXIT_USAGE;
    if (options.is_list)
        report_list(&options);
    else
        status = try_rules(&options);
    options_clear(&options);
    return status;
}
