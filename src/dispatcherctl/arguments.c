/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/arguments.h"

#include "base/address.h"
#include "base/nearest.h"
#include "dispatcherctl/hosts/clients.h"
#include "dispatcherctl/hosts/hosts.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LIMIT_MAX_SEC 86400

static void print_help(const struct verb *verbs)
{
    static const char *const words[] = {[NO_SERVICE] = "",
                                        [MAY_SERVICE] = " [SERVICE]",
                                        [MUST_SERVICE] = " SERVICE",
                                        [ADDRESS] = " ADDRESS [SERVICE]",
                                        [MASK] = " [[SERVICE] MASK]"};

    puts("Usage: dispatcherctl [OPTION]... COMMAND [SERVICE]\n"
         "Show and control the service dispatcher.\n");
    for (const struct verb *verb = verbs; verb->name; verb++) {
        int n = printf("  %s%s", verb->name, words[verb->service]);
        printf("%*s%s\n", n < 25 ? 25 - n : 1, "", verb->help);
    }
    puts("  test-access ADDRESS... show what a mapping file decides for clients; needs no daemon");
    puts("  import FILE...         translate the configuration of another dispatcher; needs no "
         "daemon");
    puts("  simulate [RECORDING] [NAME=VALUE]...\n"
         "                         replay recorded traffic with other settings; needs no daemon");
    printf("\n* for root and members of the group %s only\n\n"
           "  --socket PATH          control socket of the daemon (default: %s)\n"
           "  --host [USER@]HOST[:PORT],...\n"
           "                         ask these hosts by ssh, side by side and with sums: status,\n"
           "                         services, connections, clients, explain,\n"
           "                         top (limit: %d seconds each)\n"
           "  --json                 print the reply as JSON\n"
           "  --timeout SECONDS      time limit for the answer (default: %d; reload, plan,\n"
           "                         apply: %d)\n"
           "  --worker PID, --client ADDRESS[/BITS], --state STATE, --user USER,\n"
           "  --older TIME, --waited TIME\n"
           "                         connections, history: show only these\n"
           "  --sort [-]FIELD        connections, history: sort by FIELD, or in reverse (-)\n"
           "  --limit N              connections, history: show the first N\n"
           "  --top N                clients: the first N of each list (default: %d)\n"
           "  --from FORM            import: xinetd, inetd, master.cf or dispatcher.cnf (default)\n"
           "  --mappings FILE        test-access: mapping file (default: " CONFIG_DIR "/mappings)\n"
           "                         import: new file for the access rules (default: comments)\n"
           "  --server ADDRESS       test-access: address clients connect to (default: loopback)\n"
           "  --port PORT            test-access: port clients connect to (default: 25)\n"
           "  --callouts fail|succeed\n"
           "                         test-access: assumed result of throttles and DNS lists "
           "(default: fail)\n"
           "  --config FILE          simulate: use the options of this dispatcher.cnf\n"
           "  --sweep NAME=VALUE,... simulate: with each of these values\n"
           "  --svg FILE             simulate: draw a picture, too\n"
           "  --help, --version\n\n"
           "See dispatcherctl(1).\n",
           DISPATCHER_USER, DEFAULT_SOCKET, HOSTS_LIMIT_SEC, ANSWER_LIMIT_SEC, RELOAD_LIMIT_SEC,
           CLIENTS_TOP_DEFAULT);
}

enum option_character {
    OPTION_CHARACTER_SOCKET = 256,
    OPTION_CHARACTER_HOST,
    OPTION_CHARACTER_JSON,
    OPTION_CHARACTER_TIMEOUT,
    OPTION_CHARACTER_FROM,
    OPTION_CHARACTER_MAPPINGS,
    OPTION_CHARACTER_SERVER,
    OPTION_CHARACTER_PORT,
    OPTION_CHARACTER_CALLOUTS,
    OPTION_CHARACTER_TOP,
    OPTION_CHARACTER_CONFIG,
    OPTION_CHARACTER_SWEEP,
    OPTION_CHARACTER_SVG,
    OPTION_CHARACTER_HELP,
    OPTION_CHARACTER_VERSION,
    OPTION_CHARACTER_SELECTION, /* from here on those of enum selection_option */
};

static const struct option long_options[] = {
    {"socket", required_argument, NULL, OPTION_CHARACTER_SOCKET},
    {"host", required_argument, NULL, OPTION_CHARACTER_HOST},
    {"json", no_argument, NULL, OPTION_CHARACTER_JSON},
    {"timeout", required_argument, NULL, OPTION_CHARACTER_TIMEOUT},
    {"from", required_argument, NULL, OPTION_CHARACTER_FROM},
    {"mappings", required_argument, NULL, OPTION_CHARACTER_MAPPINGS},
    {"server", required_argument, NULL, OPTION_CHARACTER_SERVER},
    {"port", required_argument, NULL, OPTION_CHARACTER_PORT},
    {"callouts", required_argument, NULL, OPTION_CHARACTER_CALLOUTS},
    {"top", required_argument, NULL, OPTION_CHARACTER_TOP},
    {"config", required_argument, NULL, OPTION_CHARACTER_CONFIG},
    {"sweep", required_argument, NULL, OPTION_CHARACTER_SWEEP},
    {"svg", required_argument, NULL, OPTION_CHARACTER_SVG},
    {"help", no_argument, NULL, OPTION_CHARACTER_HELP},
    {"version", no_argument, NULL, OPTION_CHARACTER_VERSION},
    {"worker", required_argument, NULL, OPTION_CHARACTER_SELECTION + SELECTION_WORKER},
    {"client", required_argument, NULL, OPTION_CHARACTER_SELECTION + SELECTION_CLIENT},
    {"state", required_argument, NULL, OPTION_CHARACTER_SELECTION + SELECTION_STATE},
    {"user", required_argument, NULL, OPTION_CHARACTER_SELECTION + SELECTION_USER},
    {"older", required_argument, NULL, OPTION_CHARACTER_SELECTION + SELECTION_OLDER},
    {"waited", required_argument, NULL, OPTION_CHARACTER_SELECTION + SELECTION_WAITED},
    {"sort", required_argument, NULL, OPTION_CHARACTER_SELECTION + SELECTION_SORT},
    {"limit", required_argument, NULL, OPTION_CHARACTER_SELECTION + SELECTION_LIMIT},
    {0},
};

/* Reads a number of `unit`, from 1 to `max`. */
static int parse_count(const char *option, const char *text, unsigned max, const char *unit,
                       unsigned *ret)
{
    char *end;

    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end || value < 1 || value > max) {
        fprintf(stderr, "dispatcherctl: invalid %s '%s': must be 1 to %u%s\n", option, text, max,
                unit);
        return -EINVAL;
    }
    *ret = (unsigned)value;
    return 0;
}

/* Where the text of such an option is kept; NULL: it is none. */
static const char **place_of_text(struct arguments *arguments, int option)
{
    switch (option) {
    case OPTION_CHARACTER_SOCKET:
        return &arguments->request.socket;
    case OPTION_CHARACTER_FROM:
        return &arguments->from;
    case OPTION_CHARACTER_MAPPINGS:
        return &arguments->test.mappings;
    case OPTION_CHARACTER_SERVER:
        return &arguments->test.server;
    case OPTION_CHARACTER_PORT:
        return &arguments->test.port;
    case OPTION_CHARACTER_CALLOUTS:
        return &arguments->test.callouts;
    case OPTION_CHARACTER_CONFIG:
        return &arguments->simulate.config;
    case OPTION_CHARACTER_SWEEP:
        return &arguments->simulate.sweep;
    case OPTION_CHARACTER_SVG:
        return &arguments->simulate.svg;
    case OPTION_CHARACTER_SELECTION ... OPTION_CHARACTER_SELECTION + N_SELECTION_OPTIONS - 1:
        return &arguments->selection[option - OPTION_CHARACTER_SELECTION];
    default:
        return NULL;
    }
}

int arguments_parse_options(int argc, char *argv[], struct arguments *arguments)
{
    unsigned top;
    int option;

    arguments->request.top = CLIENTS_TOP_DEFAULT;
    arguments->request.socket = DEFAULT_SOCKET;
    while ((option = getopt_long(argc, argv, "1", long_options, NULL)) >= 0) {
        const char **place = place_of_text(arguments, option);

        if (place) {
            *place = optarg;
            continue;
        }
        switch (option) {
        case OPTION_CHARACTER_HOST:
            if (hosts_parse(optarg, &arguments->request.hosts) < 0)
                return -EINVAL;
            break;
        case OPTION_CHARACTER_JSON:
            arguments->request.is_json = true;
            break;
        case OPTION_CHARACTER_TIMEOUT:
            if (parse_count("--timeout", optarg, LIMIT_MAX_SEC, " seconds", &arguments->limit_sec) <
                0)
                return -EINVAL;
            break;
        case OPTION_CHARACTER_TOP:
            if (parse_count("--top", optarg, CLIENTS_TOP_MAX, "", &top) < 0)
                return -EINVAL;
            arguments->request.top = top;
            break;
        case OPTION_CHARACTER_HELP:
            print_help(arguments->verbs);
            exit(EXIT_SUCCESS);
        case OPTION_CHARACTER_VERSION:
            printf("dispatcherctl %s\n", PACKAGE_VERSION);
            exit(EXIT_SUCCESS);
        case '1':
            arguments->minus_one = "-1";
            break;
        default:
            return -EINVAL; /* getopt_long(3) has reported the error */
        }
    }
    return 0;
}

static const struct verb *find_verb(const struct verb *verbs, const char *name)
{
    for (const struct verb *verb = verbs; verb->name; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

static void report_unknown_command(const struct verb *verbs, const char *name)
{
    struct nearest nearest = nearest_init(name);

    for (const struct verb *verb = verbs; verb->name; verb++)
        nearest_offer(&nearest, verb->name);
    if (nearest.best)
        fprintf(stderr, "dispatcherctl: unknown command '%s'; did you mean '%s'?\n", name,
                nearest.best);
    else
        fprintf(stderr, "dispatcherctl: unknown command '%s'\n", name);
}

static bool looks_like_a_mask(const char *word)
{
    return (word[0] >= '0' && word[0] <= '9') || strcasecmp(word, "default") == 0;
}

/* Reads "[SERVICE] MASK". A mask of -1 was taken for an option. */
static int parse_mask(int argc, char *argv[], struct arguments *arguments)
{
    struct request *request = &arguments->request;

    request->mask = arguments->minus_one;
    if (argc > 0 && !request->mask && looks_like_a_mask(argv[argc - 1]))
        request->mask = argv[--argc];
    if (argc > 0)
        request->service = argv[0];
    if (argc > 1 || (request->service && !request->mask)) {
        fputs("dispatcherctl: debug needs a mask as its last argument, as in DEBUG=: 71, 16%47,  "
              "0x47, -1 for everything, or 'default' for the configured one\n",
              stderr);
        return -EINVAL;
    }
    return 0;
}

/* Reads "ADDRESS [SERVICE]". */
static int parse_address(int argc, char *argv[], struct arguments *arguments)
{
    struct address address;

    if (argc < 1 || argc > 2 || address_parse(argv[0], &address) < 0) {
        fputs("dispatcherctl: explain needs the address of a client\n", stderr);
        return -EINVAL;
    }
    arguments->request.address = argv[0];
    arguments->request.service = argc > 1 ? argv[1] : NULL;
    return 0;
}

static int parse_selection(struct arguments *arguments)
{
    char reason[SELECTION_REASON_MAX];

    int r = selection_parse(arguments->selection, arguments->verb->selects,
                            &arguments->request.selection, reason);
    if (r < 0)
        fprintf(stderr, "dispatcherctl: %s\n", reason);
    return r;
}

void arguments_clear(struct arguments *arguments)
{
    str_list_clear(&arguments->request.hosts);
}

/* Reads the verb and its service. */
int arguments_parse_words(int argc, char *argv[], struct arguments *arguments)
{
    if (argc == 0) {
        fputs("dispatcherctl: missing command\n", stderr);
        return -EINVAL;
    }
    arguments->verb = find_verb(arguments->verbs, argv[0]);
    if (!arguments->verb) {
        report_unknown_command(arguments->verbs, argv[0]);
        return -EINVAL;
    }
    if (arguments->request.hosts.n_items > 0 && !hosts_know(argv[0])) {
        fprintf(stderr, "dispatcherctl: command '%s' takes no --host; these do: %s\n", argv[0],
                hosts_verbs());
        return -EINVAL;
    }
    if (parse_selection(arguments) < 0)
        return -EINVAL;
    if (arguments->verb->service == MASK)
        return parse_mask(argc - 1, argv + 1, arguments);
    if (arguments->minus_one) {
        fprintf(stderr, "dispatcherctl: command '%s' takes no mask\n", argv[0]);
        return -EINVAL;
    }
    if (arguments->verb->service == ADDRESS)
        return parse_address(argc - 1, argv + 1, arguments);
    arguments->request.service = argv[1];
    if (argc == 1 && arguments->verb->service == MUST_SERVICE) {
        fprintf(stderr, "dispatcherctl: command '%s' needs the name of a service\n", argv[0]);
        return -EINVAL;
    }
    if (argc > (arguments->verb->service == NO_SERVICE ? 1 : 2)) {
        fprintf(stderr, "dispatcherctl: too many arguments for command '%s'\n", argv[0]);
        return -EINVAL;
    }
    return 0;
}
