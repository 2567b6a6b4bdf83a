#include "base/macro.h"
#include "base/time.h"
#include "dispatcherctl/client.h"
#include "dispatcherctl/explain.h"
#include "dispatcherctl/reply.h"
#include "dispatcherctl/test_access.h"
#include "dispatcherctl/views.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>

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
};

static const struct verb {
    const char *name;
    enum service_argument service;
    const char *method;
    const char *list; /* the member that comes in parts; NULL: none does */
    int (*view)(const json_t *parameters, const char *service, FILE *stream);
    unsigned limit_sec;
    const char *help;
} verbs[] = {
    {"status", NO_SERVICE, "Status", NULL, view_status, ANSWER_LIMIT_SEC,
     "the daemon and its services at a glance"},
    {"services", NO_SERVICE, "Services", NULL, view_services, ANSWER_LIMIT_SEC,
     "services: workers, connections, addresses"},
    {"workers", MAY_SERVICE, "Workers", "workers", view_workers, ANSWER_LIMIT_SEC,
     "worker processes, and why they were started"},
    {"connections", MAY_SERVICE, "Connections", "connections", view_connections, ANSWER_LIMIT_SEC,
     "connections, and who serves them *"},
    {"stop", MUST_SERVICE, "Stop", NULL, view_stop, ANSWER_LIMIT_SEC,
     "accept no more; sessions may finish *"},
    {"start", MUST_SERVICE, "Start", NULL, view_start, ANSWER_LIMIT_SEC,
     "accept connections again *"},
    {"restart", MAY_SERVICE, "Restart", NULL, view_restart, ANSWER_LIMIT_SEC,
     "replace the workers, losing no connection *"},
    {"reload", NO_SERVICE, "Reload", NULL, view_reload, RELOAD_LIMIT_SEC,
     "read the configuration again *"},
};

struct arguments {
    const char *socket;
    bool is_json;
    unsigned limit_sec; /* 0: the verb's own */
    const struct verb *verb;
    const char *service;     /* NULL: all */
    struct test_access test; /* of test-access, which asks no daemon */
};

static const char test_access_verb[] = "test-access";

static void print_help(void)
{
    static const char *const words[] = {
        [NO_SERVICE] = "", [MAY_SERVICE] = " [SERVICE]", [MUST_SERVICE] = " SERVICE"};

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

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) >= 0)
        switch (option) {
        case OPTION_CHARACTER_SOCKET:
            arguments->socket = optarg;
            break;
        case OPTION_CHARACTER_JSON:
            arguments->is_json = true;
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
    arguments->service = argv[1];
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

/* Calls */

/* Returns NULL where the name of the service is no text at all (UTF-8). */
static json_t *call_parameters(const struct arguments *arguments, const char *after)
{
    return json_pack("{s:s*, s:s*}", "service", arguments->service, "after", after);
}

static uint64_t limit_usec(const struct arguments *arguments)
{
    return USEC_PER_SEC *
           (arguments->limit_sec > 0 ? arguments->limit_sec : arguments->verb->limit_sec);
}

/* Adds what `part` has of the list to `whole`. */
static int join(json_t *whole, const json_t *part, const char *list)
{
    json_t *to = json_object_get(json_object_get(whole, "parameters"), list);
    json_t *from = json_object_get(json_object_get(part, "parameters"), list);

    return json_array_extend(to, from) < 0 ? -EBADMSG : 0;
}

/* The whole reply, whose list may come in parts. */
static int call(struct client *client, const struct arguments *arguments, json_t **ret)
{
    const struct verb *verb = arguments->verb;
    json_auto_t *whole = NULL;
    char *after = NULL;

    for (;;) {
        json_auto_t *part = NULL;
        int r = client_call(client, verb->method, call_parameters(arguments, after),
                            limit_usec(arguments), &part);

        free(after);
        after = NULL;
        if (r < 0)
            return r;
        json_t *next = json_object_get(json_object_get(part, "parameters"), "next");
        if (json_is_string(next) && verb->list)
            after = strdup(json_string_value(next));
        if (json_object_get(part, "error") || !whole) {
            json_decref(whole);
            whole = json_incref(part);
        } else if ((r = join(whole, part, verb->list)) < 0) {
            free(after);
            return r;
        }
        if (!after)
            break;
    }
    json_object_del(json_object_get(whole, "parameters"), "next");
    *ret = json_incref(whole);
    return 0;
}

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

static int print_reply(const struct arguments *arguments, json_t *reply)
{
    json_t *parameters = json_object_get(reply, "parameters");
    int r = 0;

    find_units(parameters);
    if (!arguments->is_json)
        r = arguments->verb->view(parameters, arguments->service, stdout);
    else if (json_dumpf(parameters, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0 ||
             puts("") == EOF)
        r = -EIO;
    if (r == 0 && fflush(stdout) != 0)
        r = -errno;
    if (r < 0)
        fprintf(stderr, "dispatcherctl: cannot print: %s\n", strerror(-r));
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(const struct arguments *arguments)
{
    struct client client = {.fd = -1};
    json_auto_t *reply = NULL;

    int r = client_open(arguments->socket, limit_usec(arguments), &client);
    if (r == 0)
        r = call(&client, arguments, &reply);
    client_close(&client);
    if (r < 0) {
        explain_failure(arguments->socket, r);
        return EXIT_FAILURE;
    }
    if (json_object_get(reply, "error")) {
        explain_error(reply);
        return EXIT_FAILURE;
    }
    return print_reply(arguments, reply);
}

/* The verb that needs no daemon. Returns an exit status, or EXIT_USAGE. */
static int run_test_access(struct arguments *arguments, int argc, char *argv[])
{
    if (argc == 0) {
        fprintf(stderr, "dispatcherctl: %s needs the address of a client\n", test_access_verb);
        return EXIT_USAGE;
    }
    arguments->test.is_json = arguments->is_json;
    return test_access(&arguments->test, argv, (size_t)argc);
}

int main(int argc, char *argv[])
{
    struct arguments arguments = {.socket = DEFAULT_SOCKET};
    int status = EXIT_USAGE;

    if (parse_options(argc, argv, &arguments) == 0) {
        if (optind < argc && strcmp(argv[optind], test_access_verb) == 0)
            status = run_test_access(&arguments, argc - optind - 1, argv + optind + 1);
        else if (parse_words(argc - optind, argv + optind, &arguments) == 0)
            status = run(&arguments);
    }
    if (status == EXIT_USAGE)
        fputs("Try 'dispatcherctl --help'.\n", stderr);
    return status;
}
