#include "dispatcherd/checks/decisions_store.h"

#include "base/fd.h"
#include "base/memfd.h"
#include "base/time.h"
#include "dispatcherd/store/store.h"

#include <errno.h>
#include <sys/mman.h>

static void *map(int fd, size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

struct decisions *decisions_store_open(int *fd)
{
    _cleanup_fd_ int memfd = take_fd(fd);
    size_t size = decisions_size(DECISIONS_MAX);

    if (!memfd_is_mappable(memfd, size))
        return NULL;
    void *memory = map(memfd, size);
    if (memory == MAP_FAILED)
        return NULL;
    struct decisions *decisions = decisions_adopt(memory, size, time_now_usec(CLOCK_MONOTONIC));
    if (!decisions)
        (void)munmap(memory, size);
    return decisions;
}

int decisions_store_new(const char *name, struct decisions **ret, int *ret_store_error)
{
    size_t size = decisions_size(DECISIONS_MAX);
    _cleanup_fd_ int fd = memfd_new_sized("dispatcherd-decisions", size);

    if (fd < 0)
        return fd;
    void *memory = map(fd, size);
    if (memory == MAP_FAILED)
        return -errno;
    *ret = decisions_format(memory, DECISIONS_MAX, time_now_usec(CLOCK_MONOTONIC));
    *ret_store_error = store_add(name, fd);
    return 0;
}
