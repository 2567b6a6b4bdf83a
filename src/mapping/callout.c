/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/callout.h"

#include "base/macro.h"
#include "base/str.h"
#include "mapping/character.h"

#include <string.h>

static const struct {
    const char *image;
    const char *name;
} routines[] = {
    [CALLOUT_DNS_LIST] = {"dns_verify", "dns_verify_domain_port"},
    [CALLOUT_THROTTLE] = {"conn_throttle", "throttle"},
    [CALLOUT_THROTTLE_PENALTY] = {"conn_throttle", "throttle_p"},
    [CALLOUT_CONCURRENT] = {"conn_throttle", "concurrent"},
};

static const char form_of_dns[] = "needs ADDRESS,ZONE or ADDRESS,ZONE,TEXT";
static const char form_of_throttle[] = "needs ADDRESS,NUMBER";

const char *callout_routine_to_string(enum callout_routine routine)
{
    return routines[routine].name;
}

static bool is_name(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && str_starts_nocase(text, name);
}

/* Removes folder, logical name and ".so". */
static void reduce(const char **image, size_t *length)
{
    const char *start = *image, *end = start + *length;

    for (const char *c = start; c < end; c++)
        if (*c == '/' || *c == ':')
            start = c + 1;
    if (end - start >= 3 && str_starts_nocase(end - 3, ".so"))
        end -= 3;
    *image = start;
    *length = (size_t)(end - start);
}

const char *callout_find(const char *image, size_t image_length, const char *routine,
                         size_t routine_length, enum callout_routine *ret, bool *ret_is_metermaid)
{
    bool is_image_known = false;

    reduce(&image, &image_length);
    *ret_is_metermaid = is_name(image, image_length, "check_metermaid");
    if (*ret_is_metermaid) {
        *ret = CALLOUT_THROTTLE;
        return is_name(routine, routine_length, "throttle")
                   ? NULL
                   : "calls a routine of check_metermaid that is not available; only throttle is";
    }
    for (size_t i = 0; i < ELEMENTSOF(routines); i++) {
        if (!is_name(image, image_length, routines[i].image))
            continue;
        is_image_known = true;
        if (is_name(routine, routine_length, routines[i].name)) {
            *ret = (enum callout_routine)i;
            return NULL;
        }
    }
    if (is_image_known && is_name(image, image_length, "dns_verify"))
        return "calls a routine of dns_verify that is not available; only "
               "dns_verify_domain_port is";
    if (is_image_known)
        return "calls a routine that conn_throttle does not have; it has throttle, throttle_p "
               "and concurrent";
    return "calls a library that is not built in; only these are: dns_verify and "
           "conn_throttle";
}

static bool read_zone(const char *text, size_t length, char zone[CALLOUT_ZONE_MAX + 1])
{
    if (length > 0 && text[length - 1] == '.')
        length--;
    if (length == 0 || length > CALLOUT_ZONE_MAX || text[0] == '.')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!character_is_letter(text[i]) && !character_is_digit(text[i]) &&
            !strchr("-_.", text[i]))
            return false;
    memcpy(zone, text, length);
    zone[length] = '\0';
    return !strstr(zone, "..");
}

static bool read_address(const char *text, size_t length, struct address *ret)
{
    char copy[ADDRESS_TEXT_MAX];

    if (length >= sizeof(copy) || *text == '[')
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return address_parse(copy, ret) == 0;
}

const char *callout_read(enum callout_routine routine, const char *argument, struct callout *ret)
{
    const char *comma = strchr(argument, ',');
    struct callout callout = {.routine = routine};

    if (!comma)
        return routine == CALLOUT_DNS_LIST ? form_of_dns : form_of_throttle;
    if (!read_address(argument, (size_t)(comma - argument), &callout.address))
        return "has no address as its first argument";
    const char *second = comma + 1;
    if (routine == CALLOUT_DNS_LIST) {
        const char *end = strchrnul(second, ',');

        if (!read_zone(second, (size_t)(end - second), callout.zone))
            return "has no domain name as its second argument";
        callout.text = *end ? end + 1 : NULL;
    } else if (!character_read_number(second, &callout.limit)) {
        return "has no number as its second argument";
    }
    *ret = callout;
    return NULL;
}

const char *callout_check(enum callout_routine routine, const char *argument)
{
    struct address address;
    struct callout callout;
    const char *comma = strchr(argument, ',');
    const char *unknown = strchr(argument, CALLOUT_UNKNOWN);

    if (!unknown)
        return callout_read(routine, argument, &callout);
    if (!comma)
        return routine == CALLOUT_DNS_LIST ? form_of_dns : form_of_throttle;
    /* From here on: the known parts of the first argument, and of the second. */
    if (unknown > comma && !read_address(argument, (size_t)(comma - argument), &address))
        return "has no address as its first argument";
    const char *end = strchrnul(comma + 1, routine == CALLOUT_DNS_LIST ? ',' : '\0');
    if (memchr(comma, CALLOUT_UNKNOWN, (size_t)(end - comma)))
        return NULL;
    if (routine == CALLOUT_DNS_LIST)
        return read_zone(comma + 1, (size_t)(end - comma - 1), callout.zone)
                   ? NULL
                   : "has no domain name as its second argument";
    return character_read_number(comma + 1, &callout.limit)
               ? NULL
               : "has no number as its second argument";
}
