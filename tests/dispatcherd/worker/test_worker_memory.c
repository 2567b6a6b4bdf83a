/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/time.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/worker/worker_memory.h"
#include "recording/recording.h"
#include "support/suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)

static struct control_scene scene;

static void *use(size_t size, int flags)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_POPULATE | flags, -1, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    return memory;
}

START_TEST(test_what_is_shared_does_not_count)
{
    uint64_t before, between, after;

    ck_assert_int_eq(worker_memory_read(getpid(), &before), 0);
    ck_assert_uint_gt(before, 0);
    void *own = use(32 * MIB, MAP_PRIVATE);
    ck_assert_int_eq(worker_memory_read(getpid(), &between), 0);
    void *shared = use(32 * MIB, MAP_SHARED);
    ck_assert_int_eq(worker_memory_read(getpid(), &after), 0);
    /* The kernel's counters may lag behind. */
    ck_assert_uint_ge(between, before + 30 * 1024);
    ck_assert_uint_le(between, before + 34 * 1024);
    ck_assert_uint_le(after, between + 2 * 1024);
    munmap(own, 32 * MIB);
    munmap(shared, 32 * MIB);
}
END_TEST

START_TEST(test_a_process_that_has_ended_has_none)
{
    uint64_t kib;
    siginfo_t info;
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(worker_memory_read(pid, &kib), -ESRCH);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert_int_eq(worker_memory_read(pid, &kib), -ESRCH);
}
END_TEST

/* What the recorder has written to that file. */
static struct recording read_recording(const char *path)
{
    static uint8_t bytes[1 << 20];
    struct recording recording;
    FILE *stream = fopen(path, "re");

    ck_assert_ptr_nonnull(stream);
    size_t size = fread(bytes, 1, sizeof(bytes), stream);
    fclose(stream);
    ck_assert_int_eq(recording_parse(bytes, size, &recording), 0);
    return recording;
}

START_TEST(test_workers_that_are_ready_are_looked_at)
{
    char folder[] = "/tmp/test_worker_memory.XXXXXX", path[64];
    uint64_t now = time_now_usec(CLOCK_MONOTONIC), kib;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/recording", folder);
    scene_init(&scene, "[SERVICE=SMTP]\nIMAGE=/bin/true\nPORT=2525\nMAX_PROCS=3\nMAX_CONNS=10\n");
    struct service *service = scene.services[0];
    (void)scene_add_worker(&scene, 0, 0, getpid());
    scene_add_worker(&scene, 0, 1, getpid())->state = WORKER_CLOSED;
    for (unsigned i = 0; i < 3; i++)
        pool_handoff_begun(service->pool, 0);
    /* Nobody records. */
    ck_assert_uint_eq(worker_memory_look(service, now), USEC_INFINITY);
    ck_assert_int_eq(recorder_new(scene.context.event, path, &scene.context.recorder), 0);
    ck_assert_int_eq(worker_memory_read(getpid(), &kib), 0);
    ck_assert_uint_eq(worker_memory_look(service, now), USEC_INFINITY);
    pool_handoff_begun(service->pool, 0);
    ck_assert_uint_eq(worker_memory_look(service, now + 1), now + 60 * USEC_PER_SEC);
    recorder_free(scene.context.recorder);
    scene.context.recorder = NULL;
    struct recording recording = read_recording(path);
    const struct recorded_service *recorded = recording_find(&recording, "SMTP");
    ck_assert_uint_eq(recorded->n_memories, 1);
    const struct record_memory *memory = &recorded->memories[0].memory;
    ck_assert_uint_eq(memory->n_workers, 1);
    ck_assert_uint_eq(memory->n_in_pool, 2);
    ck_assert_uint_eq(memory->n_sessions, 3);
    ck_assert_uint_eq(memory->n_peak, 3);
    ck_assert_uint_ge(memory->kib + 1024, kib);
    ck_assert_uint_le(memory->kib, kib + 1024);
    recording_clear(&recording);
    for (unsigned i = 0; i < 4; i++)
        pool_handoff_returned(service->pool, 0, now);
    scene_clear(&scene);
    (void)unlink(path);
    (void)rmdir(folder);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("worker_memory");

    ADD_TESTS(suite, "worker_memory", test_what_is_shared_does_not_count,
              test_a_process_that_has_ended_has_none, test_workers_that_are_ready_are_looked_at);
    return suite;
}
