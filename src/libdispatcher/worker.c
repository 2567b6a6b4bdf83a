/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "libdispatcher/internal.h"

#include "base/call_filter.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "libdispatcher/debug.h"
#include "protocol/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* How long dispatcherd may take to answer the greeting. It gives a worker 30 s to be ready. */
#define WELCOME_LIMIT_MSEC 30000

/* A variable of the environment: 1 for a program that needs SO_LINGER. */
#define ALLOW_LINGER "DISPATCHER_ALLOW_LINGER"

/* How long the program's `stop` may take. dispatcherd gives an idle worker that drains 30 s. */
#define STOP_LIMIT_USEC (20 * USEC_PER_SEC)

const char *dispatcher_worker_service(const dispatcher_worker *worker)
{
    return worker->welcome.service;
}

unsigned dispatcher_worker_slot(const dispatcher_worker *worker)
{
    return worker->welcome.slot;
}

unsigned dispatcher_worker_max_connections(const dispatcher_worker *worker)
{
    return worker->welcome.max_connections;
}

const char *dispatcher_worker_parameter(const dispatcher_worker *worker, size_t index)
{
    const struct str_list *parameters = &worker->welcome.parameters;

    return index < parameters->n_items ? parameters->items[index] : NULL;
}

const char *dispatcher_worker_parameter_value(const dispatcher_worker *worker, const char *name)
{
    const struct str_list *parameters = &worker->welcome.parameters;
    size_t length = strlen(name);

    for (size_t i = parameters->n_items; i > 0; i--) {
        const char *item = parameters->items[i - 1];

        if (str_starts_nocase(item, name) && item[length] == '=')
            return item + length + 1;
    }
    return NULL;
}

const char *dispatcher_worker_host_name(const dispatcher_worker *worker)
{
    return worker->welcome.host_name;
}

uint32_t dispatcher_worker_debug(const dispatcher_worker *worker)
{
    return atomic_load_explicit(&worker->debug, memory_order_relaxed);
}

bool dispatcher_worker_is_draining(const dispatcher_worker *worker)
{
    return drain_kind(&worker->drain) != DISPATCHER_DRAIN_NONE;
}

enum dispatcher_drain dispatcher_worker_drain(const dispatcher_worker *worker)
{
    return drain_kind(&worker->drain);
}

int dispatcher_worker_drain_fd(const dispatcher_worker *worker, enum dispatcher_drain kind)
{
    return kind == DISPATCHER_DRAIN_STOP ? worker->drain.stop_fd : worker->drain.recycle_fd;
}

bool dispatcher_worker_is_stressed(const dispatcher_worker *worker)
{
    return atomic_load_explicit(&worker->stress.is_on, memory_order_relaxed);
}

int dispatcher_worker_stress_fd(const dispatcher_worker *worker)
{
    return worker->stress.fd;
}

void worker_wake(dispatcher_worker *worker)
{
    const uint64_t one = 1;

    /* If the counter is full, the main thread is awake already. */
    (void)!write(worker->wake_fd, &one, sizeof(one));
}

static int say(int error, const char *what)
{
    log_err("libdispatcher: %s: %s", what, strerror(-error));
    return error;
}

static int open_channel(dispatcher_worker *worker)
{
    int type;
    socklen_t length = sizeof(type);

    if (getsockopt(PROTOCOL_CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &length) < 0 ||
        type != SOCK_SEQPACKET)
        return say(-ENOTCONN, "file descriptor 3 is not a control channel; "
                              "this program must be started by dispatcherd");
    worker->channel = PROTOCOL_CHANNEL_FD;
    /* Descriptors of socket activation are not meant for the program's children. */
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDNAMES");
    return fd_set_cloexec(worker->channel, true);
}

static int check_callbacks(const struct dispatcher_worker_callbacks *callbacks)
{
    if (!callbacks->serve != !callbacks->take)
        return 0;
    return say(-EINVAL, "the program must provide either 'serve' or 'take'");
}

/* Before `start`, which may pass the descriptors on. */
static int make_descriptors(dispatcher_worker *worker)
{
    int r = drain_init(&worker->drain);

    if (r == 0)
        r = stress_init(&worker->stress);
    return r < 0 ? say(r, "cannot create the descriptors that sessions wait for") : 0;
}

/* After the welcome: before that, SIGTERM ends the process as usual. */
static int take_signals(dispatcher_worker *worker)
{
    sigset_t term;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, NULL);
    signal(SIGPIPE, SIG_IGN);
    /* If a LOGFILE reaches its size limit (setrlimit(2)), lines are lost, not sessions. */
    signal(SIGXFSZ, SIG_IGN);
    worker->signal_fd = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
    if (worker->signal_fd >= 0)
        worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return worker->wake_fd < 0 ? say(-errno, "cannot wait for signals") : 0;
}

static int make_waiting_place(dispatcher_worker *worker)
{
    struct epoll_event event = {.events = 0};

    worker->idle_epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->work_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    event.data.fd = worker->work_fd;
    if (worker->idle_epoll < 0 || worker->work_fd < 0 ||
        epoll_ctl(worker->idle_epoll, EPOLL_CTL_ADD, worker->work_fd, &event) < 0)
        return say(-errno, "cannot wait for connections");
    return 0;
}

static int send_hello(dispatcher_worker *worker)
{
    char bytes[128];
    struct message_text hello = message_text_start(bytes, sizeof(bytes), MESSAGE_HELLO);

    message_text_add_number(&hello, "VERSION_MIN", PROTOCOL_VERSION);
    message_text_add_number(&hello, "VERSION_MAX", PROTOCOL_VERSION);
    message_text_add_number(&hello, "RING", RING_VERSION);
    message_text_add_number(&hello, "STOP", 1);
    message_text_add_number(&hello, "LOG", 1);
    message_text_add_number(&hello, "STRESS", 1);
    message_text_add_number(&hello, "IDENTITY", 1);
    message_text_add_number(&hello, "ANSWER", 1);
    if (worker->callbacks->offer)
        message_text_add_number(&hello, "PASS", 1);
    return channel_send(worker->channel, bytes, hello.length, NULL, 0);
}

int worker_use_log_file(int fd)
{
    if (dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        return -errno;
    log_use_file();
    return 0;
}

/* The ring comes first, then the log file, if there is one. */
static int take_descriptors(dispatcher_worker *worker, const int fds[], size_t n_fds)
{
    const struct welcome *welcome = &worker->welcome;
    struct ring_writer ring;

    if (n_fds == 0 || n_fds > 2)
        return -EBADMSG;
    int r = ring_writer_open(&ring, fds[0], welcome->n_ring_entries, welcome->max_connections);
    if (r < 0)
        return r;
    news_use_ring(&worker->news, &ring);
    return n_fds > 1 ? worker_use_log_file(fds[1]) : 0;
}

static int read_welcome(const void *bytes, size_t length, struct welcome *ret)
{
    struct message message;
    int r = message_read(bytes, length, &message);

    if (r == 0 && message.type != MESSAGE_WELCOME)
        r = -EBADMSG;
    return r == 0 ? welcome_read(&message, ret) : r;
}

/* Signals of the program itself may interrupt this. */
static int wait_for_packet(int channel, int limit_msec)
{
    struct pollfd pollfd = {.fd = channel, .events = POLLIN};
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    uint64_t end = now + (uint64_t)limit_msec * USEC_PER_MSEC;
    int r;

    do {
        r = poll(&pollfd, 1, (int)((end - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC));
        now = time_now_usec(CLOCK_MONOTONIC);
    } while (r < 0 && errno == EINTR && now < end);
    if (r < 0 && errno != EINTR)
        return -errno;
    return r > 0 ? 0 : -ETIMEDOUT;
}

static int receive_welcome(dispatcher_worker *worker, int limit_msec)
{
    int fds[MESSAGE_FDS_MAX];
    size_t n_fds;
    pid_t pid;
    _cleanup_str_ char *bytes = malloc(MESSAGE_BYTES_MAX);

    if (!bytes)
        return -ENOMEM;
    int r = wait_for_packet(worker->channel, limit_msec);
    if (r < 0)
        return r;
    ssize_t length = channel_receive(worker->channel, bytes, MESSAGE_BYTES_MAX, fds, &n_fds, &pid);
    if (length <= 0)
        return length == 0 ? -ECONNRESET : (int)length;
    r = read_welcome(bytes, (size_t)length, &worker->welcome);
    if (r == 0)
        r = take_descriptors(worker, fds, n_fds);
    for (size_t i = 0; i < n_fds; i++)
        fd_close(fds[i]);
    return r;
}

static int send_ready(dispatcher_worker *worker, unsigned n_connections)
{
    uint8_t bytes[sizeof(struct message_header)];
    size_t length = message_write_value(bytes, sizeof(bytes), MESSAGE_READY, n_connections);

    return channel_send(worker->channel, bytes, length, NULL, 0);
}

static int greet(dispatcher_worker *worker, int welcome_limit_msec)
{
    int r = send_hello(worker);

    if (r == 0)
        r = receive_welcome(worker, welcome_limit_msec);
    if (r == -EPROTO)
        return say(r, "dispatcherd uses another version of the protocol");
    if (r < 0)
        return say(r, "no answer from dispatcherd");
    atomic_store(&worker->debug, worker->welcome.debug);
    alert_meet(&worker->alert, worker->welcome.knows_alert != 0);
    tls_meet(&worker->tls, worker->welcome.knows_tls != 0);
    debug_say(worker, DEBUG_WORKER_IO, NULL, "welcome: slot %u, %u %s, DEBUG=16%%%X",
              worker->welcome.slot, worker->welcome.max_connections,
              str_plural(worker->welcome.max_connections, "connection", "connections"),
              worker->welcome.debug);
    return 0;
}

/* Prevents SO_LINGER (socket(7)), so that an attacker who takes over this process cannot make
 * dispatcherd or systemd wait when they close a client's socket. Only if no_new_privs is set, as it
 * is in a worker's unit: otherwise this would affect programs that this one starts. */
static void forbid_lingering(void)
{
    const char *allow = getenv(ALLOW_LINGER);

    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && !(allow && strcmp(allow, "1") == 0))
        (void)call_filter_install(CALL_FILTER_LINGER);
}

static int make_ready(dispatcher_worker *worker)
{
    const struct welcome *welcome = &worker->welcome;

    if (worker->callbacks->start) {
        int r = worker->callbacks->start(worker, worker->userdata);
        if (r < 0)
            return r; /* the program has reported the reason */
    }
    int n = sessions_start(worker, welcome->max_connections, welcome->stacksize_bytes);
    if (n < 0)
        return say(n, "cannot create a thread");
    int r = send_ready(worker, (unsigned)n);
    if (r < 0)
        return say(r, "cannot notify dispatcherd that this worker is ready");
    r = receiver_start(worker);
    if (r < 0)
        return say(r, "cannot wait for connections");
    debug_say(worker, DEBUG_WORKER, NULL, "ready with %d %s", n,
              str_plural((uint64_t)n, "place", "places"));
    return 0;
}

/* If the program hangs in `stop`, or after it, the kernel ends it. */
static void limit_stop(void)
{
    struct sigevent kill = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    uint64_t at = time_now_usec(CLOCK_MONOTONIC) + STOP_LIMIT_USEC;
    timer_t timer;

    struct itimerspec when = {.it_value = {.tv_sec = (time_t)(at / USEC_PER_SEC),
                                           .tv_nsec = (long)(at % USEC_PER_SEC * NSEC_PER_USEC)}};
    if (timer_create(CLOCK_MONOTONIC, &kill, &timer) == 0)
        timer_settime(timer, TIMER_ABSTIME, &when, NULL);
}

static int serve(dispatcher_worker *worker)
{
    int r = take_signals(worker);

    if (r == 0)
        r = make_waiting_place(worker);
    forbid_lingering();
    if (r == 0)
        r = make_ready(worker);
    if (r < 0)
        return r;
    attend_to_life(worker);
    debug_say(worker, DEBUG_WORKER, NULL, "the last session has ended; exiting");
    limit_stop();
    sessions_stop(worker);
    if (worker->callbacks->stop)
        worker->callbacks->stop(worker, worker->userdata);
    return 0;
}

int worker_run(const struct dispatcher_worker_callbacks *callbacks, void *userdata,
               int welcome_limit_msec)
{
    static dispatcher_worker worker; /* static, since threads may use it until the end */

    worker.callbacks = callbacks;
    worker.userdata = userdata;
    worker.channel = worker.signal_fd = worker.wake_fd = -1;
    worker.idle_epoll = worker.work_fd = worker.teller_fd = -1;
    worker.drain.recycle_fd = worker.drain.stop_fd = worker.stress.fd = -1;
    pthread_mutex_init(&worker.receiver.lock, NULL);
    news_init(&worker.news);
    alert_init(&worker.alert);
    tls_init(&worker.tls);
    int r = fd_fill_standard(O_RDWR);
    debug_start();
    if (r < 0)
        return say(r, "cannot open /dev/null");
    r = check_callbacks(callbacks);
    if (r == 0)
        r = open_channel(&worker);
    if (r == 0)
        r = make_descriptors(&worker);
    if (r == 0)
        r = greet(&worker, welcome_limit_msec);
    if (r == 0)
        r = serve(&worker);
    sessions_stop(&worker);
    /* Not before `stop`, which has waited for the program's threads: one of them may still have
     * been in dispatcher_connection_end(). */
    sessions_free(&worker);
    news_free(&worker.news);
    welcome_clear(&worker.welcome);
    drain_free(&worker.drain);
    stress_free(&worker.stress);
    worker.signal_fd = fd_close(worker.signal_fd);
    worker.wake_fd = fd_close(worker.wake_fd);
    worker.work_fd = fd_close(worker.work_fd);
    worker.teller_fd = fd_close(worker.teller_fd);
    worker.idle_epoll = fd_close(worker.idle_epoll);
    worker.channel = fd_close(worker.channel);
    return r;
}

int dispatcher_worker_run(const struct dispatcher_worker_callbacks *callbacks, void *userdata)
{
    return worker_run(callbacks, userdata, WELCOME_LIMIT_MSEC);
}
