/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/inetd/traps.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POSTFIX_CONFIGURATION "/etc/postfix/main.cf"

/* Postfix's own default: postconf(5), mail_owner. */
#define POSTFIX_OWNER "postfix"

static bool has_word(const struct command *command, const char *word)
{
    for (size_t i = 1; i < command->words.n_items; i++)
        if (strcmp(command->words.items[i], word) == 0)
            return true;
    return false;
}

static bool has_prefix(const struct command *command, const char *prefix)
{
    for (size_t i = 1; i < command->words.n_items; i++)
        if (strncmp(command->words.items[i], prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* What links lead to: on Debian /usr/sbin/sendmail is Exim's or Postfix's. */
static bool is_exim(const char *program)
{
    char real[PATH_MAX];

    return strncmp(last_part(program), "exim", 4) == 0 ||
           (realpath(program, real) && strncmp(last_part(real), "exim", 4) == 0);
}

static int check_exim(const struct command *command, const struct parameter_report *report)
{
    if (has_prefix(command, "-bd")) {
        parameter_say(report, PARAMETER_ERROR, PARAMETER_NONE,
                      "COMMAND: exim -bd listens by itself; exim -bs serves one connection");
        return -EINVAL;
    }
    if (!has_word(command, "-bs"))
        return 0;
    if (report->facts.has_proxy_protocol) {
        parameter_say(
            report, PARAMETER_ERROR, PARAMETER_NONE,
            "COMMAND: exim -bs behind a relay takes the relay for its client, one that "
            "may be allowed to send anywhere: PROXY_PROTOCOL=1 is not for it; IMAGE=proxy "
            "and Exim's hosts_proxy are");
        return -EINVAL;
    }
    if (!has_prefix(command, "-od"))
        parameter_say(
            report, PARAMETER_WARNING, PARAMETER_NONE,
            "COMMAND: exim -bs delivers in processes that end with the session; add -odq, "
            "and let a queue runner deliver");
    return 0;
}

/* The user whose process applies Postfix's access controls in "sendmail -bs" (sendmail(1)). */
static uid_t postfix_owner(void)
{
    char line[512], name[64] = POSTFIX_OWNER;
    FILE *stream = fopen(POSTFIX_CONFIGURATION, "re");

    while (stream && fgets(line, sizeof(line), stream))
        (void)sscanf(line, "mail_owner = %63s", name);
    if (stream)
        fclose(stream);
    const struct passwd *user = getpwnam(name);
    return user ? user->pw_uid : 0;
}

static int check_postfix(const struct command *command, const struct parameter_report *report)
{
    if (!has_word(command, "-bs") || access(POSTFIX_CONFIGURATION, F_OK) < 0)
        return 0;
    if (report->facts.is_check) {
        parameter_say(
            report, PARAMETER_WARNING, PARAMETER_NONE,
            "COMMAND: sendmail -bs of Postfix is an open relay unless Postfix's mail_owner "
            "runs it: the worker's unit needs User=postfix; IMAGE=pass serves Postfix "
            "without that");
        return 0;
    }
    uid_t owner = postfix_owner();
    if (owner != 0 && geteuid() == owner)
        return 0;
    parameter_say(
        report, PARAMETER_ERROR, PARAMETER_NONE,
        "COMMAND: sendmail -bs of Postfix, run by the user %u, would be an open relay; the "
        "worker's unit needs User=postfix (Postfix's mail_owner), or the service "
        "IMAGE=pass",
        (unsigned)geteuid());
    return -EINVAL;
}

static void check_listeners(const struct command *command, const struct parameter_report *report)
{
    bool is_git = strcmp(last_part(command->words.items[0]), "git") == 0 ||
                  strcmp(last_part(command->words.items[0]), "git-daemon") == 0;

    if (is_git && (has_word(command, "daemon") || command->words.items[0][0] == '/') &&
        !has_word(command, "--inetd"))
        parameter_say(report, PARAMETER_WARNING, PARAMETER_NONE,
                      "COMMAND: git daemon without --inetd listens by itself, and serves nobody "
                      "here");
}

static bool has_address(const struct command *command)
{
    for (size_t i = 1; i < command->words.n_items; i++)
        for (const char *c = command->words.items[i]; (c = strchr(c, '%')); c += 2)
            if (c[1] == 'a')
                return true;
    return false;
}

/* Behind TLS a program has a pair of sockets, whose peer has no address: mail servers take that for
 * a client on this host. */
static int check_trusting(const struct command *command, const char *name,
                          const struct parameter_report *report)
{
    if (!has_word(command, "-bs") || has_address(command))
        return 0;
    parameter_say(
        report, PARAMETER_ERROR, PARAMETER_NONE,
        "COMMAND: %s -bs behind TLS sees no client's address, takes every client for this "
        "host, and may let it send anywhere; give it the address (exim -bs -oMa %%a, run by "
        "a trusted user), or use IMAGE=proxy, or TLS=pass if the program speaks TLS itself",
        name);
    return -EINVAL;
}

int traps_check(const struct command *command, bool ends_tls, const struct parameter_report *report)
{
    const char *program = command->words.items[0];
    bool is_sendmail = strcmp(last_part(program), "sendmail") == 0;

    check_listeners(command, report);
    if (ends_tls && (is_exim(program) || is_sendmail)) {
        int r = check_trusting(command, is_sendmail ? "sendmail" : "exim", report);

        if (r < 0)
            return r;
    }
    if (is_exim(program))
        return check_exim(command, report);
    if (is_sendmail)
        return check_postfix(command, report);
    return 0;
}

bool traps_needs_no_privileges(const struct command *command)
{
    return is_exim(command->words.items[0]) && has_word(command, "-odq");
}
