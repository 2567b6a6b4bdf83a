/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "protocol/message.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The layout is part of the protocol, which other programs and other versions rely on. */
static_assert(sizeof(struct message_header) == 8, "layout of message_header");
static_assert(sizeof(struct address) == 24, "layout of address");
static_assert(sizeof(struct connection_record) == 72, "layout of connection_record");

const char *message_type_to_string(uint32_t type)
{
    switch (type) {
    case MESSAGE_HELLO:
        return "HELLO";
    case MESSAGE_READY:
        return "READY";
    case MESSAGE_ACKNOWLEDGE:
        return "ACKNOWLEDGE";
    case MESSAGE_REFUSE:
        return "REFUSE";
    case MESSAGE_ENDED:
        return "ENDED";
    case MESSAGE_DRAINING:
        return "DRAINING";
    case MESSAGE_HELD:
        return "HELD";
    case MESSAGE_PUT_OFF:
        return "PUT_OFF";
    case MESSAGE_PASSED_ON:
        return "PASSED_ON";
    case MESSAGE_PUT_BACK:
        return "PUT_BACK";
    case MESSAGE_FAILED:
        return "FAILED";
    case MESSAGE_SENT_AWAY:
        return "SENT_AWAY";
    case MESSAGE_NEWS:
        return "NEWS";
    case MESSAGE_ALERT:
        return "ALERT";
    case MESSAGE_TLS:
        return "TLS";
    case MESSAGE_CERTIFICATE:
        return "CERTIFICATE";
    case MESSAGE_ANSWER:
        return "ANSWER";
    case MESSAGE_WELCOME:
        return "WELCOME";
    case MESSAGE_CONNECTION:
        return "CONNECTION";
    case MESSAGE_DRAIN:
        return "DRAIN";
    case MESSAGE_STOP:
        return "STOP";
    case MESSAGE_DEBUG:
        return "DEBUG";
    case MESSAGE_ADOPT:
        return "ADOPT";
    case MESSAGE_LOG:
        return "LOG";
    case MESSAGE_STRESS:
        return "STRESS";
    case MESSAGE_IDENTITY:
        return "IDENTITY";
    default:
        return "unknown";
    }
}

static size_t pad_to_eight(size_t length)
{
    return (length + 7) & ~(size_t)7;
}

static bool has_nul(const char *text, size_t length)
{
    return memchr(text, '\0', length) != NULL;
}

static bool records_are_whole(const struct message *message)
{
    size_t offset = 0;
    struct connection_view view;
    uint32_t n = 0;

    while (message_next_connection(message, &offset, &view)) {
        if (has_nul(view.tag, view.record->tag_length) ||
            has_nul(view.note, view.record->note_length))
            return false;
        n++;
    }
    return n == message->value && offset == message->records_length && n <= MESSAGE_FDS_MAX;
}

bool message_type_has_ids(uint32_t type)
{
    switch (type) {
    case MESSAGE_ACKNOWLEDGE:
    case MESSAGE_REFUSE:
    case MESSAGE_ENDED:
    case MESSAGE_PUT_OFF:
    case MESSAGE_PASSED_ON:
    case MESSAGE_FAILED:
    case MESSAGE_SENT_AWAY:
        return true;
    default:
        return false;
    }
}

int message_read(const void *bytes, size_t length, struct message *ret)
{
    struct message_header header;
    struct message message = {0};

    if (length < sizeof(header) || length > MESSAGE_BYTES_MAX)
        return -EBADMSG;
    memcpy(&header, bytes, sizeof(header));
    message.type = header.type;
    message.value = header.value;
    const uint8_t *body = (const uint8_t *)bytes + sizeof(header);
    size_t body_length = length - sizeof(header);

    message.length = length;
    switch (header.type) {
    case MESSAGE_DRAINING:
        message.length = sizeof(header);
        break;
    case MESSAGE_READY:
    case MESSAGE_NEWS:
    case MESSAGE_DRAIN:
    case MESSAGE_STOP:
    case MESSAGE_DEBUG:
    case MESSAGE_LOG:
    case MESSAGE_STRESS:
        if (body_length != 0)
            return -EBADMSG;
        break;
    case MESSAGE_HELLO:
    case MESSAGE_ALERT:
    case MESSAGE_TLS:
    case MESSAGE_CERTIFICATE:
    case MESSAGE_ANSWER:
    case MESSAGE_WELCOME:
    case MESSAGE_ADOPT:
    case MESSAGE_IDENTITY:
        if (body_length > 0 && body[body_length - 1] != '\0')
            return -EBADMSG;
        message.text = (const char *)body;
        message.text_length = body_length;
        break;
    case MESSAGE_CONNECTION:
    case MESSAGE_HELD:
    case MESSAGE_PUT_BACK:
        message.records = body;
        message.records_length = body_length;
        if (!records_are_whole(&message))
            return -EBADMSG;
        break;
    default:
        if (!message_type_has_ids(header.type) || header.value > MESSAGE_IDS_MAX ||
            body_length < header.value * sizeof(uint64_t))
            return -EBADMSG;
        message.length = sizeof(header) + header.value * sizeof(uint64_t);
        message.ids = (const uint64_t *)(const void *)body;
        break;
    }
    if (message.length < length && length - message.length < sizeof(header))
        return -EBADMSG;
    *ret = message;
    return 0;
}

const char *message_next_text(const struct message *message, const char *previous)
{
    const char *next = previous ? previous + strlen(previous) + 1 : message->text;

    return next < message->text + message->text_length ? next : NULL;
}

const char *message_find_text(const struct message *message, const char *name)
{
    size_t length = strlen(name);

    for (const char *s = message_next_text(message, NULL); s; s = message_next_text(message, s))
        if (strncmp(s, name, length) == 0 && s[length] == '=')
            return s + length + 1;
    return NULL;
}

int message_find_number(const struct message *message, const char *name, uint32_t min, uint32_t max,
                        uint32_t *ret)
{
    const char *text = message_find_text(message, name);
    char *end;

    if (!text || text[0] < '0' || text[0] > '9')
        return -EBADMSG;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end || value < min || value > max)
        return -EBADMSG;
    *ret = (uint32_t)value;
    return 0;
}

bool message_next_connection(const struct message *message, size_t *offset,
                             struct connection_view *ret)
{
    size_t left = message->records_length - *offset;
    const uint8_t *at = message->records + *offset;
    const struct connection_record *record = (const void *)at;

    if (left < sizeof(*record) || record->tag_length > CONNECTION_TEXT_MAX ||
        record->note_length > CONNECTION_TEXT_MAX)
        return false;
    size_t whole = pad_to_eight(sizeof(*record) + (size_t)record->tag_length + record->note_length);
    if (whole > left)
        return false;
    *ret = (struct connection_view){
        .record = record,
        .tag = (const char *)at + sizeof(*record),
        .note = (const char *)at + sizeof(*record) + record->tag_length,
    };
    *offset += whole;
    return true;
}

size_t message_write_value(void *bytes, size_t size, enum message_type type, uint32_t value)
{
    const struct message_header header = {.type = type, .value = value};

    if (size < sizeof(header))
        return 0;
    memcpy(bytes, &header, sizeof(header));
    return sizeof(header);
}

size_t message_write_ids(void *bytes, size_t size, enum message_type type, const uint64_t *ids,
                         size_t n_ids)
{
    size_t length = sizeof(struct message_header) + n_ids * sizeof(*ids);

    if (n_ids > MESSAGE_IDS_MAX || size < length)
        return 0;
    message_write_value(bytes, size, type, (uint32_t)n_ids);
    memcpy((uint8_t *)bytes + sizeof(struct message_header), ids, n_ids * sizeof(*ids));
    return length;
}

size_t message_add_connection(void *bytes, size_t size, size_t length,
                              const struct connection_record *record, const char *tag,
                              const char *note)
{
    struct connection_record written = *record;
    size_t tag_length = strnlen(tag, CONNECTION_TEXT_MAX);
    size_t note_length = strnlen(note, CONNECTION_TEXT_MAX);
    size_t text_at = length + sizeof(written);
    size_t end = text_at + tag_length + note_length;
    size_t padded = pad_to_eight(end);
    struct message_header header;
    uint8_t *out = bytes;

    if (size < padded)
        return 0;
    written.tag_length = (uint16_t)tag_length;
    written.note_length = (uint16_t)note_length;
    memcpy(&header, bytes, sizeof(header));
    header.value++;
    memcpy(bytes, &header, sizeof(header));
    memcpy(out + length, &written, sizeof(written));
    memcpy(out + text_at, tag, tag_length);
    memcpy(out + text_at + tag_length, note, note_length);
    memset(out + end, 0, padded - end);
    return padded;
}

size_t message_write_connection(void *bytes, size_t size, enum message_type type,
                                const struct connection_record *record, const char *tag,
                                const char *note)
{
    size_t length = message_write_value(bytes, size, type, 0);

    return length > 0 ? message_add_connection(bytes, size, length, record, tag, note) : 0;
}

struct message_text message_text_start(void *bytes, size_t size, enum message_type type)
{
    size_t length = message_write_value(bytes, size, type, 0);

    return (struct message_text){
        .bytes = bytes, .size = size, .length = length, .is_too_long = length == 0};
}

void message_text_add(struct message_text *text, const char *name, const char *value)
{
    size_t room = text->size - text->length;
    int n = snprintf(text->bytes + text->length, room, "%s=%s", name, value);

    if (n < 0 || (size_t)n >= room)
        text->is_too_long = true;
    else
        text->length += (size_t)n + 1;
}

void message_text_add_number(struct message_text *text, const char *name, uint64_t value)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%" PRIu64, value);
    message_text_add(text, name, digits);
}
