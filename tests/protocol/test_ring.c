/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/random.h"
#include "support/suite.h"

#include "base/fd.h"
#include "protocol/message.h"
#include "protocol/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

static struct ring_reader reader;
static struct ring_writer writer;

/* Both ends over one mapping, so that a thread sanitizer sees that they are the same memory. */
static void setup(unsigned n_places)
{
    int fd;

    ring_reader_free(&reader);
    ck_assert_int_eq(ring_reader_open(&reader, n_places, &fd), 0);
    writer = (struct ring_writer){.memory = reader.memory, .n_entries = reader.n_entries};
    fd_close(fd);
}

static int publish(uint64_t first_id, size_t n)
{
    struct ring_entry entries[64];

    for (size_t i = 0; i < n; i++)
        entries[i] = (struct ring_entry){.id = first_id + i, .type = MESSAGE_ACKNOWLEDGE};
    return ring_publish(&writer, entries, n);
}

static void expect(uint64_t first_id, int n)
{
    ck_assert_int_eq(ring_pending(&reader), n);
    for (int i = 0; i < n; i++) {
        const struct ring_entry entry = ring_take(&reader);

        ck_assert_uint_eq(entry.id, first_id + (uint64_t)i);
        ck_assert_uint_eq(entry.type, MESSAGE_ACKNOWLEDGE);
    }
    ring_confirm(&reader);
}

START_TEST(test_has_room_for_two_entries_a_place_and_one)
{
    static const struct {
        unsigned n_places;
        uint32_t n_entries;
    } cases[] = {{0, 2}, {1, 4}, {2, 8}, {15, 32}, {16, 64}, {50, 128}, {1024, RING_ENTRIES_MAX}};

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        ck_assert_uint_eq(ring_entries_for(cases[i].n_places), cases[i].n_entries);
    ck_assert_uint_eq(ring_size(128), 256 + 128 * 16);
}
END_TEST

START_TEST(test_what_is_published_is_read_in_its_order)
{
    setup(2);
    for (uint64_t id = 0; id < 100; id += 5) {
        ck_assert_int_eq(publish(id, 3), 0);
        ck_assert_int_eq(publish(id + 3, 2), 0);
        expect(id, 5);
        ck_assert_uint_eq(ring_head(&writer), id + 5);
    }
}
END_TEST

START_TEST(test_is_full_until_the_reader_has_confirmed)
{
    setup(2);
    ck_assert_int_eq(publish(0, 6), 0);
    ck_assert_int_eq(publish(6, 3), -ENOSPC);
    ck_assert_int_eq(publish(6, 2), 0);
    ck_assert_int_eq(ring_pending(&reader), 8);
    for (int i = 0; i < 8; i++)
        ring_take(&reader);
    ck_assert_int_eq(publish(8, 1), -ENOSPC);
    ring_confirm(&reader);
    ck_assert_int_eq(publish(8, 8), 0);
    expect(8, 8);
}
END_TEST

START_TEST(test_what_was_published_before_it_was_closed_counts_and_nothing_else)
{
    setup(10);
    ck_assert_int_eq(publish(1, 4), 0);
    ck_assert_int_eq(ring_close(&reader), 4);
    ck_assert_int_eq(publish(5, 1), -EPIPE);
    expect(1, 4);
}
END_TEST

START_TEST(test_pokes_once_until_it_was_heard)
{
    setup(10);
    ring_want(&reader, RING_WANTS_ANSWERS | RING_WANTS_ENDS);
    ck_assert(ring_is_wanted(&writer, RING_WANTS_ANSWERS));
    ring_want(&reader, 0);
    ck_assert(!ring_is_wanted(&writer, RING_WANTS_ANSWERS));
    ck_assert(ring_poke(&writer));
    ck_assert(!ring_poke(&writer));
    ring_heard(&reader);
    ck_assert(ring_poke(&writer));
    ring_unpoke(&writer);
    ck_assert(ring_poke(&writer));
}
END_TEST

START_TEST(test_maps_only_what_is_a_ring)
{
    struct ring_writer mapped = {0};
    int fd;

    ring_reader_free(&reader);
    ck_assert_int_eq(ring_reader_open(&reader, 10, &fd), 0);
    ck_assert_int_eq(ring_writer_open(&mapped, fd, 32, 10), 0);
    ring_writer_free(&mapped);
    ck_assert_int_eq(ring_writer_open(&mapped, fd, 32, 16), -EBADMSG); /* too small */
    ck_assert_int_eq(ring_writer_open(&mapped, fd, 64, 10), -EBADMSG); /* another size */
    ck_assert_int_eq(ring_writer_open(&mapped, fd, 31, 10), -EBADMSG);
    ck_assert_int_eq(ring_writer_open(&mapped, STDERR_FILENO, 32, 10), -EBADMSG);
    reader.memory->version = 2;
    ck_assert_int_eq(ring_writer_open(&mapped, fd, 32, 10), -EBADMSG);
    reader.memory->version = 1;
    reader.memory->n_entries = 64;
    ck_assert_int_eq(ring_writer_open(&mapped, fd, 32, 10), -EBADMSG);
    fd_close(fd);
    fd = memfd_create("unsealed", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(fd, (off_t)ring_size(32)), 0);
    ck_assert_int_eq(ring_writer_open(&mapped, fd, 32, 10), -EBADMSG);
    fd_close(fd);
}
END_TEST

/* Neither side can cut it, or make it longer, or take that back. */
START_TEST(test_its_size_is_sealed)
{
    int fd;

    ring_reader_free(&reader);
    ck_assert_int_eq(ring_reader_open(&reader, 10, &fd), 0);
    ck_assert_int_lt(ftruncate(fd, 0), 0);
    ck_assert_int_lt(ftruncate(fd, 1 << 20), 0);
    ck_assert_int_lt(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    fd_close(fd);
}
END_TEST

/* Any order of steps, beside a model: a count of what was published, and of what was read. */
START_TEST(test_any_order_of_steps)
{
    struct random_source random = random_start();

    for (int round = 0; round < 500; round++) {
        uint64_t n_published = 0, n_taken = 0, n_confirmed = 0;
        bool is_closed = false;

        setup((unsigned)random_between(&random, 1, 30));
        for (int step = 0; step < 200; step++) {
            uint64_t n = random_between(&random, 0, 20);

            switch (random_between(&random, 0, 40)) {
            case 0:
                is_closed = true;
                ck_assert_int_eq(ring_close(&reader), (int)(n_published - n_taken));
                break;
            case 1 ... 15:
                if (n_published + n - n_confirmed > reader.n_entries) {
                    ck_assert_int_eq(publish(n_published, n), -ENOSPC);
                } else {
                    ck_assert_int_eq(publish(n_published, n), is_closed ? -EPIPE : 0);
                    n_published += is_closed ? 0 : n;
                }
                break;
            case 16 ... 30:
                ck_assert_int_eq(ring_pending(&reader), (int)(n_published - n_taken));
                for (; n > 0 && n_taken < n_published; n--)
                    ck_assert_uint_eq(ring_take(&reader).id, n_taken++);
                break;
            default:
                ring_confirm(&reader);
                n_confirmed = n_taken;
                ck_assert_uint_eq(ring_head(&writer), n_confirmed);
            }
        }
    }
}
END_TEST

/* A worker of many threads: each publishes numbers of its own, and remembers how many counted. */

enum {
    N_PUBLISHERS = 4,
    NUMBERS_MAX = 50000
};

struct publisher {
    pthread_t thread;
    uint64_t number; /* the upper half of its identifiers */
    uint64_t n_published;
    bool is_closed;
};

static struct publisher publishers[N_PUBLISHERS];
static pthread_mutex_t writer_lock = PTHREAD_MUTEX_INITIALIZER;
static int poke_fd = -1;

/* Returns false where the ring is closed. */
static bool publish_next(struct publisher *publisher, uint64_t n)
{
    const uint64_t one = 1;
    bool pokes = false;

    for (;;) {
        pthread_mutex_lock(&writer_lock);
        int r = publish(publisher->number << 32 | publisher->n_published, n);
        if (r == 0)
            pokes = ring_is_wanted(&writer, RING_WANTS_ANSWERS) && ring_poke(&writer);
        pthread_mutex_unlock(&writer_lock);
        if (r == -EPIPE)
            return false;
        if (r == 0)
            break;
        sched_yield(); /* an honest worker does not come here */
    }
    publisher->n_published += n;
    if (pokes)
        ck_assert_int_eq(write(poke_fd, &one, sizeof(one)), sizeof(one));
    return true;
}

static void *publish_all(void *argument)
{
    struct publisher *publisher = argument;

    while (publisher->n_published < NUMBERS_MAX && !publisher->is_closed)
        publisher->is_closed = !publish_next(publisher, 1 + publisher->n_published % 3);
    return NULL;
}

static void start_publishers(uint64_t n)
{
    memset(publishers, 0, sizeof(publishers));
    for (uint64_t i = 0; i < n; i++) {
        publishers[i].number = i;
        ck_assert_int_eq(pthread_create(&publishers[i].thread, NULL, publish_all, &publishers[i]),
                         0);
    }
}

static void join_publishers(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        pthread_join(publishers[i].thread, NULL);
}

/* Some nanoseconds, so that the next step meets whatever step of the others. */
static void dawdle(struct random_source *random)
{
    for (volatile uint64_t n = random_between(random, 0, 400); n > 0; n--)
        ;
}

static uint64_t n_read[N_PUBLISHERS];

static void read_pending(int n)
{
    ck_assert_int_ge(n, 0);
    while (n-- > 0) {
        uint64_t id = ring_take(&reader).id;

        ck_assert_uint_lt(id >> 32, N_PUBLISHERS);
        ck_assert_uint_eq(id & UINT32_MAX, n_read[id >> 32]++);
    }
    ring_confirm(&reader);
}

/* However they come to meet: what a publisher takes for published is read, and nothing else. */
START_TEST(test_closing_amid_publishers_is_one_fact)
{
    struct random_source random = random_start();

    for (int round = 0; round < 2000; round++) {
        uint64_t n_publishers = random_between(&random, 1, N_PUBLISHERS);
        uint64_t n_wanted = random_between(&random, 0, 300);

        setup(30);
        memset(n_read, 0, sizeof(n_read));
        start_publishers(n_publishers);
        while (n_read[0] + n_read[1] + n_read[2] + n_read[3] < n_wanted) {
            int n = ring_pending(&reader);

            if (n == 0)
                sched_yield(); /* to the publishers, on a busy machine */
            read_pending(n);
        }
        dawdle(&random);
        read_pending(ring_close(&reader));
        join_publishers(n_publishers);
        for (size_t i = 0; i < N_PUBLISHERS; i++)
            ck_assert_uint_eq(n_read[i], publishers[i].n_published);
    }
}
END_TEST

static void *publish_in_step(void *argument)
{
    struct publisher *publisher = argument;

    while (publisher->n_published < NUMBERS_MAX && publish_next(publisher, 1))
        while (ring_head(&writer) < publisher->n_published)
            sched_yield();
    return NULL;
}

/* A reader that goes to sleep while something is published is woken: each time, since nothing else
 * comes before it has read. */
START_TEST(test_no_news_is_slept_over)
{
    struct random_source random = random_start();
    struct pollfd pollfd;
    uint64_t n;

    setup(30);
    memset(n_read, 0, sizeof(n_read));
    poke_fd = eventfd(0, EFD_CLOEXEC);
    pollfd = (struct pollfd){.fd = poke_fd, .events = POLLIN};
    publishers[0] = (struct publisher){.number = 0};
    ck_assert_int_eq(pthread_create(&publishers[0].thread, NULL, publish_in_step, &publishers[0]),
                     0);
    while (n_read[0] < NUMBERS_MAX) {
        dawdle(&random);
        ring_want(&reader, RING_WANTS_ANSWERS);
        if (ring_pending(&reader) == 0) {
            ck_assert_msg(poll(&pollfd, 1, 20000) == 1, "slept over something");
            ck_assert_int_eq(read(poke_fd, &n, sizeof(n)), sizeof(n));
            ck_assert_uint_eq(n, 1);
            ring_heard(&reader);
        }
        ring_want(&reader, 0);
        read_pending(ring_pending(&reader));
    }
    join_publishers(1);
    poke_fd = fd_close(poke_fd);
}
END_TEST

/* Whatever stands in the memory, a reader stays in it: here it is exactly as long as it has to be,
 * which an address sanitizer sees. */
START_TEST(test_bears_any_bytes)
{
    struct random_source random = random_start();

    for (int round = 0; round < 4000; round++) {
        uint32_t n_entries = ring_entries_for((unsigned)random_between(&random, 1, 20));
        size_t size = ring_size(n_entries);
        uint8_t *bytes = aligned_alloc(RING_LINE, (size + RING_LINE - 1) / RING_LINE * RING_LINE);

        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)random_next(&random);
        struct ring_reader garbage = {.memory = (void *)bytes, .n_entries = n_entries};
        garbage.head = random_next(&random);
        if (random_next(&random) % 2)
            atomic_store(&garbage.memory->tail, garbage.head + random_between(&random, 0, 50));
        for (int i = 0; i < 3; i++) {
            int n = i < 2 ? ring_pending(&garbage) : ring_close(&garbage);

            ck_assert(n == -EBADMSG || (n >= 0 && (uint32_t)n <= n_entries));
            while (n-- > 0)
                (void)ring_take(&garbage);
            ring_confirm(&garbage);
        }
        free(bytes);
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("ring");

    ADD_TESTS(suite, "ring", test_has_room_for_two_entries_a_place_and_one,
              test_what_is_published_is_read_in_its_order,
              test_is_full_until_the_reader_has_confirmed,
              test_what_was_published_before_it_was_closed_counts_and_nothing_else,
              test_pokes_once_until_it_was_heard, test_maps_only_what_is_a_ring,
              test_its_size_is_sealed, test_any_order_of_steps);
    ADD_TESTS(suite, "threads", test_closing_amid_publishers_is_one_fact,
              test_no_news_is_slept_over);
    ADD_TESTS(suite, "hostile memory", test_bears_any_bytes);
    return suite;
}
