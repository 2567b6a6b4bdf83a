/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/fd.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/str.h"
#include "base/time.h"
#include "config/load.h"
#include "config/print.h"
#include "dispatcherd/by_hand.h"
#include "dispatcherd/config/config_reading.h"
#include "dispatcherd/config/last_config.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/run.h"
#include "dispatcherd/store/store.h"
#include "dispatcherd/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

/* Less than TimeoutStopSec= of dispatcherd.service, so that the daemon ends before systemd kills
 * it. */
#define STOP_LIMIT_SEC 75

enum {
    EXIT_USAGE = 2,
};

enum mode {
    MODE_RUN,
    MODE_CHECK,
    MODE_PRINT_CONFIG,
    MODE_HELP,
    MODE_VERSION,
};

struct arguments {
    enum mode mode;
    const char *config_file;
    const char *mapping_file; /* NULL: "mappings" in the folder of config_file */
    const struct spawner *spawner;
    struct admission_settings admission;
    unsigned stop_limit_sec;
    const char *control_path; /* NULL: in the runtime folder that the service manager has made */
};

static void print_help(void)
{
    printf("Usage: dispatcherd [OPTION]...\n"
           "Accept connections and pass them to pools of worker processes, as configured in\n"
           "dispatcher.cnf.\n\n"
           "  --config FILE        configuration file (default: %s/dispatcher.cnf)\n"
           "  --mappings FILE      mapping file (default: mappings, in the same folder)\n"
           "  --dns-servers LIST   name servers for DNS lists, ADDRESS:PORT,... (default:\n"
           "                       those of DNS_SERVERS, or of resolv.conf)\n"
           "  --ident-port PORT    port of the clients' IDENT servers (default: %d)\n"
           "  --spawner NAME       self: start the workers (default); unit: systemd does\n"
           "  --control PATH       control socket for dispatcherctl (default: control, in the\n"
           "                       runtime directory of the unit; without a unit, none)\n"
           "  --stop-limit SECONDS time limit for sessions when stopping (default: %d)\n"
           "  --check              report all errors and warnings of the files, and exit\n"
           "  --print-config       print every service's effective options, and exit\n"
           "  --help, --version\n\n"
           "See dispatcherd(8) and dispatcher.cnf(5).\n",
           CONFIG_DIR, IDENT_PORT, STOP_LIMIT_SEC);
}

static int parse_number(const char *text, unsigned long max, unsigned long *ret)
{
    char *end;

    errno = 0;
    *ret = strtoul(text, &end, 10);
    return errno != 0 || text[0] < '0' || text[0] > '9' || *end || *ret > max ? -EINVAL : 0;
}

static int parse_seconds(const char *text, unsigned *ret)
{
    unsigned long value;

    int r = parse_number(text, 86400, &value);
    if (r == 0)
        *ret = (unsigned)value;
    return r;
}

static int parse_port(const char *text, uint16_t *ret)
{
    unsigned long value;

    int r = parse_number(text, UINT16_MAX, &value);
    if (r == 0 && value == 0)
        r = -EINVAL;
    if (r == 0)
        *ret = (uint16_t)value;
    return r;
}

enum option_character {
    OPTION_CHARACTER_CONFIG = 256,
    OPTION_CHARACTER_CONTROL,
    OPTION_CHARACTER_DNS_SERVERS,
    OPTION_CHARACTER_IDENT_PORT,
    OPTION_CHARACTER_MAPPINGS,
    OPTION_CHARACTER_SPAWNER,
    OPTION_CHARACTER_STOP_LIMIT,
    OPTION_CHARACTER_CHECK,
    OPTION_CHARACTER_PRINT_CONFIG,
    OPTION_CHARACTER_HELP,
    OPTION_CHARACTER_VERSION,
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPTION_CHARACTER_CONFIG},
    {"control", required_argument, NULL, OPTION_CHARACTER_CONTROL},
    {"dns-servers", required_argument, NULL, OPTION_CHARACTER_DNS_SERVERS},
    {"ident-port", required_argument, NULL, OPTION_CHARACTER_IDENT_PORT},
    {"mappings", required_argument, NULL, OPTION_CHARACTER_MAPPINGS},
    {"spawner", required_argument, NULL, OPTION_CHARACTER_SPAWNER},
    {"stop-limit", required_argument, NULL, OPTION_CHARACTER_STOP_LIMIT},
    {"check", no_argument, NULL, OPTION_CHARACTER_CHECK},
    {"print-config", no_argument, NULL, OPTION_CHARACTER_PRINT_CONFIG},
    {"help", no_argument, NULL, OPTION_CHARACTER_HELP},
    {"version", no_argument, NULL, OPTION_CHARACTER_VERSION},
    {0},
};

/* Reads one option. Returns 0, or -EINVAL after a message. */
static int parse_option(int option, struct arguments *arguments)
{
    switch (option) {
    case OPTION_CHARACTER_CONFIG:
        arguments->config_file = optarg;
        return 0;
    case OPTION_CHARACTER_CONTROL:
        arguments->control_path = optarg;
        return 0;
    case OPTION_CHARACTER_DNS_SERVERS:
        arguments->admission.dns_servers = optarg;
        return 0;
    case OPTION_CHARACTER_IDENT_PORT:
        if (parse_port(optarg, &arguments->admission.ident_port) == 0)
            return 0;
        fprintf(stderr, "dispatcherd: invalid --ident-port '%s': must be 1 to 65535\n", optarg);
        return -EINVAL;
    case OPTION_CHARACTER_MAPPINGS:
        arguments->mapping_file = optarg;
        return 0;
    case OPTION_CHARACTER_SPAWNER:
        arguments->spawner = spawner_find(optarg);
        if (arguments->spawner)
            return 0;
        fprintf(stderr, "dispatcherd: invalid --spawner '%s': must be self or unit\n", optarg);
        return -EINVAL;
    case OPTION_CHARACTER_STOP_LIMIT:
        if (parse_seconds(optarg, &arguments->stop_limit_sec) == 0)
            return 0;
        fprintf(stderr, "dispatcherd: invalid --stop-limit '%s': must be 0 to 86400 seconds\n",
                optarg);
        return -EINVAL;
    case OPTION_CHARACTER_CHECK:
        arguments->mode = MODE_CHECK;
        return 0;
    case OPTION_CHARACTER_PRINT_CONFIG:
        arguments->mode = MODE_PRINT_CONFIG;
        return 0;
    case OPTION_CHARACTER_HELP:
        arguments->mode = MODE_HELP;
        return 0;
    case OPTION_CHARACTER_VERSION:
        arguments->mode = MODE_VERSION;
        return 0;
    default:
        return -EINVAL; /* getopt_long(3) has reported the error */
    }
}

static int parse_arguments(int argc, char *argv[], struct arguments *arguments)
{
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) >= 0)
        if (parse_option(option, arguments) < 0)
            return -EINVAL;
    if (optind < argc) {
        fprintf(stderr, "dispatcherd: unexpected argument '%s'\n", argv[optind]);
        return -EINVAL;
    }
    return 0;
}

static void report_problems(const struct problem_list *problems)
{
    char text[1024];

    for (size_t i = 0; i < problems->n_items; i++) {
        bool is_error = problems->items[i].severity == PROBLEM_ERROR;
        const struct subject subject = {.message_id = is_error ? MESSAGE_ID_CONFIG_REFUSED
                                                               : MESSAGE_ID_CONFIG_WARNING};
        report(is_error ? LOG_ERR : LOG_WARNING, &subject, "%s",
               problem_format(&problems->items[i], text, sizeof(text)));
    }
    size_t n_left_out = problems->n_errors + problems->n_warnings - problems->n_items;
    if (n_left_out > 0)
        report_daemon(problems->n_errors > 0 ? LOG_ERR : LOG_WARNING, "and %zu more %s", n_left_out,
                      str_plural(n_left_out, "problem", "problems"));
}

static int print_config(const char *file, const struct config_paths *paths)
{
    struct problem_list problems = {0};
    struct config config = {0};

    int r = config_load(file, paths, &problems, &config);
    if (r == 0)
        r = config_print(&config, stdout);
    else
        problem_list_print(&problems, stdout);
    problem_list_clear(&problems);
    config_clear(&config);
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Each worker and each waiting connection takes descriptors: raise the limit as far as possible. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* The path of --control, or else of a socket in the first folder of RuntimeDirectory=. Returns NULL
 * if there is neither. */
static const char *control_path(const struct arguments *arguments, char *text, size_t size)
{
    const char *folder = getenv("RUNTIME_DIRECTORY");

    if (arguments->control_path || !folder || !folder[0])
        return arguments->control_path;
    int length = (int)strcspn(folder, ":");
    snprintf(text, size, "%.*s/control", length, folder);
    return text;
}

/* A broken file is no reason to end the workers of a predecessor: its last valid configuration
 * stays in force. */
static int fall_back(int config_fd, int mapping_fd, struct config_version **ret)
{
    const struct subject subject = {.message_id = MESSAGE_ID_CONFIG_REFUSED};

    if (config_fd < 0 || last_config_read(config_fd, mapping_fd, ret) < 0)
        return -ENOENT;
    report(
        LOG_ERR, &subject,
        "the configuration cannot be used; using the last good one until a reload finds one that "
        "can");
    return 0;
}

static int run_with(const struct arguments *arguments, struct inherited *inherited)
{
    char path[PATH_MAX];
    struct run_settings settings = {
        .config_file = arguments->config_file,
        .mapping_file = arguments->mapping_file,
        .spawner = arguments->spawner,
        .admission = arguments->admission,
        .stop_limit_sec = arguments->stop_limit_sec,
        .control_path = control_path(arguments, path, sizeof(path)),
    };
    struct problem_list problems = {0};
    struct config_version *version = NULL, *last = NULL;
    unsigned long number;
    _cleanup_fd_ int config_fd =
        inherited_take_newest(inherited, STORE_CONFIG, &settings.config_number);
    _cleanup_fd_ int mapping_fd = inherited_take_newest(inherited, STORE_MAPPINGS, &number);

    settings.read_at = time_now_usec(CLOCK_REALTIME);
    int r = config_reading_read(arguments->config_file, arguments->mapping_file, false,
                                CONFIG_READING_START_USEC, &problems, &version);
    /* If the predecessor had services and access control, they must not be lost by accident, just
     * as at a reload. */
    if (r == 0 && config_fd >= 0 && last_config_read(config_fd, mapping_fd, &last) == 0)
        r = config_version_guard(last, version, arguments->config_file, arguments->mapping_file,
                                 &problems);
    report_problems(&problems);
    size_t n_errors = problems.n_errors;
    problem_list_clear(&problems);
    /* If the files are not at fault, the service manager is to try again. */
    int status = n_errors > 0 && r != -ETIMEDOUT ? EX_CONFIG : EXIT_FAILURE;
    if (r < 0) {
        if (n_errors == 0)
            report_daemon(LOG_ERR, "cannot read the configuration: %s", strerror(-r));
        config_version_unref(version);
        version = NULL;
        r = fall_back(config_fd, mapping_fd, &version);
        settings.is_on_last_config = r == 0;
    }
    config_version_unref(last);
    if (r < 0)
        return status;
    raise_descriptor_limit();
    return run_services(version, &settings, inherited);
}

static int run(const struct arguments *arguments)
{
    struct inherited inherited;
    int advised = by_hand_advise(arguments->config_file);

    if (advised != 0)
        return advised;
    log_open("dispatcherd");
    int r = inherited_collect(&inherited);
    if (r < 0) {
        report_daemon(LOG_ERR, "the descriptors that the service manager passed cannot be used: %s",
                      strerror(-r));
        return EXIT_FAILURE;
    }
    int status = run_with(arguments, &inherited);
    inherited_clear(&inherited);
    return status;
}

static const char *mappings_beside(const char *config_file, char *text, size_t size)
{
    const char *slash = strrchr(config_file, '/');
    int length = slash ? (int)(slash - config_file) + 1 : 0;

    snprintf(text, size, "%.*smappings", length, config_file);
    return text;
}

int main(int argc, char *argv[])
{
    struct arguments arguments = {
        .config_file = CONFIG_DIR "/dispatcher.cnf",
        .spawner = &spawner_self,
        .admission = {.ident_port = IDENT_PORT},
        .stop_limit_sec = STOP_LIMIT_SEC,
    };
    const struct config_paths paths = config_paths_default();
    char mapping_file[PATH_MAX + sizeof("mappings")]; /* never cut: that would be another file */
    sigset_t before;

    signals_hold(&before);
    int r = fd_fill_standard(O_RDWR);
    if (r < 0) {
        report_daemon(LOG_ERR, "cannot open /dev/null in place of a standard descriptor: %s",
                      strerror(-r));
        return EXIT_FAILURE;
    }
    if (parse_arguments(argc, argv, &arguments) < 0) {
        fprintf(stderr, "Try 'dispatcherd --help' for more information.\n");
        return EXIT_USAGE;
    }
    if (!arguments.mapping_file)
        arguments.mapping_file =
            mappings_beside(arguments.config_file, mapping_file, sizeof(mapping_file));
    if (arguments.mode != MODE_RUN)
        signals_release(&before);
    switch (arguments.mode) {
    case MODE_HELP:
        print_help();
        return EXIT_SUCCESS;
    case MODE_VERSION:
        printf("dispatcherd %s\n", PACKAGE_VERSION);
        return EXIT_SUCCESS;
    case MODE_CHECK:
        return verify(arguments.config_file, arguments.mapping_file);
    case MODE_PRINT_CONFIG:
        return print_config(arguments.config_file, &paths);
    case MODE_RUN:
        break;
    }
    return run(&arguments);
}
