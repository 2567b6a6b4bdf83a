#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
"""Runs a program as on a Linux before 6.16, where nobody can refuse descriptors (SO_PASSRIGHTS).

    old_kernel.py PROGRAM [ARGUMENT]...

A filter has setsockopt() say so. On amd64 and arm64; elsewhere it exits with 77.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

SETSOCKOPT = {"x86_64": 54, "aarch64": 208}.get(platform.machine())
SOL_SOCKET, SO_PASSRIGHTS = 1, 83

LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h
NUMBER, LEVEL, OPTION = 0, 24, 32  # offsets in struct seccomp_data, of a little-endian machine
ALLOW, ERROR = 0x7FFF0000, 0x00050000  # linux/seccomp.h
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2

if not SETSOCKOPT:
    sys.exit(77)

# Code, where to go if true and if false, value.
STEPS = [
    (LOAD, 0, 0, NUMBER),
    (EQUAL, 0, 5, SETSOCKOPT),
    (LOAD, 0, 0, LEVEL),
    (EQUAL, 0, 3, SOL_SOCKET),
    (LOAD, 0, 0, OPTION),
    (EQUAL, 0, 1, SO_PASSRIGHTS),
    (RETURN, 0, 0, ERROR | errno.ENOPROTOOPT),
    (RETURN, 0, 0, ALLOW),
]
program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in STEPS))
head = struct.pack("@HP", len(STEPS), ctypes.addressof(program))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, head):
    sys.exit(os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[1], sys.argv[1:])
