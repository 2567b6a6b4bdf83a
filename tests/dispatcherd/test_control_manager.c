/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a client of the control socket sees of the daemon, and what it can command. */
#include "access/tcp.h"
#include "base/fd.h"
#include "dispatcherd/control/control.h"
#include "dispatcherd/control_manager.h"
#include "dispatcherd/manager_scene.h"
#include "support/suite.h"
#include "varlink/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONTROL "io.dispatcherd.Control."
#define SMTP    "[SERVICE=SMTP]\nPORT=25\nIMAGE=/bin/true\nMIN_PROCS=0\nMAX_PROCS=3\n"

static struct manager_scene scene;
static struct manager *manager;
static char path[64];
static int client;
static char answer[65536];
static size_t n_answer;

static void set_up(void)
{
    client = -1;
    manager_scene_start(&scene, SMTP, NULL);
    manager = &scene.manager;
    manager_scene_open(&scene, 0);
    snprintf(path, sizeof(path), "%s/control", scene.folder);
}

static void tear_down(void)
{
    fd_close(client);
    control_free(manager->control);
    manager_scene_end(&scene);
}

static bool is_answered(_unused_ void *userdata)
{
    ssize_t n = recv(client, answer + n_answer, sizeof(answer) - n_answer, MSG_DONTWAIT);

    n_answer += n > 0 ? (size_t)n : 0;
    return n_answer > 0 && answer[n_answer - 1] == '\0';
}

/* Calls the method; NULL: without parameters. Returns the reply, which the caller frees. */
static json_t *call(const char *method, json_t *parameters)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    json_auto_t *message = varlink_method(method, parameters ? parameters : json_object());
    json_t *reply;
    size_t size;
    char *text = varlink_message_text(message, &size);

    fd_close(client);
    client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(address.sun_path, path);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    tcp_send(client, text, size);
    free(text);
    n_answer = 0;
    loop_until(manager->context.event, is_answered, NULL);
    ck_assert_int_eq(varlink_reply_parse(answer, n_answer - 1, &reply), 0);
    return reply;
}

static const char *text_of(const json_t *reply, const char *name)
{
    const char *text =
        json_string_value(json_object_get(json_object_get(reply, "parameters"), name));

    return text ? text : "";
}

START_TEST(test_the_state_of_the_daemon_is_shown)
{
    static const char *const states[] = {
        [MANAGER_STARTING] = "starting",
        [MANAGER_RUNNING] = "running",
        [MANAGER_STOPPING] = "stopping",
        [MANAGER_LEAVING] = "leaving",
    };

    control_manager_open(manager, path);
    for (unsigned i = 0; i <= MANAGER_LEAVING; i++) {
        manager->state = (enum manager_state)i;
        json_auto_t *reply = call(CONTROL "Status", NULL);
        ck_assert_str_eq(text_of(reply, "state"), states[i]);
        ck_assert_str_eq(text_of(reply, "spawner"), "played");
    }
    manager->state = MANAGER_RUNNING;
}
END_TEST

START_TEST(test_a_reload_brings_the_file_into_force)
{
    control_manager_open(manager, path);
    manager_scene_write(&scene, SMTP "MAX_PROCS=7\n", NULL);
    json_auto_t *reply = call(CONTROL "Reload", NULL);
    ck_assert_ptr_null(json_object_get(reply, "error"));
    ck_assert_uint_eq(manager->services[0]->pool_options.max_procs, 7);
    manager_scene_write(&scene, SMTP "MAX_PROCS=x\n", NULL);
    json_auto_t *refused = call(CONTROL "Reload", NULL);
    ck_assert_ptr_nonnull(json_object_get(refused, "error"));
    ck_assert_ptr_nonnull(strstr(answer, "MAX_PROCS"));
    ck_assert_uint_eq(manager->services[0]->pool_options.max_procs, 7);
}
END_TEST

/* It reads the files as a reload would, and changes nothing. */
START_TEST(test_a_plan_changes_nothing)
{
    const struct config_version *before = manager->version;

    control_manager_open(manager, path);
    manager_scene_write(&scene, SMTP "MAX_PROCS=7\n", NULL);
    json_auto_t *reply = call(CONTROL "Plan", NULL);
    ck_assert_ptr_null(json_object_get(reply, "error"));
    ck_assert_ptr_nonnull(strstr(answer, "MAX_PROCS"));
    ck_assert_ptr_eq(manager->version, before);
    ck_assert_uint_eq(manager->services[0]->pool_options.max_procs, 3);
}
END_TEST

START_TEST(test_the_daemons_mask_is_set_until_a_reload)
{
    control_manager_open(manager, path);
    json_auto_t *reply = call(CONTROL "SetDebug", json_pack("{s:s}", "mask", "5"));
    ck_assert_msg(!json_object_get(reply, "error"), "%s", answer);
    ck_assert_uint_eq(manager->context.debug, 5);
    json_auto_t *reloaded = call(CONTROL "Reload", NULL);
    ck_assert_ptr_null(json_object_get(reloaded, "error"));
    ck_assert_uint_eq(manager->context.debug, manager->version->config.debug);
}
END_TEST

START_TEST(test_without_a_socket_the_daemon_serves_all_the_same)
{
    control_manager_open(manager, NULL);
    ck_assert_ptr_null(manager->control);
    ck_assert_str_eq(scene.lines, "");
    control_manager_open(manager, "/nonexistent/control");
    ck_assert_ptr_null(manager->control);
    ck_assert_str_eq(scene.line, "cannot create the control socket /nonexistent/control: No such "
                                 "file or directory; dispatcherctl will not work");
}
END_TEST

START_TEST(test_a_second_daemon_is_named)
{
    control_manager_open(manager, path);
    struct control *first = manager->control;
    ck_assert_ptr_nonnull(first);
    manager->control = NULL;
    control_manager_open(manager, path);
    ck_assert_ptr_null(manager->control);
    ck_assert_ptr_nonnull(strstr(scene.line, ": another dispatcherd is using it;"));
    manager->control = first;
}
END_TEST

SUITE("control_manager", set_up, tear_down, test_the_state_of_the_daemon_is_shown,
      test_a_reload_brings_the_file_into_force, test_a_plan_changes_nothing,
      test_the_daemons_mask_is_set_until_a_reload,
      test_without_a_socket_the_daemon_serves_all_the_same, test_a_second_daemon_is_named)
