/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/views/explain.h"

#include "base/macro.h"
#include "control_client/reply.h"
#include "dispatcherctl/views/table.h"
#include "varlink/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void explain_failure_text(const char *path, int error, char text[], size_t size)
{
    switch (-error) {
    case ENOENT:
    case ECONNREFUSED:
        snprintf(text, size, "dispatcherd is not running: nothing listens on %s", path);
        break;
    case ETIMEDOUT:
    case EAGAIN:
        snprintf(text, size, "no answer from dispatcherd on %s within the time limit", path);
        break;
    case ECONNRESET:
        snprintf(
            text, size,
            "dispatcherd has closed the connection: it has stopped, or has too many clients at "
            "once");
        break;
    case EINVAL:
        snprintf(text, size, "a service's name consists of letters, digits, '-' and '_'");
        break;
    case EBADMSG:
    case EMSGSIZE:
        snprintf(text, size, "the program that listens on %s is not dispatcherd", path);
        break;
    default:
        snprintf(text, size, "cannot communicate with dispatcherd on %s: %s", path,
                 strerror(-error));
    }
}

void explain_failure(const char *path, int error)
{
    char text[EXPLAIN_TEXT_MAX];

    explain_failure_text(path, error, text, sizeof(text));
    fprintf(stderr, "dispatcherctl: %s\n", text);
    if (error == -ENOENT || error == -ECONNREFUSED)
        fputs("(to start it: systemctl start dispatcherd; for another socket: --socket)\n", stderr);
}

static void explain_reload(const json_t *parameters)
{
    const json_t *problems = json_object_get(parameters, "problems");
    const json_t *item;
    size_t i;

    json_array_foreach(problems, i, item)
        table_line(stderr, "%s", json_string_value(item) ? json_string_value(item) : "");
    fputs("dispatcherctl: the new configuration was refused; the old one remains in force\n",
          stderr);
}

/* Errors, with the parameter that says more. */
static const struct explanation {
    const char *error;
    const char *before;
    const char *parameter; /* NULL: none */
} explanations[] = {
    {"io.dispatcherd.Control.PermissionDenied",
     "permission denied: only root and members of this group may do that: ", "group"},
    {"io.dispatcherd.Control.NoSuchService",
     "no such service ('dispatcherctl services' lists them): ", "service"},
    {"io.dispatcherd.Control.NotRunning", "the service is stopped: ", "service"},
    {"io.dispatcherd.Control.Stopping", "dispatcherd is stopping", NULL},
    {"io.dispatcherd.Control.NotSupported", "this dispatcherd cannot do that", NULL},
    {"io.dispatcherd.Control.OperationFailed", "failed: ", "reason"},
    {"io.dispatcherd.Control.ReplyTooLong", "the answer is too long", NULL},
    {"io.dispatcherd.Control.OutOfMemory",
     "dispatcherd is out of memory and cannot answer; the command may have taken effect", NULL},
    {VARLINK_METHOD_NOT_FOUND, "this dispatcherd does not know the method ", "method"},
    {VARLINK_INVALID_PARAMETER, "this dispatcherd does not accept the parameter ", "parameter"},
};

void explain_error_text(const json_t *reply, char text[], size_t size)
{
    const char *error = reply_text(reply, "error");
    const json_t *parameters = json_object_get(reply, "parameters");

    for (size_t i = 0; i < ELEMENTSOF(explanations); i++)
        if (strcmp(error, explanations[i].error) == 0) {
            const char *name = explanations[i].parameter;

            snprintf(text, size, "%s%s", explanations[i].before,
                     name ? reply_text(parameters, name) : "");
            return;
        }
    snprintf(text, size, "dispatcherd has returned the error %s", error);
}

void explain_error(const json_t *reply)
{
    char text[EXPLAIN_TEXT_MAX];

    if (strcmp(reply_text(reply, "error"), "io.dispatcherd.Control.ReloadFailed") == 0) {
        explain_reload(json_object_get(reply, "parameters"));
        return;
    }
    explain_error_text(reply, text, sizeof(text));
    table_line(stderr, "dispatcherctl: %s", text);
}
