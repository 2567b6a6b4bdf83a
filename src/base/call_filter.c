/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/call_filter.h"

#include "base/macro.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* Only on machines where each of these calls has its own number: with socketcall(2), the arguments
 * are behind a pointer. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

#ifdef ARCHITECTURE

/* Numbers from here on are calls of the x32 ABI, which has the same calls once more. No other
 * machine has so many. */
#define X32_BIT 0x40000000u

enum {
    STEPS_MAX = 64
};

struct program {
    struct sock_filter steps[STEPS_MAX];
    unsigned short n;
};

static void add(struct program *program, uint16_t code, uint32_t value, uint8_t if_true,
                uint8_t if_false)
{
    program->steps[program->n++] = (struct sock_filter){code, if_true, if_false, value};
}

static void load(struct program *program, size_t offset)
{
    add(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void finish(struct program *program, uint32_t action)
{
    add(program, BPF_RET | BPF_K, action, 0, 0);
}

static void forbid(struct program *program, uint32_t number)
{
    add(program, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    finish(program, SECCOMP_RET_ERRNO | EPERM);
}

/* Loads the lower half of an argument: the kernel takes no more of an int. */
static size_t argument(unsigned i)
{
    size_t offset = offsetof(struct seccomp_data, args) + i * sizeof(uint64_t);

    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? offset : offset + sizeof(uint32_t);
}

/* Must come last, since it loads something else than the number. */
static void forbid_option(struct program *program, uint32_t level, uint32_t option)
{
    add(program, BPF_JMP | BPF_JEQ | BPF_K, __NR_setsockopt, 0, 5);
    load(program, argument(1));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, level, 0, 3);
    load(program, argument(2));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, option, 0, 1);
    finish(program, SECCOMP_RET_ERRNO | EPERM);
}

int call_filter_install(unsigned what)
{
    static const uint32_t rings[] = {__NR_io_uring_setup, __NR_io_uring_enter,
                                     __NR_io_uring_register};
    static const uint32_t connects[] = {__NR_connect, __NR_bind, __NR_listen};
    struct program program = {.n = 0};

    load(&program, offsetof(struct seccomp_data, arch));
    add(&program, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    finish(&program, SECCOMP_RET_ERRNO | ENOSYS);
    load(&program, offsetof(struct seccomp_data, nr));
    add(&program, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
    finish(&program, SECCOMP_RET_ERRNO | ENOSYS);
    for (size_t i = 0; i < ELEMENTSOF(rings); i++)
        forbid(&program, rings[i]);
    for (size_t i = 0; i < ELEMENTSOF(connects) && (what & CALL_FILTER_CONNECT); i++)
        forbid(&program, connects[i]);
    if (what & CALL_FILTER_LINGER)
        forbid_option(&program, SOL_SOCKET, SO_LINGER);
    finish(&program, SECCOMP_RET_ALLOW);
    const struct sock_fprog all = {.len = program.n, .filter = program.steps};
    /* prctl(2) rather than seccomp(2), which @system-service of systemd.exec(5) does not contain.
     */
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all) == 0 ? 0 : -errno;
}

#else

int call_filter_install(_unused_ unsigned what)
{
    return -EOPNOTSUPP;
}

#endif
