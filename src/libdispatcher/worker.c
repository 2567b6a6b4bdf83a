#include "libdispatcher/internal.h"

#include "base/fd.h"
#include "base/notify_socket.h"
#include "protocol/channel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* How long dispatcherd may take to answer our greeting. It gives a worker 30 s to be ready. */
#define WELCOME_LIMIT_MSEC 30000

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
    return atomic_load(&worker->is_draining);
}

void worker_wake(dispatcher_worker *worker)
{
    const uint64_t one = 1;

    /* A full counter means that the receiving thread is awake already. */
    (void)!write(worker->wake_fd, &one, sizeof(one));
}

static int say(int error, const char *what)
{
    fprintf(stderr, "libdispatcher: %s: %s\n", what, strerror(-error));
    return error;
}

static int open_channel(dispatcher_worker *worker)
{
    int type;
    socklen_t length = sizeof(type);

    if (getsockopt(PROTOCOL_CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &length) < 0 ||
        type != SOCK_SEQPACKET)
        return say(-ENOTCONN, "descriptor 3 is no control channel; "
                              "this program is started by dispatcherd, not by hand");
    worker->channel = PROTOCOL_CHANNEL_FD;
    /* Descriptors of a service manager's socket activation: they mean nothing further down. */
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDNAMES");
    return fd_set_cloexec(worker->channel, true);
}

static int take_signals(dispatcher_worker *worker)
{
    sigset_t term;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, NULL);
    signal(SIGPIPE, SIG_IGN);
    worker->signal_fd = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
    worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return worker->signal_fd < 0 || worker->wake_fd < 0 ? -errno : 0;
}

static int send_hello(dispatcher_worker *worker)
{
    char bytes[128];
    struct message_text hello = message_text_start(bytes, sizeof(bytes), MESSAGE_HELLO);

    message_text_add_number(&hello, "VERSION_MIN", PROTOCOL_VERSION);
    message_text_add_number(&hello, "VERSION_MAX", PROTOCOL_VERSION);
    return channel_send(worker->channel, bytes, hello.length, NULL, 0);
}

/* The log file, where there is one, is the only descriptor of a welcome. */
static int take_log_file(int fds[], size_t n_fds)
{
    int r = 0;

    if (n_fds > 0 && (dup2(fds[0], STDOUT_FILENO) < 0 || dup2(fds[0], STDERR_FILENO) < 0))
        r = -errno;
    for (size_t i = 0; i < n_fds; i++)
        fd_close(fds[i]);
    return r;
}

static int receive_welcome(dispatcher_worker *worker)
{
    struct pollfd channel = {.fd = worker->channel, .events = POLLIN};
    struct message message;
    int fds[MESSAGE_FDS_MAX];
    size_t n_fds;
    pid_t pid;
    _cleanup_str_ char *bytes = malloc(MESSAGE_BYTES_MAX);

    if (!bytes)
        return -ENOMEM;
    int r = poll(&channel, 1, WELCOME_LIMIT_MSEC);
    if (r <= 0)
        return r == 0 ? -ETIMEDOUT : -errno;
    ssize_t length = channel_receive(worker->channel, bytes, MESSAGE_BYTES_MAX, fds, &n_fds, &pid);
    if (length <= 0)
        return length == 0 ? -ECONNRESET : (int)length;
    r = take_log_file(fds, n_fds);
    if (r == 0)
        r = message_read(bytes, (size_t)length, &message);
    if (r == 0 && message.type != MESSAGE_WELCOME)
        r = -EPROTO;
    if (r == 0)
        r = welcome_read(&message, &worker->welcome);
    return r;
}

static int send_ready(dispatcher_worker *worker, unsigned n_connections)
{
    uint8_t bytes[sizeof(struct message_header)];
    size_t length = message_write_value(bytes, sizeof(bytes), MESSAGE_READY, n_connections);

    return channel_send(worker->channel, bytes, length, NULL, 0);
}

static int greet(dispatcher_worker *worker)
{
    int r = send_hello(worker);

    if (r == 0)
        r = receive_welcome(worker);
    if (r < 0)
        return say(r, "no welcome from dispatcherd");
    atomic_store(&worker->debug, worker->welcome.debug);
    return 0;
}

static int make_ready(dispatcher_worker *worker)
{
    const struct welcome *welcome = &worker->welcome;

    if (worker->callbacks->start) {
        int r = worker->callbacks->start(worker, worker->userdata);
        if (r < 0)
            return r; /* the program has said why */
    }
    int n = sessions_start(worker, welcome->max_connections, welcome->stacksize_bytes);
    if (n < 0)
        return say(n, "cannot make a thread");
    int r = send_ready(worker, (unsigned)n);
    if (r < 0)
        return say(r, "cannot tell dispatcherd that this worker is ready");
    (void)notify_socket_send("READY=1", -1);
    return 0;
}

int dispatcher_worker_run(const struct dispatcher_worker_callbacks *callbacks, void *userdata)
{
    static dispatcher_worker worker; /* as long as any thread may look at it */

    worker.callbacks = callbacks;
    worker.userdata = userdata;
    worker.channel = worker.signal_fd = worker.wake_fd = -1;
    outbox_init(&worker.outbox);
    int r = open_channel(&worker);
    if (r == 0)
        r = take_signals(&worker);
    if (r == 0)
        r = greet(&worker);
    if (r == 0)
        r = make_ready(&worker);
    if (r == 0)
        receive_loop(&worker);
    sessions_stop(&worker.sessions);
    if (r == 0 && callbacks->stop)
        callbacks->stop(&worker, userdata);
    welcome_clear(&worker.welcome);
    worker.signal_fd = fd_close(worker.signal_fd);
    worker.wake_fd = fd_close(worker.wake_fd);
    worker.channel = fd_close(worker.channel);
    return r;
}
