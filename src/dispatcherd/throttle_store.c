#include "dispatcherd/throttle_store.h"

#include "base/fd.h"
#include "dispatcherd/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void *map(int fd, size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

struct throttle *throttle_store_open(int *fd)
{
    _cleanup_fd_ int memfd = take_fd(fd);
    int seals = fcntl(memfd, F_GET_SEALS);
    struct stat st;

    /* Unsealed, it could shrink below us. */
    if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(memfd, &st) < 0 ||
        (size_t)st.st_size != throttle_size(THROTTLE_KEYS_MAX))
        return NULL;
    void *memory = map(memfd, (size_t)st.st_size);
    if (memory == MAP_FAILED)
        return NULL;
    struct throttle *throttle = throttle_adopt(memory, (size_t)st.st_size);
    if (!throttle)
        (void)munmap(memory, (size_t)st.st_size);
    return throttle;
}

int throttle_store_new(const char *name, const struct siphash_key *key, struct throttle **ret,
                       int *ret_store_error)
{
    size_t size = throttle_size(THROTTLE_KEYS_MAX);
    _cleanup_fd_ int fd = memfd_create("dispatcherd-throttle", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || ftruncate(fd, (off_t)size) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return -errno;
    void *memory = map(fd, size);
    if (memory == MAP_FAILED)
        return -errno;
    *ret = throttle_format(memory, THROTTLE_KEYS_MAX, key);
    *ret_store_error = store_add(name, fd);
    return 0;
}
