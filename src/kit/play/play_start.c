/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "kit/play/play.h"

#include "base/fd.h"
#include "base/memfd.h"
#include "kit/play/verdict.h"
#include "protocol/channel.h"
#include "protocol/tunables.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The longest name and value of an unknown string with NUL; its number is added. */
enum {
    FILL_STEP = 1000,
    BACKLOG = 64
};

static void set_environment(const struct play_start *start)
{
    char pid[16];

    setenv("LISTEN_FDS", "1", 1);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDNAMES");
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    setenv(WORKER_TUNABLES_NAME, WORKER_TUNABLES_VALUE, 0);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    if (start->has_listen_pid) {
        setenv("LISTEN_PID", pid, 1);
        setenv("LISTEN_FDNAMES", "connection", 1);
    }
    if (start->notify_socket)
        setenv("NOTIFY_SOCKET", start->notify_socket, 1);
    if (start->watchdog_usec) {
        setenv("WATCHDOG_USEC", start->watchdog_usec, 1);
        setenv("WATCHDOG_PID", pid, 1);
    }
}

/* In the worker's process, which is killed when the process of the scene ends. */
_Noreturn static void become_worker(const struct play *play, const struct play_start *start,
                                    int channel)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    dup2(null, STDIN_FILENO);
    dup2(play->output, STDOUT_FILENO);
    dup2(play->output, STDERR_FILENO);
    if (channel != PROTOCOL_CHANNEL_FD)
        dup2(channel, PROTOCOL_CHANNEL_FD);
    else
        fd_set_cloexec(PROTOCOL_CHANNEL_FD, false);
    close_range(PROTOCOL_CHANNEL_FD + 1, ~0u, 0);
    set_environment(start);
    execvp(play->options->command[0], play->options->command);
    dprintf(STDERR_FILENO, "cannot start %s: %s\n", play->options->command[0], strerror(errno));
    _exit(127);
}

static int listen_for_clients(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK_CALL(listener);
    CHECK_CALL(bind(listener, (const struct sockaddr *)&address, sizeof(address)));
    CHECK_CALL(listen(listener, BACKLOG));
    return listener;
}

static void start_process(struct play *play, const struct play_start *start)
{
    const int on = 1;
    int pair[2];

    CHECK_CALL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
    CHECK_CALL(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
    if (start->send_buffer_bytes > 0)
        CHECK_CALL(setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &start->send_buffer_bytes,
                              sizeof(start->send_buffer_bytes)));
    play->child = fork();
    CHECK_CALL(play->child);
    if (play->child == 0)
        become_worker(play, start, pair[1]);
    play->channel = pair[0];
    fd_close(pair[1]);
}

void play_start(struct play *play, const struct play_start *start)
{
    *play = (struct play){.options = play->options, .scratch = play->scratch, .rule = play->rule};
    play->listener = listen_for_clients();
    play->output = memfd_new("output");
    CHECK_CALL(play->output);
    start_process(play, start);
}

static void read_hello(struct play *play, const struct message *hello)
{
    uint32_t min, max;

    MUST(RULE_HELLO, hello->type == MESSAGE_HELLO, "%s came instead of HELLO",
         message_type_to_string(hello->type));
    MUST(RULE_HELLO, message_find_number(hello, "VERSION_MIN", 0, UINT32_MAX, &min) == 0,
         "HELLO has no VERSION_MIN that is a number");
    MUST(RULE_HELLO, message_find_number(hello, "VERSION_MAX", 0, UINT32_MAX, &max) == 0,
         "HELLO has no VERSION_MAX that is a number");
    MUST(RULE_HELLO, min <= PROTOCOL_VERSION && PROTOCOL_VERSION <= max,
         "version 1 is not from VERSION_MIN=%u to VERSION_MAX=%u", min, max);
    play->knows.ring = message_find_text(hello, "RING") != NULL;
    play->knows.stop = message_find_text(hello, "STOP") != NULL;
    play->knows.log = message_find_text(hello, "LOG") != NULL;
    play->knows.stress = message_find_text(hello, "STRESS") != NULL;
    play->knows.pass = message_find_text(hello, "PASS") != NULL;
    play->knows.answer = message_find_text(hello, "ANSWER") != NULL;
}

void play_expect_hello(struct play *play)
{
    static _Alignas(8) char bytes[MESSAGE_BYTES_MAX];
    int fds[MESSAGE_FDS_MAX];
    uint64_t end = play_deadline(PLAY_START_LIMIT_MSEC);
    struct message message;
    size_t n_fds;
    ssize_t length;

    while ((length = channel_receive(play->channel, bytes, sizeof(bytes), fds, &n_fds,
                                     &play->worker)) == -EAGAIN) {
        MUST(play->rule, play_left(end) > 0, "no HELLO within 30 s%s", play_words(play));
        usleep(1000);
    }
    MUST(play->rule, length != 0, "the worker ended before HELLO%s", play_words(play));
    MUST(RULE_HELLO, length > 0 && message_read(bytes, (size_t)length, &message) == 0,
         "the first packet is no message");
    MUST(RULE_DESCRIPTORS, n_fds == 0, "%zu descriptors came with HELLO", n_fds);
    MUST(RULE_MESSAGE, message.length == (size_t)length, "something stands behind HELLO");
    read_hello(play, &message);
    play->phase = PLAY_GREETED;
}

static void add_strings(struct message_text *text, const struct play *play,
                        const struct play_welcome *welcome)
{
    const struct str_list *parameters = &play->options->parameters;

    if (welcome->is_mixed)
        message_text_add(text, "OF_A_LATER_VERSION", "1=2");
    message_text_add(text, "SERVICE", play->options->service);
    message_text_add_number(text, "SLOT", 0);
    message_text_add_number(text, "MAX_CONNS", welcome->max_conns);
    message_text_add_number(text, "STACKSIZE", 0);
    message_text_add_number(text, "DEBUG", 0);
    message_text_add_number(text, "DRAIN_LIMIT", welcome->drain_limit_sec);
    message_text_add(text, "HOST_NAME", "worker-test.example.org");
    for (size_t i = 0; i < parameters->n_items; i++)
        message_text_add(text, "PARAMETER", parameters->items[i]);
    if (!play->no_alert)
        message_text_add(text, "ALERT", "1");
}

static void fill(struct message_text *text, size_t bytes)
{
    char letters[FILL_STEP + 1];

    while (text->length < bytes) {
        size_t n = bytes - text->length < FILL_STEP ? bytes - text->length : FILL_STEP;

        /* "X=", the letters and the NUL make n bytes; the last string may have to be short. */
        n = n < 3 ? 3 : n;
        memset(letters, 'x', n - 3);
        letters[n - 3] = '\0';
        message_text_add(text, "X", letters);
    }
}

/* Returns its descriptor. */
static int add_ring(struct play *play, struct message_text *text)
{
    int fd;

    ring_reader_free(&play->ring);
    int r = ring_reader_open(&play->ring, play->max_conns, &fd);
    if (r < 0) {
        errno = -r;
        verdict_failed("making a ring");
    }
    message_text_add_number(text, "RING", play->ring.n_entries);
    return fd;
}

void play_welcome(struct play *play, const struct play_welcome *welcome)
{
    static char bytes[MESSAGE_BYTES_MAX];
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_WELCOME);
    _cleanup_fd_ int ring = -1;
    int fds[2];
    size_t n_fds = 0;

    play->max_conns = welcome->max_conns;
    if (!welcome->is_mixed)
        message_text_add(&text, "VERSION", welcome->version);
    if (play->knows.ring)
        fds[n_fds++] = ring = add_ring(play, &text);
    add_strings(&text, play, welcome);
    if (welcome->is_mixed)
        message_text_add(&text, "VERSION", welcome->version);
    fill(&text, welcome->fill);
    if (welcome->log_fd >= 0)
        fds[n_fds++] = welcome->log_fd;
    if (text.is_too_long)
        verdict_skipped("the parameters are longer than a message");
    play_send(play, bytes, text.length, fds, n_fds);
    play->phase = PLAY_WELCOMED;
}

void play_expect_ready(struct play *play)
{
    PLAY_WAIT(play->rule, play->phase == PLAY_READY, PLAY_START_LIMIT_MSEC,
              "no READY within 30 s%s", play_words(play));
}

static void begin(struct play *play, const struct play_welcome *welcome)
{
    play_start(play, &(struct play_start){0});
    play_expect_hello(play);
    play_welcome(play, welcome);
    play_expect_ready(play);
}

void play_begin(struct play *play)
{
    begin(play, &(struct play_welcome)PLAY_WELCOME);
}

void play_begin_places(struct play *play, unsigned max_conns)
{
    struct play_welcome welcome = PLAY_WELCOME;

    welcome.max_conns = max_conns;
    begin(play, &welcome);
}

void play_begin_limit(struct play *play, unsigned drain_limit_sec)
{
    struct play_welcome welcome = PLAY_WELCOME;

    welcome.drain_limit_sec = drain_limit_sec;
    begin(play, &welcome);
}

void play_drop(struct play *play)
{
    if (play->child > 0) {
        kill(play->child, SIGKILL);
        waitpid(play->child, NULL, 0);
    }
    for (size_t i = 0; i < play->n_connections; i++) {
        fd_close(play->connections[i].client);
        fd_close(play->connections[i].server);
    }
    ring_reader_free(&play->ring);
    fd_close(play->channel);
    fd_close(play->listener);
    fd_close(play->output);
}
