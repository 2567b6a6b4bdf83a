#include "base/address.h"
#include "base/macro.h"
#include "base/time.h"
#include "dispatcherctl/events.h"
#include "dispatcherctl/query.h"
#include "dispatcherctl/reply.h"
#include "dispatcherctl/style.h"
#include "dispatcherctl/test_access.h"
#include "dispatcherctl/top.h"
#include "dispatcherctl/views.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/run/dispatcherd/control"

/* How long to wait for an answer. A reload reads files, which can be on slow disks. */
#define ANSWER_LIMIT_SEC 30
#define RELOAD_LIMIT_SEC 300
#define LIMIT_MAX_SEC    86400

enum {
    EXIT_USAGE = 2,
};

enum service_argument {
    NO_SERVICE,
    MAY_SERVICE,
    MUST_SERVICE,
    ADDRESS, /* of a client; then perhaps a service */
    MASK,    /* of one service, or of all; or none, to show them */
};

struct verb;

static int run_simple(const struct verb *verb, const struct request *request);
static int run_history(const struct verb *verb, const struct request *request);
static int run_debug(const struct verb *verb, const struct request *request);
static int run_events(const struct verb *verb, const struct request *request);
static int run_top(const struct verb *verb, const struct request *request);

static const struct verb {
    const char *name;
    enum service_argument service;
    int (*run)(const struct verb *verb, const struct request *request);
    const char *method; /* of run_simple() */
    const char *list;   /* the member that comes in parts; NULL: none does */
    int (*view)(const json_t *parameters, const char *service, FILE *stream);
    unsigned limit_sec;
    const char *help;
} verbs[] = {
    {"status", NO_SERVICE, run_simple, "Status", NULL, view_status, ANSWER_LIMIT_SEC,
     "the daemon and its services at a glance"},
    {"services", NO_SERVICE, run_simple, "Services", NULL, view_services, ANSWER_LIMIT_SEC,
     "services: gauges, counters, statistics, addresses"},
    {"workers", MAY_SERVICE, run_simple, "Workers", "workers", view_workers, ANSWER_LIMIT_SEC,
     "worker processes, and why they were started"},
    {"connections", MAY_SERVICE, run_simple, "Connections", "connections", view_connections,
     ANSWER_LIMIT_SEC, "connections, and who serves them *"},
    {"history", MAY_SERVICE, run_history, NULL, NULL, view_history, ANSWER_LIMIT_SEC,
     "what has ended, for as long as HISTORICAL_TIME says *"},
    {"explain", ADDRESS, run_simple, "Explain", NULL, view_explain, ANSWER_LIMIT_SEC,
     "what was decided about a client, and would be now *"},
    {"events", MAY_SERVICE, run_events, NULL, NULL, NULL, ANSWER_LIMIT_SEC,
     "what happens, as it happens *"},
    {"top", NO_SERVICE, run_top, NULL, NULL, NULL, ANSWER_LIMIT_SEC,
     "services and workers on a live screen"},
    {"debug", MASK, run_debug, "SetDebug", NULL, view_debug, ANSWER_LIMIT_SEC,
     "what is logged for debugging; with MASK: from now on *"},
    {"stop", MUST_SERVICE, run_simple, "Stop", NULL, view_stop, ANSWER_LIMIT_SEC,
     "accept no more; sessions may finish *"},
    {"start", MUST_SERVICE, run_simple, "Start", NULL, view_start, ANSWER_LIMIT_SEC,
     "accept connections again *"},
    {"restart", MAY_SERVICE, run_simple, "Restart", NULL, view_restart, ANSWER_LIMIT_SEC,
     "replace the workers, losing no connection *"},
    {"reload", NO_SERVICE, run_simple, "Reload", NULL, view_reload, RELOAD_LIMIT_SEC,
     "read the configuration again *"},
};

struct arguments {
    struct request request; /* but for its limit_usec */
    unsigned limit_sec;     /* 0: the verb's own */
    const char *minus_one;  /* a mask of -1 among the options; NULL: none */
    const struct verb *verb;
    struct test_access test; /* of test-access, which asks no daemon */
};

static const char test_access_verb[] = "test-access";

static void print_help(void)
{
    static const char *const words[] = {[NO_SERVICE] = "",
                                        [MAY_SERVICE] = " [SERVICE]",
                                        [MUST_SERVICE] = " SERVICE",
                                        [ADDRESS] = " ADDRESS [SERVICE]",
                                        [MASK] = " [[SERVICE] MASK]"};

    puts("Usage: dispatcherctl [OPTION]... VERB [SERVICE]\n"
         "Shows and steers the service dispatcher.\n");
    for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
        int n = printf("  %s%s", verbs[i].name, words[verbs[i].service]);
        printf("%*s%s\n", n < 25 ? 25 - n : 1, "", verbs[i].help);
    }
    puts("  test-access ADDRESS... what PORT_ACCESS of a mapping file says of clients; offline");
    printf("\n* for root and the members of the group %s\n\n"
           "  --socket PATH          ask the daemon at PATH (default: %s)\n"
           "  --json                 print the reply as JSON\n"
           "  --timeout SECONDS      wait so long for an answer (default: %d; reload: %d)\n"
           "  --mappings FILE        test-access: the file (default: " CONFIG_DIR "/mappings)\n"
           "  --server ADDRESS       test-access: that clients connect to (default: loopback)\n"
           "  --port PORT            test-access: that clients connect to (default: 25)\n"
           "  --callouts fail|succeed\n"
           "                         test-access: what throttles and DNS lists answer "
           "(default: fail)\n"
           "  --help, --version\n\n"
           "See dispatcherctl(1).\n",
           DISPATCHER_USER, DEFAULT_SOCKET, ANSWER_LIMIT_SEC, RELOAD_LIMIT_SEC);
}

/* Arguments */

enum option_character {
    OPTION_CHARACTER_SOCKET = 256,
    OPTION_CHARACTER_JSON,
    OPTION_CHARACTER_TIMEOUT,
    OPTION_CHARACTER_MAPPINGS,
    OPTION_CHARACTER_SERVER,
    OPTION_CHARACTER_PORT,
    OPTION_CHARACTER_CALLOUTS,
    OPTION_CHARACTER_HELP,
    OPTION_CHARACTER_VERSION,
};

static const struct option long_options[] = {
    {"socket", required_argument, NULL, OPTION_CHARACTER_SOCKET},
    {"json", no_argument, NULL, OPTION_CHARACTER_JSON},
    {"timeout", required_argument, NULL, OPTION_CHARACTER_TIMEOUT},
    {"mappings", required_argument, NULL, OPTION_CHARACTER_MAPPINGS},
    {"server", required_argument, NULL, OPTION_CHARACTER_SERVER},
    {"port", required_argument, NULL, OPTION_CHARACTER_PORT},
    {"callouts", required_argument, NULL, OPTION_CHARACTER_CALLOUTS},
    {"help", no_argument, NULL, OPTION_CHARACTER_HELP},
    {"version", no_argument, NULL, OPTION_CHARACTER_VERSION},
    {0},
};

static int parse_limit(const char *text, unsigned *ret)
{
    char *end;

    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end || value < 1 ||
        value > LIMIT_MAX_SEC) {
        fprintf(stderr, "dispatcherctl: --timeout is 1 to %d seconds, not '%s'\n", LIMIT_MAX_SEC,
                text);
        return -EINVAL;
    }
    *ret = (unsigned)value;
    return 0;
}

static int parse_options(int argc, char *argv[], struct arguments *arguments)
{
    int option;

    while ((option = getopt_long(argc, argv, "1", long_options, NULL)) >= 0)
        switch (option) {
        case OPTION_CHARACTER_SOCKET:
            arguments->request.socket = optarg;
            break;
        case OPTION_CHARACTER_JSON:
            arguments->request.is_json = true;
            break;
        case OPTION_CHARACTER_TIMEOUT:
            if (parse_limit(optarg, &arguments->limit_sec) < 0)
                return -EINVAL;
            break;
        case OPTION_CHARACTER_MAPPINGS:
            arguments->test.mappings = optarg;
            break;
        case OPTION_CHARACTER_SERVER:
            arguments->test.server = optarg;
            break;
        case OPTION_CHARACTER_PORT:
            arguments->test.port = optarg;
            break;
        case OPTION_CHARACTER_CALLOUTS:
            arguments->test.callouts = optarg;
            break;
        case OPTION_CHARACTER_HELP:
            print_help();
            exit(EXIT_SUCCESS);
        case OPTION_CHARACTER_VERSION:
            printf("dispatcherctl %s\n", PACKAGE_VERSION);
            exit(EXIT_SUCCESS);
        case '1':
            arguments->minus_one = "-1";
            break;
        default:
            return -EINVAL; /* getopt has said what */
        }
    return 0;
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static bool looks_like_a_mask(const char *word)
{
    return word[0] >= '0' && word[0] <= '9';
}

/* [[SERVICE] MASK], where -1 was taken for an option. */
static int parse_mask(int argc, char *argv[], struct arguments *arguments)
{
    struct request *request = &arguments->request;

    request->mask = arguments->minus_one;
    if (argc > 0 && !request->mask && looks_like_a_mask(argv[argc - 1]))
        request->mask = argv[--argc];
    if (argc > 0)
        request->service = argv[0];
    if (argc > 1 || (request->service && !request->mask)) {
        fputs("dispatcherctl: debug wants a number as its last word, as in DEBUG=: 71, 16%47, "
              "0x47, or -1 for all\n",
              stderr);
        return -EINVAL;
    }
    return 0;
}

/* ADDRESS [SERVICE] */
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

/* The verb and its service. */
static int parse_words(int argc, char *argv[], struct arguments *arguments)
{
    if (argc == 0) {
        fputs("dispatcherctl: a verb is missing\n", stderr);
        return -EINVAL;
    }
    arguments->verb = find_verb(argv[0]);
    if (!arguments->verb) {
        fprintf(stderr, "dispatcherctl: '%s' is no verb\n", argv[0]);
        return -EINVAL;
    }
    if (arguments->verb->service == MASK)
        return parse_mask(argc - 1, argv + 1, arguments);
    if (arguments->minus_one) {
        fprintf(stderr, "dispatcherctl: %s takes no number\n", argv[0]);
        return -EINVAL;
    }
    if (arguments->verb->service == ADDRESS)
        return parse_address(argc - 1, argv + 1, arguments);
    arguments->request.service = argv[1];
    if (argc == 1 && arguments->verb->service == MUST_SERVICE) {
        fprintf(stderr, "dispatcherctl: %s needs the name of a service\n", argv[0]);
        return -EINVAL;
    }
    if (argc > (arguments->verb->service == NO_SERVICE ? 1 : 2)) {
        fprintf(stderr, "dispatcherctl: too many words after %s\n", argv[0]);
        return -EINVAL;
    }
    return 0;
}

/* Verbs */

/* The daemon's sandbox hides other users' processes from it, but not from us. */
static void find_units(json_t *parameters)
{
    json_t *workers = json_object_get(parameters, "workers");
    json_t *worker;
    size_t i;

    json_array_foreach(workers, i, worker)
    {
        pid_t pid = (pid_t)reply_number(worker, "pid");
        char *unit = NULL;

        if (reply_is_set(worker, "unit") || reply_is_true(worker, "is_child") || pid <= 0 ||
            sd_pid_get_unit(pid, &unit) < 0)
            continue;
        json_object_set_new(worker, "unit", json_string(unit));
        free(unit);
    }
}

static int print_reply(const struct request *request, json_t *parameters,
                       int (*view)(const json_t *parameters, const char *service, FILE *stream))
{
    int r = request->is_json ? query_print_json(parameters)
                             : view(parameters, request->service, stdout);

    return query_exit_status(r);
}

static int run_simple(const struct verb *verb, const struct request *request)
{
    json_auto_t *parameters = NULL;

    if (query(request, verb->method, verb->list, &parameters) < 0)
        return EXIT_FAILURE;
    if (strcmp(verb->method, "Workers") == 0)
        find_units(parameters);
    return print_reply(request, parameters, verb->view);
}

static int run_history(_unused_ const struct verb *verb, const struct request *request)
{
    json_auto_t *connections = NULL, *workers = NULL;

    if (query(request, "EndedConnections", "connections", &connections) < 0 ||
        query(request, "EndedWorkers", "workers", &workers) < 0)
        return EXIT_FAILURE;
    if (json_object_update(connections, workers) < 0)
        return query_exit_status(-ENOMEM);
    return print_reply(request, connections, view_history);
}

static int run_debug(const struct verb *verb, const struct request *request)
{
    json_auto_t *parameters = NULL;

    if (request->mask)
        return run_simple(verb, request);
    if (query(request, "Services", NULL, &parameters) < 0)
        return EXIT_FAILURE;
    return print_reply(request, parameters, view_masks);
}

static int run_events(_unused_ const struct verb *verb, const struct request *request)
{
    return events_run(request);
}

static int run_top(_unused_ const struct verb *verb, const struct request *request)
{
    return top_run(request);
}

/* The verb that needs no daemon. Returns an exit status, or EXIT_USAGE. */
static int run_test_access(struct arguments *arguments, int argc, char *argv[])
{
    if (argc == 0) {
        fprintf(stderr, "dispatcherctl: %s needs the address of a client\n", test_access_verb);
        return EXIT_USAGE;
    }
    arguments->test.is_json = arguments->request.is_json;
    return test_access(&arguments->test, argv, (size_t)argc);
}

static int run_verb(struct arguments *arguments)
{
    unsigned limit_sec =
        arguments->limit_sec > 0 ? arguments->limit_sec : arguments->verb->limit_sec;

    arguments->request.limit_usec = limit_sec * USEC_PER_SEC;
    style_start(STDOUT_FILENO);
    return arguments->verb->run(arguments->verb, &arguments->request);
}

int main(int argc, char *argv[])
{
    struct arguments arguments = {.request.socket = DEFAULT_SOCKET};
    int status = EXIT_USAGE;

    if (parse_options(argc, argv, &arguments) == 0) {
        if (optind < argc && strcmp(argv[optind], test_access_verb) == 0)
            status = run_test_access(&arguments, argc - optind - 1, argv + optind + 1);
        else if (parse_words(argc - optind, argv + optind, &arguments) == 0)
            status = run_verb(&arguments);
    }
    if (status == EXIT_USAGE)
        fputs("Try 'dispatcherctl --help'.\n", stderr);
    return status;
}
