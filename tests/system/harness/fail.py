# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Lets system calls and allocations of a dispatcherd fail: the other side of fail.c."""

import errno
import mmap
import os
import struct

PLAN = struct.Struct("32siiii")  # struct plan, up to its counts
COUNT = struct.Struct("28si")
N_COUNTS = 64
N_FAILED = PLAN.size - 4


class Failures:
    """The file that is shared with the dispatcherd of a HandSite, which has to be started after this
    was made. None of its calls fails until plan()."""

    def __init__(self, site):
        self.path = os.path.join(site.folder, "failures")
        with open(self.path, "wb") as file:
            file.write(bytes(PLAN.size + N_COUNTS * COUNT.size))
        self.file = open(self.path, "r+b")
        self.memory = mmap.mmap(self.file.fileno(), 0)
        site.environment["LD_PRELOAD"] = f"{site.builddir}/tests/system/.libs/libfail.so"
        site.environment["FAIL_FILE"] = self.path

    def plan(self, name, n_well=0, error=errno.ENOMEM, n_bad=1):
        """From now on n_well calls of the function succeed, then n_bad fail, all others succeed."""
        self.none()
        self.memory[: PLAN.size] = PLAN.pack(b"", n_well, n_bad, error, 0)
        self.memory[:32] = name.encode().ljust(32, b"\0")

    def none(self):
        """Nothing fails any more."""
        self.memory[:32] = bytes(32)

    def begin_count(self):
        """From now on all calls are counted, and none fails."""
        self.none()
        self.memory[PLAN.size :] = bytes(N_COUNTS * COUNT.size)
        self.memory[:1] = b"*"

    def end_count(self):
        """How often each function was called since then, by its name."""
        self.none()
        counts = COUNT.iter_unpack(self.memory[PLAN.size :])
        return {name.rstrip(b"\0").decode(): n for name, n in counts if n}

    @property
    def n_failed(self):
        return struct.unpack_from("i", self.memory, N_FAILED)[0]

    def close(self):
        self.memory.close()
        self.file.close()


# What the calls of a dispatcherd may fail with, by their manual pages in section 2, and for sockets
# by ip(7), tcp(7) and unix(7). Left out is what only a fault of the program leads to and ends it as a
# rule: EFAULT, EBADF of close(2) (libsystemd aborts), and all but EINTR of epoll_wait(2).
NAMES = {
    "access": "EACCES ELOOP ENOENT ENOMEM ENOTDIR EROFS",
    "accept4": "EAGAIN ECONNABORTED EINTR EMFILE ENFILE ENOBUFS ENOMEM EPERM EPROTO ENETDOWN"
    " ENOPROTOOPT EHOSTDOWN ENONET EHOSTUNREACH EOPNOTSUPP ENETUNREACH ENOSR ETIMEDOUT EBADF EINVAL"
    " ENOTSOCK",
    "bind": "EACCES EADDRINUSE EADDRNOTAVAIL EBADF EINVAL ENOTSOCK",
    "chmod": "EACCES EIO ENOENT ENOMEM EPERM EROFS",
    "close": "EINTR EIO ENOSPC EDQUOT",
    "connect": "EACCES EAGAIN ECONNREFUSED EINTR ENOENT EPERM EPROTOTYPE",
    "epoll_ctl": "EEXIST EINVAL ENOENT ENOMEM ENOSPC EPERM EBADF",
    "epoll_wait": "EINTR",
    "fchmod": "EIO EPERM EROFS EBADF",
    "fcntl": "EAGAIN EACCES EBUSY EINVAL EMFILE EPERM EBADF",
    "fcntl64": "EAGAIN EACCES EBUSY EINVAL EMFILE EPERM EBADF",
    "fstat": "ENOMEM EOVERFLOW EBADF",
    "ftruncate": "EFBIG EINTR EINVAL EIO EPERM ETXTBSY EBADF",
    "getpeername": "ENOBUFS ENOTCONN EBADF EINVAL ENOTSOCK",
    "getrandom": "EAGAIN EINTR EINVAL",
    "getsockname": "ENOBUFS EBADF EINVAL ENOTSOCK",
    "getsockopt": "ENOPROTOOPT EBADF EINVAL ENOTSOCK",
    "ioctl": "ENOTTY EINVAL EBADF",
    "listen": "EADDRINUSE EOPNOTSUPP EBADF ENOTSOCK",
    "lstat": "EACCES ELOOP ENOENT ENOMEM ENOTDIR",
    "malloc": "ENOMEM",
    "memfd_create": "EINVAL EMFILE ENFILE ENOMEM EPERM",
    "mmap": "EACCES EAGAIN EINVAL ENFILE ENODEV ENOMEM EPERM EBADF",
    "open": "EACCES EINTR EIO ELOOP EMFILE ENFILE ENOENT ENOMEM ENOTDIR EPERM EROFS",
    "pidfd_open": "EINVAL EMFILE ENFILE ENODEV ENOMEM ESRCH",
    "poll": "EINTR EINVAL ENOMEM",
    "posix_spawn": "EAGAIN ENOMEM ENOENT EACCES ENOEXEC ETXTBSY EMFILE ENFILE",
    "read": "EAGAIN EINTR EIO EBADF EINVAL",
    "recv": "EAGAIN ECONNREFUSED EINTR ENOMEM ENOTCONN EBADF EINVAL ENOTSOCK",
    "recvmsg": "EAGAIN ECONNREFUSED EINTR ENOMEM ENOTCONN EBADF EINVAL ENOTSOCK",
    "send": "EACCES EAGAIN ECONNRESET EINTR EMSGSIZE ENOBUFS ENOMEM ENOTCONN EPIPE EBADF EINVAL",
    "sendmsg": "EACCES EAGAIN ECONNRESET EINTR EMSGSIZE ENOBUFS ENOMEM ENOTCONN EPIPE ETOOMANYREFS"
    " EBADF EINVAL ENOTSOCK EOPNOTSUPP",
    "setsockopt": "ENOPROTOOPT ENOMEM ENOBUFS EPERM EBADF EINVAL ENOTSOCK",
    "shutdown": "ENOTCONN EBADF EINVAL ENOTSOCK",
    "socket": "EACCES EAFNOSUPPORT EINVAL EMFILE ENFILE ENOBUFS ENOMEM",
    "socketpair": "EAFNOSUPPORT EMFILE ENFILE EOPNOTSUPP EPROTONOSUPPORT",
    "stat": "EACCES ELOOP ENOENT ENOMEM ENOTDIR",
    "timerfd_create": "EINVAL EMFILE ENFILE ENODEV ENOMEM EPERM",
    "timerfd_settime": "ECANCELED EINVAL EBADF",
    "waitid": "ECHILD EINTR EINVAL ESRCH",
    "write": "EAGAIN EFBIG EINTR EIO ENOSPC EPIPE EDQUOT EPERM EBADF",
}
ERRORS = {name: [getattr(errno, word) for word in words.split()] for name, words in NAMES.items()}
