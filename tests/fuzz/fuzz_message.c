/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Bytes that a worker or dispatcherd may receive: whatever message_read() takes can be read to its
 * end, and written again. */
#include "protocol/message.h"

#include <assert.h>
#include <stdalign.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static alignas(8) uint8_t bytes[MESSAGE_BYTES_MAX + 1];
static alignas(8) uint8_t again[MESSAGE_BYTES_MAX];

static void read_text(const struct message *message)
{
    size_t length = 0;

    for (const char *s = message_next_text(message, NULL); s; s = message_next_text(message, s))
        length += strlen(s) + 1;
    assert(length == message->text_length);
    (void)message_find_text(message, "VERSION");
}

static void read_connections(const struct message *message)
{
    struct connection_view view;
    size_t offset = 0;
    uint32_t n = 0;
    char tag[CONNECTION_TEXT_MAX + 1], note[CONNECTION_TEXT_MAX + 1];
    char host[ADDRESS_TEXT_MAX];

    for (; message_next_connection(message, &offset, &view); n++) {
        memcpy(tag, view.tag, view.record->tag_length);
        tag[view.record->tag_length] = '\0';
        memcpy(note, view.note, view.record->note_length);
        note[view.record->note_length] = '\0';
        address_format(&view.record->peer, host);
        struct message one;
        size_t length =
            message_write_connection(again, sizeof(again), message->type, view.record, tag, note);
        assert(message_read(again, length, &one) == 0 && one.value == 1);
        size_t first = 0;
        const struct connection_record record = *view.record;
        assert(message_next_connection(&one, &first, &view));
        assert(memcmp(&record, view.record, sizeof(record)) == 0);
    }
    assert(n == message->value && n <= MESSAGE_FDS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message message;

    if (size > sizeof(bytes))
        return 0;
    memcpy(bytes, data, size);
    if (message_read(bytes, size, &message) < 0)
        return 0;
    assert(message.length <= size);
    if (message.text)
        read_text(&message);
    if (message.records)
        read_connections(&message);
    if (message.ids) {
        size_t length =
            message_write_ids(again, sizeof(again), message.type, message.ids, message.value);
        assert(length == message.length && memcmp(again, bytes, length) == 0);
    }
    return 0;
}
