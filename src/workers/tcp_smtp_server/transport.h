/* How a session's bytes come and go: a socket in life, memory in a test.
 *
 * Every wait has a deadline on the monotonic clock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct transport {
    /* Reads what is there, at least one byte. Returns the number of bytes, 0 at the client's end
     * of file, -ETIMEDOUT, or another negative errno. Past the deadline nothing is read, so that a
     * flood has an end like a drip. */
    ssize_t (*receive)(void *userdata, void *buffer, size_t size, uint64_t deadline_usec);

    /* Waits until receive() would not wait, or the descriptor `stop_fd` becomes readable. Returns
     * 0, -ECANCELED if it is readable, -ETIMEDOUT, or another negative errno. */
    int (*wait)(void *userdata, int stop_fd, uint64_t deadline_usec);

    /* Writes all of it. Returns 0, -ETIMEDOUT or another negative errno. */
    int (*send)(void *userdata, const void *bytes, size_t n_bytes, uint64_t deadline_usec);

    /* True where receive() would not wait. */
    bool (*has_input)(void *userdata);

    /* The client reads end of file after what was sent. */
    void (*end_output)(void *userdata);

    void *userdata;
};

/* A transport over the stream socket *fd, in blocking mode or not. The caller keeps the
 * descriptor, and the variable must live as long as the transport. */
struct transport transport_over_socket(int *fd);
