/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "scene.h"
#include "support/random.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct scene scene;

static void setup(void)
{
    scene_start(&scene);
}

static void teardown(void)
{
    scene_stop(&scene);
}

/* The first entry from `from` on that matches, found one by one. */
static uint32_t find_slowly(const struct mapping_table *table, const char *text, uint32_t from)
{
    struct pattern_field fields[PATTERN_FIELDS_MAX];
    static struct pattern_input input;
    uint64_t steps = 0;

    pattern_input_set(&input, text, strlen(text));
    for (uint32_t i = from; i < table->n_entries; i++)
        if (pattern_match(&table->entries[i].pattern, &input, fields, &steps) == PATTERN_MATCHES)
            return i;
    return UINT32_MAX;
}

/* An address of a few neighbouring networks, so that many hold it. */
static void random_address(struct random_source *source, char text[64])
{
    uint64_t a = random_between(source, 0, 3), b = random_between(source, 0, 2);

    switch (random_between(source, 0, 5)) {
    case 0:
        sprintf(text, "2001:db8:%x::%x", (unsigned)a + 1, (unsigned)b + 1);
        break;
    case 1:
        sprintf(text, "::%x", (unsigned)a + 1);
        break;
    default:
        sprintf(text, "10.%u.%u.%u", (unsigned)b, (unsigned)a,
                (unsigned)random_between(source, 0, 255));
    }
}

static void add_random_entry(struct random_source *source, struct str_buffer *buffer)
{
    char text[64];

    random_address(source, text);
    bool is_ipv6 = strchr(text, ':') != NULL;
    uint64_t bits = random_between(source, 0, 16) * (is_ipv6 ? 8 : 2);
    switch (random_between(source, 0, 9)) {
    case 0:
        str_buffer_add(buffer, "  %s  $Y\n", text);
        break;
    case 1:
        str_buffer_add(buffer, is_ipv6 ? "  ${%s}  $Y\n" : "  $<%s/4>  $Y\n", text);
        break;
    case 2:
        str_buffer_add(buffer, random_between(source, 0, 9) == 0 ? "  1*  $Y\n" : "  x  $Y\n");
        break;
    default:
        str_buffer_add(buffer, is_ipv6 ? "  ${%s/%u}  $Y\n" : "  $(%s/%u)  $Y\n", text,
                       (unsigned)bits);
    }
}

START_TEST(test_finds_what_comparing_one_by_one_finds)
{
    struct random_source source = random_start();

    for (unsigned round = 0; round < 60; round++) {
        static char text[65536];
        struct str_buffer buffer = str_buffer_init(text, sizeof(text));
        const struct mapping_table *table;

        str_buffer_add(&buffer, "T\n\n");
        for (uint64_t n = random_between(&source, 1, 150); n > 0; n--)
            add_random_entry(&source, &buffer);
        ck_assert_int_eq(scene_load(&scene, text), 0);
        table = mapping_set_find(scene.set, "T");
        for (unsigned i = 0; i < 200; i++) {
            char address[64];

            random_address(&source, address);
            if (i % 50 == 0)
                strcpy(address, i ? "2001:DB8:1:0::1" : "010.0.0.1");
            uint32_t expected = find_slowly(table, address, 0);
            scene_run(&scene, "T", address);
            const struct mapping_entry *entry = mapping_run_entry(&scene.run);
            uint32_t found = entry ? (uint32_t)(entry - table->entries) : UINT32_MAX;
            ck_assert_msg(found == expected, "%s: %u, not %u in\n%s", address, found, expected,
                          text);
        }
        for (size_t i = 0; i < table->n_indexes; i++) {
            const struct network_index *index = &table->indexes[i];
            char address[64];
            uint32_t from = (uint32_t)random_between(&source, index->first, index->end - 1);
            uint32_t found = UINT32_MAX;

            random_address(&source, address);
            enum network_index_outcome outcome =
                network_index_find(index, address, strlen(address), from, &found);
            uint32_t expected = find_slowly(table, address, from);
            ck_assert_int_eq(outcome == NETWORK_INDEX_FOUND, expected < index->end);
            if (outcome == NETWORK_INDEX_FOUND)
                ck_assert_uint_eq(found, expected);
        }
    }
}
END_TEST

START_TEST(test_goes_on_behind_an_entry_with_c)
{
    char text[2048] = "T\n\n";

    for (unsigned i = 0; i < 20; i++)
        sprintf(text + strlen(text), "  $(10.0.0.0/%u)  $C$0%s\n", 8 + i % 3, i == 19 ? "$Y" : "");
    ck_assert_int_eq(scene_load(&scene, text), 0);
    ck_assert_uint_eq(mapping_set_find(scene.set, "T")->n_indexes, 1);
    ck_assert_str_eq(scene_run(&scene, "T", "10.0.0.1"), "10.0.0.1/Y");
    ck_assert_uint_eq(scene.run.n_elements, 20 * 2 + 1);
}
END_TEST

START_TEST(test_answers_a_hundred_thousand_networks_at_once)
{
    enum {
        N = 100000,
        LOOKUPS = 1000
    };
    size_t size = (size_t)N * 40, length;
    char *text = malloc(size);
    struct timespec start, end;

    length = (size_t)sprintf(text, "PORT_ACCESS\n\n  *|*|*|*|*  $C$|I;$3|$Y$E\n  *  $YX\n\nI\n\n");
    for (unsigned i = 0; i < N; i++)
        length += (size_t)sprintf(text + length, "  $(%u.%u.%u.0/24)  $Y\n", 1 + i / 65536,
                                  i / 256 % 256, i % 256);
    strcpy(text + length, "  *  $N\n");
    ck_assert_int_eq(scene_load(&scene, text), 0);
    free(text);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (unsigned i = 0; i < LOOKUPS; i++)
        ck_assert_str_eq(scene_ask(&scene, i % 2 ? "2.16.0.7" : "203.0.113.5"),
                         i % 2 ? "accept" : "accept tag=X");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    /* A millisecond each; it takes a few microseconds, but the machine may be slow. */
    ck_assert_int_le(end.tv_sec - start.tv_sec, 1);
}
END_TEST

SUITE("network_index", setup, teardown, test_finds_what_comparing_one_by_one_finds,
      test_goes_on_behind_an_entry_with_c, test_answers_a_hundred_thousand_networks_at_once)
