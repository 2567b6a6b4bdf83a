/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "kit/play/options.h"

#include "kit/play/rules.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LIMIT_DEFAULT_SEC = 10,
    LIMIT_MAX_SEC = 100,
    JOBS_DEFAULT = 4, /* scenes wait most of the time */
    SAY_MAX = 4096    /* bytes; they fit into the buffer of a socket that nobody reads */
};

enum option_character {
    OPTION_LIST = 256,
    OPTION_RULE,
    OPTION_TAP,
    OPTION_PARAMETER,
    OPTION_SERVICE,
    OPTION_SAY,
    OPTION_LIMIT,
    OPTION_JOBS,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option long_options[] = {
    {"list", no_argument, NULL, OPTION_LIST},
    {"rule", required_argument, NULL, OPTION_RULE},
    {"tap", no_argument, NULL, OPTION_TAP},
    {"parameter", required_argument, NULL, OPTION_PARAMETER},
    {"service", required_argument, NULL, OPTION_SERVICE},
    {"say", required_argument, NULL, OPTION_SAY},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {0},
};

static void print_help(void)
{
    printf("Usage: dispatcher-worker-test [OPTION]... COMMAND [ARGUMENT]...\n"
           "Play dispatcherd to a worker program, and tell which rules of\n"
           "dispatcher-worker(7) it keeps.\n\n"
           "  --list             list the rules, and where the manual has them; no COMMAND\n"
           "  --rule NAME        try this rule only; may be given again\n"
           "  --tap              print TAP, the Test Anything Protocol\n"
           "  --parameter TEXT   a PARAMETER of the service; may be given again\n"
           "  --service NAME     name of the service (default: TEST)\n"
           "  --say TEXT         what clients say first, if the worker waits for that\n"
           "  --limit SECONDS    time limit for what has none in the manual (default: %d)\n"
           "  --jobs N           rules that are tried at a time (default: %d)\n"
           "  --help, --version\n\n"
           "See dispatcher-worker-test(1).\n",
           LIMIT_DEFAULT_SEC, JOBS_DEFAULT);
}

static int parse_number(const char *option, const char *text, unsigned max, unsigned *ret)
{
    char *end;

    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end || value < 1 || value > max) {
        fprintf(stderr, "dispatcher-worker-test: invalid --%s '%s': must be 1 to %u\n", option,
                text, max);
        return -EINVAL;
    }
    *ret = (unsigned)value;
    return 0;
}

static int add_rule(struct options *options, const char *name)
{
    if (rule_find(name) == N_RULES) {
        fprintf(stderr,
                "dispatcher-worker-test: unknown rule '%s'\n"
                "Try 'dispatcher-worker-test --list' for the rules that there are.\n",
                name);
        return -EINVAL;
    }
    return str_list_append(&options->rules, name);
}

static int set_say(struct options *options, const char *text)
{
    static char line[SAY_MAX + 3];

    if (strlen(text) > SAY_MAX) {
        fprintf(stderr, "dispatcher-worker-test: --say has more than %d bytes\n", SAY_MAX);
        return -EINVAL;
    }
    snprintf(line, sizeof(line), "%s\r\n", text);
    options->say = line;
    return 0;
}

static int read_option(struct options *options, int option)
{
    switch (option) {
    case OPTION_LIST:
        options->is_list = true;
        return 0;
    case OPTION_RULE:
        return add_rule(options, optarg);
    case OPTION_TAP:
        options->is_tap = true;
        return 0;
    case OPTION_PARAMETER:
        return str_list_append(&options->parameters, optarg);
    case OPTION_SERVICE:
        options->service = optarg;
        return 0;
    case OPTION_SAY:
        return set_say(options, optarg);
    case OPTION_LIMIT:
        return parse_number("limit", optarg, LIMIT_MAX_SEC, &options->limit_sec);
    case OPTION_JOBS:
        return parse_number("jobs", optarg, JOBS_MAX, &options->n_jobs);
    case OPTION_HELP:
        print_help();
        return -ECANCELED;
    case OPTION_VERSION:
        puts("dispatcher-worker-test " PACKAGE_VERSION);
        return -ECANCELED;
    default: /* getopt_long() has reported the error */
        fputs("Try 'dispatcher-worker-test --help' for more information.\n", stderr);
        return -EINVAL;
    }
}

int options_read(int argc, char *argv[], struct options *ret)
{
    struct options options = {
        .service = "TEST", .limit_sec = LIMIT_DEFAULT_SEC, .n_jobs = JOBS_DEFAULT};
    int option, r = 0;

    while (r == 0 && (option = getopt_long(argc, argv, "+", long_options, NULL)) >= 0)
        r = read_option(&options, option);
    options.command = argv + optind;
    if (r == 0 && options.is_list != (optind == argc)) {
        fprintf(stderr,
                "dispatcher-worker-test: %s\n"
                "Try 'dispatcher-worker-test --help' for more information.\n",
                options.is_list ? "--list takes no command" : "missing command");
        r = -EINVAL;
    }
    if (r < 0)
        options_clear(&options);
    else
        *ret = options;
    return r;
}

bool options_has_rule(const struct options *options, const char *name)
{
    for (size_t i = 0; i < options->rules.n_items; i++)
        if (strcmp(options->rules.items[i], name) == 0)
            return true;
    return options->rules.n_items == 0;
}

void options_clear(struct options *options)
{
    str_list_clear(&options->parameters);
    str_list_clear(&options->rules);
}
