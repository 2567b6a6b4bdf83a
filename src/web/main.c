/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* dispatcherd-web: shows the state of dispatcherd to browsers and to Prometheus. It changes
 * nothing. */
#include "base/accept_error.h"
#include "base/call_filter.h"
#include "base/event_source.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/signals.h"
#include "base/time.h"
#include "base/timer.h"
#include "web/http.h"
#include "web/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/run/dispatcherd/control"
#define DEFAULT_LISTEN "127.0.0.1:7633"

/* The most names for Host:, besides the host's own. */
#define HOSTS_MAX 8

/* How long to pause if the kernel has no descriptor or memory for a connection. */
#define ACCEPT_PAUSE_USEC USEC_PER_SEC

/* A sample may be this much late. */
#define SAMPLE_ACCURACY_USEC (USEC_PER_SEC / 4)

enum {
    EXIT_USAGE = 2,
};

struct web {
    const char *socket;
    const char *hosts[HOSTS_MAX];
    size_t n_hosts;
    struct address addresses[LISTEN_MAX]; /* of --listen */
    size_t n_addresses;
    struct connector connector;
    struct listen listen;
    struct answers answers;
    struct http *http;
    sd_event *event;
    sd_event_source *listening[LISTEN_MAX];
    uint64_t accept_at; /* not before this time */
    struct timer sample;
    uint64_t sample_at; /* CLOCK_MONOTONIC */
};

static void print_help(void)
{
    puts("Usage: dispatcherd-web [OPTION]...\n"
         "Show the figures of the service dispatcher over HTTP. Read-only.\n\n"
         "  --socket PATH           control socket of the daemon (default:  " DEFAULT_SOCKET ")\n"
         "  --listen ADDRESS:PORT   address to listen on (default: " DEFAULT_LISTEN
         ", or the sockets\n"
         "                          that systemd passes); may be repeated\n"
         "  --host NAME             host name that browsers may use; may be repeated\n"
         "  --help, --version\n\n"
         "See dispatcherd-web(8).");
}

/* Events */

/* At equal intervals, however late the last one was. */
static void on_sample(void *data)
{
    struct web *web = data;

    answers_sample(&web->answers);
    web->sample_at += SAMPLES_INTERVAL_USEC;
    timer_set_at(&web->sample, web->sample_at);
}

/* It exits before this process only if it was killed. */
static int on_connector_end(sd_event_source *source _unused_, int fd _unused_,
                            uint32_t events _unused_, void *data)
{
    struct web *web = data;

    log_err("The process that connects to dispatcherd has ended");
    return sd_event_exit(web->event, EPIPE);
}

static int on_http(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_,
                   void *data _unused_)
{
    return 0; /* http_run() handles that before the next wait */
}

/* Closes a socket that no longer listens. */
static void lose(struct web *web, int fd, int error)
{
    size_t i = 0;

    while (web->listen.fds[i] != fd)
        i++;
    log_err("A socket no longer listens (%s): another program has shut it down, as "
            "\"ss -K\" does. To listen again: systemctl restart dispatcherd-web.service "
            "dispatcherd-web.socket",
            strerror(error));
    sd_event_source_disable_unref(web->listening[i]);
    fd_close(fd);
    web->listen.n--;
    web->listening[i] = web->listening[web->listen.n];
    web->listen.fds[i] = web->listen.fds[web->listen.n];
    web->listening[web->listen.n] = NULL;
}

static int on_accept(sd_event_source *source _unused_, int fd, uint32_t events _unused_, void *data)
{
    struct web *web = data;

    if (!http_has_room(web->http))
        http_make_room(web->http);
    while (http_has_room(web->http)) {
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (client >= 0) {
            (void)http_add(web->http, client); /* if the client is gone, that is no error */
            continue;
        }
        int error = errno;

        switch (accept_error_classify(fd, error)) {
        case ACCEPT_ERROR_EMPTY:
            return 0;
        case ACCEPT_ERROR_NEXT:
            continue;
        case ACCEPT_ERROR_PAUSE:
            log_warning("Cannot accept a connection: %s", strerror(error));
            web->accept_at = time_now_usec(CLOCK_MONOTONIC) + ACCEPT_PAUSE_USEC;
            return 0;
        case ACCEPT_ERROR_LOST:
            lose(web, fd, error);
            return 0;
        }
    }
    return 0;
}

/* Clients for which there is no place wait in the kernel. */
static int adjust_listening(struct web *web)
{
    bool is_on = (http_has_room(web->http) || http_can_make_room(web->http)) &&
                 time_now_usec(CLOCK_MONOTONIC) >= web->accept_at;

    for (size_t i = 0; i < web->listen.n; i++) {
        int r = sd_event_source_set_enabled(web->listening[i], is_on ? SD_EVENT_ON : SD_EVENT_OFF);
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_sources(struct web *web)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGTERM};
    int r = sd_event_default(&web->event);

    for (size_t i = 0; i < ELEMENTSOF(signals) && r >= 0; i++)
        r = sd_event_add_signal(web->event, NULL, signals[i], NULL, NULL);
    for (size_t i = 0; i < web->listen.n && r >= 0; i++)
        r = sd_event_add_io(web->event, &web->listening[i], web->listen.fds[i], EPOLLIN, on_accept,
                            web);
    if (r >= 0)
        r = sd_event_add_io(web->event, NULL, http_fd(web->http), EPOLLIN, on_http, web);
    if (r >= 0) /* only to see a hang-up, which is always reported */
        r = sd_event_add_io(web->event, NULL, web->connector.fd, 0, on_connector_end, web);
    if (r >= 0)
        r = timer_init(&web->sample, web->event, SAMPLE_ACCURACY_USEC, on_sample, web);
    web->sample_at = time_now_usec(CLOCK_MONOTONIC);
    timer_set_at(&web->sample, web->sample_at);
    return r < 0 ? r : sd_event_set_watchdog(web->event, true);
}

static int loop(struct web *web)
{
    while (sd_event_get_state(web->event) != SD_EVENT_FINISHED) {
        uint64_t limit = http_run(web->http);
        int r = adjust_listening(web);

        if (r < 0)
            return r;
        if (web->accept_at > time_now_usec(CLOCK_MONOTONIC) && limit > ACCEPT_PAUSE_USEC)
            limit = ACCEPT_PAUSE_USEC;
        r = sd_event_run(web->event, limit);
        if (r < 0)
            return r;
        if (web->listen.n == 0)
            return -ENOTCONN; /* without a socket there is nothing to do */
    }
    return -event_loop_exit_code(web->event); /* of a signal: 0 */
}

static int run(struct web *web)
{
    web->answers.figures = FIGURES_INIT(&web->connector);
    int r = http_new(&web->answers, web->hosts, web->n_hosts, &web->http);
    if (r == 0)
        r = add_sources(web);
    if (r >= 0) {
        sd_notify(0, "READY=1");
        r = loop(web);
    }
    for (size_t i = 0; i < LISTEN_MAX; i++)
        sd_event_source_unref(web->listening[i]);
    timer_clear(&web->sample);
    /* The event loop uses its descriptor, so that comes first. */
    sd_event_unref(web->event);
    http_free(web->http);
    answers_clear(&web->answers);
    return r;
}

/* From here on the process reads from the network. An attacker who takes it over can only talk to
 * the clients of its sockets. */
static int confine(struct web *web)
{
    int r = connector_start(&web->connector, web->socket);

    if (r < 0) {
        log_err("Cannot start the process that connects to dispatcherd: %s", strerror(-r));
        return r;
    }
    r = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
            ? -errno
            : call_filter_install(CALL_FILTER_LINGER | CALL_FILTER_CONNECT);
    if (r < 0)
        log_warning("Cannot prevent this process from opening other connections: %s", strerror(-r));
    return 0;
}

/* Arguments */

static const struct option long_options[] = {
    {"socket", required_argument, NULL, 's'}, {"listen", required_argument, NULL, 'l'},
    {"host", required_argument, NULL, 'n'},   {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},      {0},
};

static int usage_error(void)
{
    fputs("Try 'dispatcherd-web --help' for more information.\n", stderr);
    return EXIT_USAGE;
}

static int complain(const char *what, const char *value, const char *why)
{
    fprintf(stderr, "dispatcherd-web: %s '%s': %s\n", what, value, why);
    return usage_error();
}

/* Returns -1 to go on, or the exit status. */
static int take_option(struct web *web, int option)
{
    switch (option) {
    case 's':
        web->socket = optarg;
        return -1;
    case 'l':
        if (web->n_addresses == LISTEN_MAX)
            return complain("cannot add the address", optarg, "too many addresses");
        if (listen_parse(optarg, &web->addresses[web->n_addresses]) < 0)
            return complain("invalid address", optarg, "must be ADDRESS:PORT or [ADDRESS]:PORT");
        web->n_addresses++;
        return -1;
    case 'n':
        if (web->n_hosts == HOSTS_MAX)
            return complain("cannot add the host name", optarg, "too many host names");
        web->hosts[web->n_hosts++] = optarg;
        return -1;
    case 'h':
        print_help();
        return EXIT_SUCCESS;
    case 'v':
        puts("dispatcherd-web " PACKAGE_VERSION);
        return EXIT_SUCCESS;
    default:
        return usage_error();
    }
}

static int parse_arguments(struct web *web, int argc, char *argv[])
{
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
        int status = take_option(web, option);

        if (status >= 0)
            return status;
    }
    return optind < argc ? complain("unexpected argument", argv[optind], "only options are allowed")
                         : -1;
}

static const char *socket_error(int error)
{
    return error == -E2BIG ? "too many sockets" : strerror(-error);
}

/* Listens on our own addresses, beside the sockets that were passed. */
static int open_sockets(struct web *web)
{
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < web->n_addresses; i++) {
        const struct address *address = &web->addresses[i];
        int r = listen_at(&web->listen, address);

        if (r < 0) {
            log_err("Cannot listen on %s: %s", address_format(address, text), socket_error(r));
            return r;
        }
    }
    return 0;
}

static int prepare_sockets(struct web *web)
{
    int r = listen_take_passed(&web->listen);

    if (r < 0) {
        log_err("Cannot use the sockets that were passed: %s", socket_error(r));
        return r;
    }
    if (r == 0 && web->n_addresses == 0)
        (void)listen_parse(DEFAULT_LISTEN, &web->addresses[web->n_addresses++]);
    return open_sockets(web);
}

int main(int argc, char *argv[])
{
    struct web web = {.socket = DEFAULT_SOCKET, .connector = CONNECTOR_INIT};
    sigset_t before;

    signals_hold(&before);
    /* It has no children of its own; as process 1 of a container it gets orphans. */
    signal(SIGCHLD, SIG_IGN);
    int filled = fd_fill_standard(O_RDWR);
    log_open("dispatcherd-web");
    if (filled < 0) {
        log_err("Cannot open /dev/null: %s", strerror(-filled));
        return EXIT_FAILURE;
    }
    int status = parse_arguments(&web, argc, argv);
    if (status < 0) {
        int r = prepare_sockets(&web);
        if (r >= 0)
            r = confine(&web);
        if (r >= 0 && (r = run(&web)) < 0)
            log_err("Cannot continue: %s", strerror(-r));
        status = r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    listen_close(&web.listen);
    connector_end(&web.connector);
    return status;
}
