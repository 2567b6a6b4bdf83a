/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* For LD_PRELOAD: lets system calls and allocations of a dispatcherd fail as a test wants it.
 *
 * FAIL_FILE names a file that the test maps as well (harness/fail.py has the same layout): the name
 * of a function, how many calls of it are to succeed first, how many to fail then, and with which
 * errno. So one process goes through hundreds of failures. Functions that allocate are all called
 * "malloc". A failing call does nothing else; one that would have closed or taken something leaves
 * it as it was, but for close(2), which Linux always carries out.
 *
 * Calls that the C library makes for itself do not pass here, its allocations do, but for those
 * with which it looks for users and groups: without memory for the modules of nsswitch.conf it ends
 * the process, in one of three ways. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct plan {
    char name[32];     /* of the function; empty: none fails */
    atomic_int n_well; /* calls that succeed before the first that fails */
    atomic_int n_bad;  /* calls that fail then */
    int error;         /* errno */
    atomic_int n_failed;
    /* With the name "*" nothing fails, and the calls of all functions are counted. */
    struct {
        char name[28];
        atomic_int n;
    } counts[64];
};

static struct plan *plan;
static _Thread_local bool is_looking_up; /* a user or a group */

__attribute__((constructor)) static void fail_start(void)
{
    const char *path = getenv("FAIL_FILE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *memory =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (memory != MAP_FAILED)
        plan = memory;
    if (fd >= 0)
        close(fd);
}

static void count(const char *name)
{
    for (size_t i = 0; i < sizeof(plan->counts) / sizeof(plan->counts[0]); i++) {
        if (!plan->counts[i].name[0])
            strcpy(plan->counts[i].name, name);
        if (strcmp(plan->counts[i].name, name) == 0) {
            atomic_fetch_add(&plan->counts[i].n, 1);
            return;
        }
    }
}

/* True if this call of the function fails; errno is set then. */
static bool fails(const char *name)
{
    if (is_looking_up)
        return false;
    if (plan && plan->name[0] == '*')
        count(name);
    if (!plan || strcmp(plan->name, name) != 0)
        return false;
    if (atomic_fetch_sub(&plan->n_well, 1) > 0 || atomic_fetch_sub(&plan->n_bad, 1) <= 0)
        return false;
    atomic_fetch_add(&plan->n_failed, 1);
    errno = plan->error;
    return true;
}

/* The next definition of the function, which is the C library's or a sanitizer's. */
#define NEXT(name)                                                                                 \
    ({                                                                                             \
        static __typeof__(&name) next;                                                             \
        if (!next)                                                                                 \
            next = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                                     \
        next;                                                                                      \
    })

#define WRAP(type, name, parameters, ...)                                                          \
    type name parameters                                                                           \
    {                                                                                              \
        return fails(#name) ? (type)-1 : NEXT(name)(__VA_ARGS__);                                  \
    }

/* Sockets */
WRAP(int, socket, (int domain, int type, int protocol), domain, type, protocol)
WRAP(int, socketpair, (int domain, int type, int protocol, int ends[2]), domain, type, protocol,
     ends)
WRAP(int, connect, (int fd, const struct sockaddr *address, socklen_t length), fd, address, length)
WRAP(int, bind, (int fd, const struct sockaddr *address, socklen_t length), fd, address, length)
WRAP(int, listen, (int fd, int backlog), fd, backlog)
WRAP(int, accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags), fd, address,
     length, flags)
WRAP(int, getsockname, (int fd, struct sockaddr *address, socklen_t *length), fd, address, length)
WRAP(int, getpeername, (int fd, struct sockaddr *address, socklen_t *length), fd, address, length)
WRAP(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *length), fd, level,
     name, value, length)
WRAP(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t length), fd, level,
     name, value, length)
WRAP(int, shutdown, (int fd, int how), fd, how)
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), fd, message, flags)
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), fd, message, flags)
WRAP(ssize_t, send, (int fd, const void *bytes, size_t size, int flags), fd, bytes, size, flags)
WRAP(ssize_t, recv, (int fd, void *bytes, size_t size, int flags), fd, bytes, size, flags)

/* The loop */
WRAP(int, epoll_wait, (int fd, struct epoll_event *events, int n, int limit), fd, events, n, limit)
WRAP(int, timerfd_create, (int clock, int flags), clock, flags)
WRAP(int, timerfd_settime,
     (int fd, int flags, const struct itimerspec *value, struct itimerspec *old), fd, flags, value,
     old)
WRAP(int, poll, (struct pollfd * fds, nfds_t n, int limit), fds, n, limit)

/* Processes */
WRAP(int, pidfd_open, (pid_t pid, unsigned flags), pid, flags)
WRAP(int, pidfd_send_signal, (int fd, int number, siginfo_t *info, unsigned flags), fd, number,
     info, flags)
WRAP(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options), type, id, info, options)

/* Files and memory */
WRAP(int, memfd_create, (const char *name, unsigned flags), name, flags)
WRAP(int, ftruncate, (int fd, off_t length), fd, length)
WRAP(ssize_t, getrandom, (void *bytes, size_t size, unsigned flags), bytes, size, flags)
WRAP(ssize_t, read, (int fd, void *bytes, size_t size), fd, bytes, size)
WRAP(ssize_t, write, (int fd, const void *bytes, size_t size), fd, bytes, size)
WRAP(int, stat, (const char *path, struct stat *st), path, st)
WRAP(int, lstat, (const char *path, struct stat *st), path, st)
WRAP(int, fstat, (int fd, struct stat *st), fd, st)
WRAP(int, access, (const char *path, int mode), path, mode)
WRAP(int, chmod, (const char *path, mode_t mode), path, mode)
WRAP(int, fchmod, (int fd, mode_t mode), fd, mode)
WRAP(int, munmap, (void *memory, size_t size), memory, size)

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return fails("mmap") ? MAP_FAILED : NEXT(mmap)(at, size, protection, flags, fd, offset);
}

int close(int fd)
{
    bool is_bad = fails("close");
    int error = errno;
    int r = NEXT(close)(fd);

    if (!is_bad)
        return r;
    errno = error;
    return -1;
}

/* A descriptor that is registered can be taken out, and libsystemd relies on that: it frees what
 * the kernel would go on to point at. */
int epoll_ctl(int fd, int what, int other, struct epoll_event *event)
{
    return what != EPOLL_CTL_DEL && fails("epoll_ctl") ? -1
                                                       : NEXT(epoll_ctl)(fd, what, other, event);
}

/* These have a third parameter now and then; passing on what is none harms nobody. */
#define WRAP_OPTIONAL(name, first, second, third)                                                  \
    int name(first a, second b, ...)                                                               \
    {                                                                                              \
        va_list list;                                                                              \
                                                                                                   \
        va_start(list, b);                                                                         \
        third c = va_arg(list, third);                                                             \
        va_end(list);                                                                              \
        return fails(#name) ? -1 : NEXT(name)(a, b, c);                                            \
    }

WRAP_OPTIONAL(open, const char *, int, mode_t)
WRAP_OPTIONAL(fcntl, int, int, void *)
WRAP_OPTIONAL(fcntl64, int, int, void *)
WRAP_OPTIONAL(ioctl, int, unsigned long, void *)

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const arguments[],
                char *const environment[])
{
    return fails("posix_spawn")
               ? errno
               : NEXT(posix_spawn)(pid, path, actions, attributes, arguments, environment);
}

#define WRAP_LOOKUP(type, name)                                                                    \
    type *name(const char *text)                                                                   \
    {                                                                                              \
        is_looking_up = true;                                                                      \
        type *found = NEXT(name)(text);                                                            \
        is_looking_up = false;                                                                     \
        return found;                                                                              \
    }

WRAP_LOOKUP(struct group, getgrnam)
WRAP_LOOKUP(struct passwd, getpwnam)

/* Memory. dlsym() allocates, so these take the C library's by another name. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    return fails("malloc") ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails("malloc") ? NULL : __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
    return fails("malloc") ? NULL : __libc_realloc(memory, size);
}

void *reallocarray(void *memory, size_t n, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(memory, total);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
    if (fails("malloc"))
        return ENOMEM;
    *ret = __libc_memalign(alignment, size);
    return *ret ? 0 : ENOMEM;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails("malloc") ? NULL : __libc_memalign(alignment, size);
}
