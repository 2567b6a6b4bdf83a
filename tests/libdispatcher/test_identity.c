/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Who uses a connection: the answer comes when it likes, and a session waits for it, but not long.
 */
#include "support/suite.h"

#include "base/macro.h"
#include "libdispatcher/fake_dispatcher.h"
#include "protocol/connection_id.h"

#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void serve(dispatcher_connection *connection, _unused_ void *userdata)
{
    const char *user = dispatcher_connection_identity(connection);
    char line[64];
    size_t length = (size_t)snprintf(line, sizeof(line), "<%s>\n", user);

    /* And then until the client has said something. */
    if (write(dispatcher_connection_fd(connection), line, length) < (ssize_t)length ||
        read(dispatcher_connection_fd(connection), line, 1) < 0)
        return;
}

static const struct dispatcher_worker_callbacks callbacks = {.serve = serve};
static struct fake_dispatcher fake_memory, *fake = &fake_memory;

static void greet(void)
{
    struct fake_welcome welcome = fake_welcome_default();

    fake_start(fake, &callbacks, FAKE_LIMIT_MSEC);
    fake_greet(fake, &welcome);
}

static void finish(void)
{
    fake_close_channel(fake);
    ck_assert_int_eq(fake_wait_end(fake), 0);
}

static size_t connect_with(uint32_t flags)
{
    return fake_connect_as(fake, (struct connection_record){.flags = flags}, "", "");
}

static void tell(size_t connection, const char *user)
{
    alignas(8) char bytes[128];
    char id[CONNECTION_ID_BYTES];
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_IDENTITY);

    message_text_add(&text, "CONNECTION", connection_id_format(FAKE_FIRST_ID + connection, id));
    if (user)
        message_text_add(&text, "USER", user);
    fake_send_packet(fake, bytes, text.length, NULL, 0);
}

START_TEST(test_a_session_waits_for_the_answer)
{
    greet();
    size_t first = connect_with(CONNECTION_FLAG_IDENTITY);
    size_t second = connect_with(CONNECTION_FLAG_IDENTITY);
    FAKE_WAIT(fake->n_acknowledged == 2);
    ck_assert(!fake_client_has_news(fake, first));
    tell(second, "alice");
    tell(77, "nobody");
    tell(first, NULL);
    ck_assert_str_eq(fake_ask(fake, second, "x"), "<alice>");
    ck_assert_str_eq(fake_ask(fake, first, "x"), "<>");
    finish();
}
END_TEST

/* Nothing was asked; or the one who asked is gone. */
START_TEST(test_a_session_does_not_wait_for_ever)
{
    greet();
    ck_assert_str_eq(fake_ask(fake, connect_with(0), "x"), "<>");
    ck_assert_str_eq(fake_ask(fake, connect_with(CONNECTION_FLAG_IDENTITY), "x"), "<>");
    finish();
}
END_TEST

SUITE("identity", NULL, NULL, test_a_session_waits_for_the_answer,
      test_a_session_does_not_wait_for_ever)
