/* A dispatcherd that does not read for a while. */
#include "support/suite.h"

#include "libdispatcher/fake_dispatcher.h"
#include "libdispatcher/talkative_worker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fake_dispatcher the_fake, *const fake = &the_fake;

/* A session that is there all the time, to look at the channel from the worker's side. */
static const size_t observer = 0;

/* The smallest buffer for what the worker sends. */
static int make_buffer_small(dispatcher_worker *worker, void *userdata)
{
    const int least = 1;

    (void)worker;
    (void)userdata;
    return setsockopt(PROTOCOL_CHANNEL_FD, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)) < 0
               ? -errno
               : 0;
}

static void start(void)
{
    static struct dispatcher_worker_callbacks callbacks;
    struct fake_welcome welcome = fake_welcome_default();

    callbacks = talkative_worker;
    callbacks.start = make_buffer_small;
    welcome.max_conns = "50";
    fake_start(fake, &callbacks, 10000);
    fake_greet(fake, &welcome);
    ck_assert_uint_eq(fake_connect(fake), observer);
}

static bool is_full(void)
{
    return strcmp(fake_ask(fake, observer, "o"), "1") == 0;
}

static size_t connect_and_ask(const char *question)
{
    size_t c = fake_connect(fake);

    ck_assert_int_eq(write(fake->connections[c].client, question, 1), 1);
    return c;
}

/* One session after another, until nothing more fits. */
static void fill_channel(void)
{
    while (!is_full()) {
        size_t c = connect_and_ask("q");

        ck_assert_uint_lt(c, 50);
        /* Our own copy would hide the end. */
        close(fake->connections[c].server);
        fake->connections[c].server = -1;
        while (!fake_client_has_news(fake, c) && !is_full())
            ;
    }
}

START_TEST(test_everything_arrives_later)
{
    start();
    fill_channel();
    while (fake->n_connections < 50)
        connect_and_ask("q");
    ck_assert_uint_eq(fake->n_acknowledged, 0);
    ck_assert(is_full());
    fake_hang_up(fake, observer);
    FAKE_WAIT(fake->n_ended == 50);
    ck_assert_uint_eq(fake->n_acknowledged, 50);
    ck_assert_uint_eq(fake->n_refused, 0);
    fake_send_value(fake, MESSAGE_DRAIN, 60);
    ck_assert_int_eq(fake_wait_end(fake), 0);
}
END_TEST

START_TEST(test_no_session_starts_before_its_acknowledgement_is_sent)
{
    start();
    fill_channel();
    size_t c = connect_and_ask("d");
    ck_assert(is_full());
    ck_assert(!fake_client_has_news(fake, c));
    FAKE_WAIT(fake->connections[c].state == FAKE_ACKNOWLEDGED);
    ck_assert_str_eq(fake_ask(fake, c, ""), "0");
    fake_close_channel(fake);
    fake_hang_up(fake, c);
    fake_hang_up(fake, observer);
    ck_assert_int_eq(fake_wait_end(fake), 0);
}
END_TEST

START_TEST(test_a_dispatcher_that_never_reads_again_loses_nothing)
{
    start();
    fill_channel();
    size_t c = connect_and_ask("d");
    fake_close_channel(fake);
    fake_hang_up(fake, observer);
    ck_assert_int_eq(fake_wait_end(fake), 0);
    ck_assert(!fake_client_has_news(fake, c)); /* it is for another worker */
}
END_TEST

START_TEST(test_says_that_it_drains_when_there_is_room)
{
    start();
    fill_channel();
    kill(fake->worker, SIGTERM);
    while (strcmp(fake_ask(fake, observer, "d"), "1") != 0)
        ;
    ck_assert(is_full());
    size_t late = connect_and_ask("d");
    FAKE_WAIT(fake->is_draining);
    ck_assert_int_eq(fake->connections[late].state, FAKE_SENT); /* first the cause */
    FAKE_WAIT(fake->connections[late].state == FAKE_REFUSED);
    fake_hang_up(fake, observer);
    ck_assert_int_eq(fake_wait_end(fake), 0);
    ck_assert_uint_eq(fake->n_ended + 1, fake->n_connections);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("full channel");

    ADD_TESTS(suite, "full channel", test_everything_arrives_later,
              test_no_session_starts_before_its_acknowledgement_is_sent,
              test_a_dispatcher_that_never_reads_again_loses_nothing,
              test_says_that_it_drains_when_there_is_room);
    return suite;
}
