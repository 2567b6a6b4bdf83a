#include "dispatcherd/spawner.h"

#include "base/fd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define WORKER_SOCKET_DIR "/run/dispatcherd-worker"

static int start(const struct service_options *options, struct spawned *ret, char *error,
                 size_t error_size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int on = 1;

    int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", WORKER_SOCKET_DIR,
                     options->unit_name);
    if (n < 0 || (size_t)n >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0) {
        int r = -errno;
        snprintf(error, error_size, "no control channel: %s", strerror(-r));
        return r;
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        int r = -errno;
        snprintf(error, error_size,
                 "cannot reach %.100s: %s; is dispatcherd-%.32s-worker.socket active?",
                 address.sun_path, strerror(-r), options->unit_name);
        return r;
    }
    *ret = (struct spawned){.channel = take_fd(&fd)};
    return 0;
}

const struct spawner spawner_unit = {.name = "unit", .start = start};
