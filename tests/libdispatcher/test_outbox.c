#include "support/suite.h"

#include "base/fd.h"
#include "libdispatcher/outbox.h"
#include "protocol/channel.h"

#include <errno.h>
#include <stdalign.h>
#include <sys/socket.h>

static struct outbox outbox;
static int ours, theirs;

static void setup(void)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    ours = pair[0];
    theirs = pair[1];
    outbox_init(&outbox);
}

static alignas(8) uint8_t packet[MESSAGE_BYTES_MAX];
static size_t packet_at, packet_length;

static void expect_packet(void)
{
    int fds[MESSAGE_FDS_MAX];
    size_t n_fds;
    pid_t pid;

    ck_assert_uint_eq(packet_at, packet_length);
    ssize_t length = channel_receive(theirs, packet, sizeof(packet), fds, &n_fds, &pid);
    ck_assert_int_gt(length, 0);
    packet_length = (size_t)length;
    packet_at = 0;
}

static void expect(enum message_type type, uint32_t value, uint64_t first_id)
{
    struct message message;

    ck_assert_int_eq(message_read(packet + packet_at, packet_length - packet_at, &message), 0);
    packet_at += message.length;
    ck_assert_str_eq(message_type_to_string(message.type), message_type_to_string(type));
    ck_assert_uint_eq(message.value, value);
    if (message.ids)
        ck_assert_uint_eq(message.ids[0], first_id);
}

START_TEST(test_sends_in_the_order_of_the_kinds)
{
    setup();
    outbox_add(&outbox, OUTBOX_ENDED, 1);
    outbox_add(&outbox, OUTBOX_REFUSE, 2);
    outbox_add(&outbox, OUTBOX_ACKNOWLEDGE, 3);
    outbox_add(&outbox, OUTBOX_DRAINING, 0);
    outbox_add(&outbox, OUTBOX_ACKNOWLEDGE, 4);
    ck_assert(!outbox_is_empty(&outbox));
    ck_assert_int_eq(outbox_flush(&outbox, ours), 0);
    ck_assert(outbox_is_empty(&outbox));
    expect_packet();
    expect(MESSAGE_ACKNOWLEDGE, 2, 3);
    expect(MESSAGE_DRAINING, 0, 0);
    expect(MESSAGE_REFUSE, 1, 2);
    expect(MESSAGE_ENDED, 1, 1);
}
END_TEST

START_TEST(test_keeps_what_the_channel_does_not_take)
{
    setup();
    int least = 1;
    uint32_t n_sent;
    ck_assert_int_eq(setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)), 0);
    for (uint64_t id = 0; id < MESSAGE_IDS_MAX; id++)
        outbox_add(&outbox, OUTBOX_ENDED, id);
    outbox_add(&outbox, OUTBOX_ACKNOWLEDGE, 7);
    ck_assert_int_eq(outbox_flush(&outbox, ours), -EAGAIN);
    ck_assert(!outbox_is_empty(&outbox));
    expect_packet();
    expect(MESSAGE_ACKNOWLEDGE, 1, 7);
    expect(MESSAGE_ENDED, 127, 0);
    for (n_sent = 127; n_sent < MESSAGE_IDS_MAX; n_sent += 128) {
        uint32_t n_left = MESSAGE_IDS_MAX - n_sent;

        (void)outbox_flush(&outbox, ours);
        expect_packet();
        expect(MESSAGE_ENDED, n_left < 128 ? n_left : 128, n_sent);
    }
    ck_assert_int_eq(outbox_flush(&outbox, ours), 0);
    ck_assert(outbox_is_empty(&outbox));
}
END_TEST

/* Whoever looks later must not take an outbox that another thread emptied for one that was
 * sent. */
START_TEST(test_remembers_that_the_channel_is_closed)
{
    setup();
    theirs = fd_close(theirs);
    outbox_add(&outbox, OUTBOX_ACKNOWLEDGE, 1);
    ck_assert_int_eq(outbox_flush(&outbox, ours), -EPIPE);
    ck_assert(outbox_is_empty(&outbox));
    ck_assert_int_eq(outbox_flush(&outbox, ours), -EPIPE);
    outbox_add(&outbox, OUTBOX_ENDED, 1);
    ck_assert(outbox_is_empty(&outbox));
}
END_TEST

/* A session whose acknowledgement was sent is to be served, even if the next message fails. */
START_TEST(test_knows_which_acknowledgements_were_lost)
{
    setup();
    outbox_add(&outbox, OUTBOX_ACKNOWLEDGE, 1);
    ck_assert_int_eq(outbox_flush(&outbox, ours), 0);
    theirs = fd_close(theirs);
    outbox_add(&outbox, OUTBOX_ENDED, 1);
    ck_assert_int_eq(outbox_flush(&outbox, ours), -EPIPE);
    ck_assert_uint_eq(outbox_take_lost(&outbox), 0);
    outbox_add(&outbox, OUTBOX_ACKNOWLEDGE, 2);
    ck_assert_uint_eq(outbox_take_lost(&outbox), 1);
    setup();
    theirs = fd_close(theirs);
    outbox_add(&outbox, OUTBOX_ACKNOWLEDGE, 1);
    outbox_add(&outbox, OUTBOX_ACKNOWLEDGE, 2);
    ck_assert_int_eq(outbox_flush(&outbox, ours), -EPIPE);
    outbox_add(&outbox, OUTBOX_ACKNOWLEDGE, 3);
    ck_assert_uint_eq(outbox_take_lost(&outbox), 3);
    ck_assert_uint_eq(outbox_take_lost(&outbox), 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("outbox");

    ADD_TESTS(suite, "outbox", test_sends_in_the_order_of_the_kinds,
              test_keeps_what_the_channel_does_not_take, test_remembers_that_the_channel_is_closed,
              test_knows_which_acknowledgements_were_lost);
    return suite;
}
