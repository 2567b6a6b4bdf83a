/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/service/socket_match.h"

#include "dispatcherd/control_scene.h"
#include "support/suite.h"

#include <string.h>

static const char configuration[] =
    "[SERVICE=ONE]\nIMAGE=/bin/true\nPORT=25\nINTERFACE_ADDRESS=192.0.2.1\n"
    "[SERVICE=TWO]\nIMAGE=/bin/true\nPORT=25,587\nTLS_PORT=465\n"
    "[SERVICE=SIX]\nIMAGE=/bin/true\nPORT=26\nINTERFACE_ADDRESS=2001:db8::1\n";

static struct control_scene scene;

static void set_up(void)
{
    scene_init(&scene, configuration);
}

static void tear_down(void)
{
    scene_clear(&scene);
}

START_TEST(test_names)
{
    static const struct {
        const char *name;
        bool is_unnamed;
    } cases[] = {
        {"unknown", true}, {"", true},         {"any.socket", true}, {".socket", true},
        {"one", false},    {"one-tls", false}, {"nonsense", false},  {"socket", false},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        ck_assert_msg(socket_match_is_unnamed(cases[i].name) == cases[i].is_unnamed, "'%s'",
                      cases[i].name);
}
END_TEST

START_TEST(test_addresses)
{
    static const struct {
        const char *host;
        uint16_t port;
        const char *service; /* NULL: none */
        bool is_tls;
    } cases[] = {
        {"192.0.2.1", 25, "ONE", false},   {"192.0.2.2", 25, "TWO", false},
        {"0.0.0.0", 25, "TWO", false},     {"::", 25, "TWO", false},
        {"0.0.0.0", 587, "TWO", false},    {"192.0.2.1", 465, "TWO", true},
        {"2001:db8::1", 26, "SIX", false}, {"2001:db8::2", 26, NULL, false},
        {"0.0.0.0", 26, NULL, false},      {"0.0.0.0", 2525, NULL, false},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct address address;
        bool is_tls = false;

        ck_assert_int_eq(address_parse(cases[i].host, &address), 0);
        address.port = cases[i].port;
        const struct service *service =
            socket_match_address(scene.services, scene.n_services, &address, &is_tls);
        ck_assert_msg((service == NULL) == (cases[i].service == NULL), "%s %u", cases[i].host,
                      cases[i].port);
        if (!service)
            continue;
        ck_assert_str_eq(service->options->name, cases[i].service);
        ck_assert(is_tls == cases[i].is_tls);
    }
}
END_TEST

START_TEST(test_a_socket_without_an_internet_address_has_no_service)
{
    const struct address address = {.family = AF_UNIX};
    bool is_tls;

    ck_assert_ptr_null(socket_match_address(scene.services, scene.n_services, &address, &is_tls));
}
END_TEST

SUITE("socket_match", set_up, tear_down, test_names, test_addresses,
      test_a_socket_without_an_internet_address_has_no_service)
