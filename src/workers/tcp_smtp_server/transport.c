#include "workers/tcp_smtp_server/transport.h"

#include "base/time.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>

/* Waits until the socket is ready for `events`, or `stop_fd` (-1: none) is readable. */
static int wait_until_ready(int fd, short events, int stop_fd, uint64_t deadline_usec)
{
    struct pollfd entries[] = {{.fd = fd, .events = events}, {.fd = stop_fd, .events = POLLIN}};

    for (;;) {
        uint64_t now = time_now_usec(CLOCK_MONOTONIC);

        if (now >= deadline_usec)
            return -ETIMEDOUT;
        /* Rounded up, so that the last wait does not become a busy loop. */
        uint64_t msec = (deadline_usec - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
        int n = poll(entries, stop_fd < 0 ? 1 : 2, msec > INT_MAX ? INT_MAX : (int)msec);
        if (n > 0)
            return entries[1].revents ? -ECANCELED : 0;
        if (n < 0 && errno != EINTR)
            return -errno;
    }
}

static ssize_t socket_receive(void *userdata, void *buffer, size_t size, uint64_t deadline_usec)
{
    const int *fd = userdata;

    if (time_now_usec(CLOCK_MONOTONIC) >= deadline_usec)
        return -ETIMEDOUT;
    for (;;) {
        ssize_t n = recv(*fd, buffer, size, MSG_DONTWAIT);

        if (n >= 0)
            return n;
        if (errno == EAGAIN) {
            int r = wait_until_ready(*fd, POLLIN, -1, deadline_usec);

            if (r < 0)
                return r;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
}

static int socket_wait(void *userdata, int stop_fd, uint64_t deadline_usec)
{
    const int *fd = userdata;

    return wait_until_ready(*fd, POLLIN, stop_fd, deadline_usec);
}

static int socket_send(void *userdata, const void *bytes, size_t n_bytes, uint64_t deadline_usec)
{
    const int *fd = userdata;
    const char *next = bytes;

    while (n_bytes > 0) {
        ssize_t n = send(*fd, next, n_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n >= 0) {
            next += n;
            n_bytes -= (size_t)n;
        } else if (errno == EAGAIN) {
            int r = wait_until_ready(*fd, POLLOUT, -1, deadline_usec);

            if (r < 0)
                return r;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

static bool socket_has_input(void *userdata)
{
    const int *fd = userdata;
    char byte;

    /* The end of file is no input: a client that is gone has broken no rule. */
    return recv(*fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) > 0;
}

static void socket_end_output(void *userdata)
{
    const int *fd = userdata;

    (void)shutdown(*fd, SHUT_WR);
}

struct transport transport_over_socket(int *fd)
{
    return (struct transport){
        .receive = socket_receive,
        .wait = socket_wait,
        .send = socket_send,
        .has_input = socket_has_input,
        .end_output = socket_end_output,
        .userdata = fd,
    };
}
