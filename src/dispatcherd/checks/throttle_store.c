#include "dispatcherd/checks/throttle_store.h"

#include "base/fd.h"
#include "base/memfd.h"
#include "dispatcherd/store/store.h"

#include <errno.h>
#include <sys/mman.h>

static void *map(int fd, size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

struct throttle *throttle_store_open(int *fd)
{
    _cleanup_fd_ int memfd = take_fd(fd);
    size_t size = throttle_size(THROTTLE_KEYS_MAX);

    if (!memfd_is_mappable(memfd, size))
        return NULL;
    void *memory = map(memfd, size);
    if (memory == MAP_FAILED)
        return NULL;
    struct throttle *throttle = throttle_adopt(memory, size);
    if (!throttle)
        (void)munmap(memory, size);
    return throttle;
}

int throttle_store_new(const char *name, const struct siphash_key *key, struct throttle **ret,
                       int *ret_store_error)
{
    size_t size = throttle_size(THROTTLE_KEYS_MAX);
    _cleanup_fd_ int fd = memfd_new_sized("dispatcherd-throttle", size);

    if (fd < 0)
        return fd;
    void *memory = map(fd, size);
    if (memory == MAP_FAILED)
        return -errno;
    *ret = throttle_format(memory, THROTTLE_KEYS_MAX, key);
    *ret_store_error = store_add(name, fd);
    return 0;
}
