/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "fixture.h"
#include "support/random.h"
#include "support/suite.h"

#include "base/macro.h"
#include "config/option_table.h"
#include "config/print.h"
#include "config/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fixture fixture;

static void setup(void)
{
    fixture_start(&fixture);
}

static void teardown(void)
{
    fixture_stop(&fixture);
}

/* What the option is, as text. */
static char *value_text(const struct option *option, const struct service_options *service)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    option->type->print(option->name, option_place_const(option, service), stream);
    fclose(stream);
    return text;
}

static void assert_same_service(const struct service_options *a, const struct service_options *b)
{
    ck_assert_str_eq(a->name, b->name);
    ck_assert_str_eq(a->unit_name, b->unit_name);
    ck_assert_int_eq(a->is_enabled, b->is_enabled);
    ck_assert_int_eq(a->has_interface_address, b->has_interface_address);
    for (size_t i = 0; i < N_OPTIONS; i++) {
        char *x = value_text(&option_table[i], a), *y = value_text(&option_table[i], b);

        ck_assert_str_eq(x, y);
        free(x);
        free(y);
    }
}

/* Reads back what is printed of the configuration in the fixture; it must be the same. */
static void assert_reads_back(const char *text)
{
    struct problem_list problems = {0};
    struct config again;

    ck_assert_msg(fixture_load(&fixture, text) == 0, "%s\nof:\n%s", fixture_problems(&fixture),
                  text);
    fixture_write(&fixture, "printed.cnf", fixture.printed);
    int r = config_load(fixture_path(&fixture, "printed.cnf"), &fixture.paths, &problems, &again);
    ck_assert_msg(r == 0, "not read: %s\nprinted of:\n%s", fixture.printed, text);
    ck_assert_uint_eq(again.debug, fixture.config.debug);
    ck_assert_uint_eq(again.historical_time_sec, fixture.config.historical_time_sec);
    ck_assert_pstr_eq(again.logfile, fixture.config.logfile);
    ck_assert(str_list_equal(&again.dns_servers, &fixture.config.dns_servers));
    ck_assert(str_list_equal(&again.fleet, &fixture.config.fleet));
    ck_assert_pstr_eq(again.fleet_name, fixture.config.fleet_name);
    ck_assert_int_eq(again.fleet_addresses, fixture.config.fleet_addresses);
    ck_assert_uint_eq(again.fleet_wait_msec, fixture.config.fleet_wait_msec);
    ck_assert_uint_eq(again.n_services, fixture.config.n_services);
    for (size_t i = 0; i < again.n_services; i++)
        assert_same_service(&again.services[i], &fixture.config.services[i]);
    config_clear(&again);
    problem_list_clear(&problems);
}

START_TEST(test_says_where_each_value_comes_from)
{
    ck_assert_int_eq(fixture_load(&fixture, "MAX_PROCS=3\n[SERVICE=Smtp]\nIMAGE=w\nport=25\n"), 0);
    ck_assert(fixture_has(&fixture, "Smtp.! dispatcher.cnf:1\nMAX_PROCS=3"));
    ck_assert(fixture_has(&fixture, "Smtp.! dispatcher.cnf:4\nPORT=25"));
    ck_assert(fixture_has(&fixture, "Smtp.! default\nMAX_CONNS=10"));
    fixture.paths.debug_env = "1";
    ck_assert_int_eq(fixture_load_again(&fixture), 0);
    ck_assert(fixture_has(&fixture, "Smtp.! environment\nDEBUG=16%1"));
}
END_TEST

START_TEST(test_prints_what_reads_back_the_same)
{
    static const char *const texts[] = {
        "[SERVICE=S]\nIMAGE=w\nPORT=25\n",
        "[SERVICE=S]\nPORT=0\n",
        "[SERVICE=S]\nPORT=0\nENABLE=0\n",
        "[SERVICE=S]\nENABLE=0\n",
        "[SERVICE=S]\nPORT=0\nENABLE=1\nTLS_PORT=465\n",
        "[SERVICE=S]\nIMAGE=w\nTLS_PORT=465\nENABLE=1\n",
        "[SERVICE=S]\nIMAGE=w\nPORT=25\nTLS_PORT=0\nDEBUG=11111\n",
        "PROXY_UPSTREAMS=::1\n[SERVICE=S]\nIMAGE=w\nPORT=25\nPROXY_UPSTREAMS=\n",
        ("[SERVICE=S]\nIMAGE=w\nPORT=25\nMAX_CONNS_PER_ADDRESS=16%1F\nPROXY_PROTOCOL=1\n"
         "PROXY_UPSTREAMS=192.0.2.0/24 , 2001:DB8:0::/32,127.0.0.1\n"),
        "[SERVICE=S]\nIMAGE=w\nPORT=25\nPARAMETER=\"a\"\nPARAMETER=a=b ! c\nPARAMETER=x\\ \n",
        "[SERVICE=S]\nIMAGE=/a b/w\\ \nPORT=25\nLOGFILE=%%%s\nPARAMETER=\xff\x01\n",
        ("[SERVICE=DISPATCHER]\nDNS_SERVERS=192.0.2.1,[2001:db8::1]:5353\n"
         "[SERVICE=S]\nIMAGE=w\nPORT=25\n"),
#ifdef HAVE_HIREDIS
        ("[SERVICE=DISPATCHER]\nFLEET=unix:/run/r.sock [::1]:7000,192.0.2.1\nFLEET_NAME=mx-1\n"
         "FLEET_ADDRESSES=1\nFLEET_WAIT=20\n"
         "[SERVICE=S]\nIMAGE=w\nPORT=25\n"),
#endif
        ("LOGFILE=d\nDEBUG=-1\nHISTORICAL_TIME=5\n[SERVICE=DISPATCHER]\nLOGFILE=\n"
         "[SERVICE=S]\nIMAGE=w\nPORT=25\nDEBUG=0\n"),
    };

    for (size_t i = 0; i < ELEMENTSOF(texts); i++)
        assert_reads_back(texts[i]);
}
END_TEST

START_TEST(test_tells_of_a_stream_that_is_full)
{
    FILE *stream = fopen("/dev/full", "w");

    ck_assert_int_eq(fixture_load(&fixture, "[SERVICE=S]\nPORT=0\n"), 0);
    if (!stream)
        return;
    ck_assert_int_lt(config_print(&fixture.config, stream), 0);
    fclose(stream);
}
END_TEST

/* A number in the option's range, in any notation. */
static void add_number(struct random_source *random, struct str_buffer *buffer,
                       const struct option *option)
{
    uint64_t span = (uint64_t)(option->max - option->min);
    int64_t value = option->min + (int64_t)random_between(random, 0, span < 100 ? span : 100);

    if (random_next(random) % 8 == 0)
        value = option->max;
    if (value >= 0 && random_next(random) % 2)
        str_buffer_add(buffer, "16%%%llX", (long long)value);
    else
        str_buffer_add(buffer, "%lld", (long long)value);
}

static void add_text(struct random_source *random, struct str_buffer *buffer)
{
    static const char characters[] = "abcXYZ019-_.=\\!;#\"'%/: \t\x01\xff";

    for (uint64_t n = random_between(random, 0, 12); n > 0; n--)
        str_buffer_add(buffer, "%c", characters[random_between(random, 0, sizeof(characters) - 2)]);
    str_buffer_add(buffer, " ");
}

static void add_option(struct random_source *random, struct str_buffer *buffer,
                       const struct option *option, unsigned *port)
{
    static const char *const addresses[] = {"", "127.0.0.1", "::1", "0.0.0.0", "[2001:db8::]"};
    static const char *const networks[] = {"", "127.0.0.1, ::1", "192.0.2.0/24", "::/0,10.0.0.0/8"};
    static const char *const zones[] = {"", "a", "zen.dnsbl.example", "x-1.example."};

    str_buffer_add(buffer, "%s=", option->name);
    if (option->type == &value_count || option->type == &value_mask || option->type == &value_flag)
        add_number(random, buffer, option);
    else if (option->type == &value_ports)
        str_buffer_add(buffer, random_next(random) % 8 ? "%u" : "%u, %u", *port, *port + 1);
    else if (option->type == &value_address)
        str_buffer_add(buffer, "%s", addresses[random_between(random, 0, 4)]);
    else if (option->type == &value_networks)
        str_buffer_add(buffer, "%s", networks[random_between(random, 0, 3)]);
    else if (option->type == &value_zones)
        str_buffer_add(buffer, "%s", zones[random_between(random, 0, 3)]);
    else if (option->type == &value_parameters)
        add_text(random, buffer);
    else
        str_buffer_add(buffer, "%s", random_next(random) % 4 ? "a_%s.b" : "/x y/z%%");
    str_buffer_add(buffer, "\n");
    *port += 2;
}

static void add_options(struct random_source *random, struct str_buffer *buffer, unsigned *port)
{
    for (uint64_t n = random_between(random, 0, 12); n > 0; n--)
        add_option(random, buffer, &option_table[random_between(random, 0, N_OPTIONS - 1)], port);
}

START_TEST(test_random_configurations_read_back_the_same)
{
    struct random_source random = random_start();
    static char text[1 << 16];

    for (unsigned round = 0; round < 1000; round++) {
        struct str_buffer buffer = str_buffer_init(text, sizeof(text));
        unsigned port = 1;

        add_options(&random, &buffer, &port);
        for (uint64_t i = 0; i < 1 + random_next(&random) % 3; i++) {
            str_buffer_add(&buffer, "[SERVICE=s%u]\nIMAGE=i\nPORT=%u\n", (unsigned)i, port);
            port += 2;
            add_options(&random, &buffer, &port);
            /* Whatever was drawn: these a service needs. */
            str_buffer_add(&buffer, "IMAGE=j\nTLS_PORT=%u\nPROXY_UPSTREAMS=::1\n", port);
            port += 2;
        }
        assert_reads_back(text);
    }
}
END_TEST

SUITE("print", setup, teardown, test_says_where_each_value_comes_from,
      test_prints_what_reads_back_the_same, test_tells_of_a_stream_that_is_full,
      test_random_configurations_read_back_the_same)
