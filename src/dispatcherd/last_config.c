#include "dispatcherd/last_config.h"

#include "base/fd.h"
#include "config/load.h"
#include "config/print.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int last_config_write(const struct config *config)
{
    _cleanup_fd_ int fd = memfd_create("dispatcherd-config", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    _cleanup_fd_ int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *stream = copy < 0 ? NULL : fdopen(copy, "w");

    if (!stream)
        return -errno;
    copy = -1; /* the stream's now */
    int r = config_print(config, stream);
    if (fclose(stream) != 0 && r == 0)
        r = -errno;
    if (r < 0)
        return r;
    /* Reading warns of files that others may write. */
    if (fchmod(fd, 0400) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        return -errno;
    return take_fd(&fd);
}

int last_config_read(int fd, struct config *ret)
{
    const struct config_places places = config_places_default();
    struct problem_list problems = {0};
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int r = config_load(path, &places, &problems, ret);
    problem_list_clear(&problems);
    return r;
}
