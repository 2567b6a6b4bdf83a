/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/inetd/advice.h"

#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The setting of a worker's unit that hides the path, or NULL. */
static const char *hidden_by(const char *path)
{
    static const struct {
        const char *folder, *setting;
    } hidden[] = {
        {"/home/", "ProtectHome=yes"},     {"/root/", "ProtectHome=yes"},
        {"/run/user/", "ProtectHome=yes"}, {"/tmp/", "PrivateTmp=yes"},
        {"/var/tmp/", "PrivateTmp=yes"},   {"/run/", "TemporaryFileSystem=/run"},
    };

    for (size_t i = 0; i < ELEMENTSOF(hidden); i++)
        if (strncmp(path, hidden[i].folder, strlen(hidden[i].folder)) == 0)
            return hidden[i].setting;
    return NULL;
}

/* The first folder of the path that this user may not enter. Returns false if there is none. */
static bool closed_folder(const char *path, char folder[PATH_MAX])
{
    for (const char *slash = path; (slash = strchr(slash + 1, '/'));) {
        snprintf(folder, PATH_MAX, "%.*s", (int)(slash - path), path);
        if (faccessat(AT_FDCWD, folder, X_OK, AT_EACCESS) < 0)
            return true;
    }
    return false;
}

static void advise_access(const char *program, char *text)
{
    char folder[PATH_MAX];
    struct stat st;

    if (closed_folder(program, folder))
        snprintf(text, ADVICE_MAX,
                 "the user %u may not enter %.200s; the likely cause is User= of the worker's unit "
                 "(by default a user of its own), or ProtectHome=",
                 (unsigned)geteuid(), folder);
    else if (stat(program, &st) == 0 && faccessat(AT_FDCWD, program, X_OK, AT_EACCESS) < 0)
        snprintf(
            text, ADVICE_MAX,
            "its mode %04o and owner %u:%u do not let the user %u execute it; the likely cause "
            "is User= or Group= of the worker's unit",
            (unsigned)st.st_mode & 07777, (unsigned)st.st_uid, (unsigned)st.st_gid,
            (unsigned)geteuid());
    else
        snprintf(
            text, ADVICE_MAX,
            "its mode allows it: the likely cause is NoExecPaths= of the worker's unit, a file "
            "system that is mounted noexec, or AppArmor");
}

static void advise_missing(const char *program, char *text)
{
    const char *setting = hidden_by(program);
    struct stat st;

    if (stat(program, &st) == 0)
        snprintf(text, ADVICE_MAX, "it exists, but not the interpreter that it names (#!)");
    else if (setting)
        snprintf(text, ADVICE_MAX, "the likely cause is %s of the worker's unit, which hides it",
                 setting);
    else
        snprintf(text, ADVICE_MAX,
                 "is it installed? Otherwise the likely cause is InaccessiblePaths= or "
                 "RootDirectory= of the worker's unit");
}

const char *advice_for(const char *program, int error, char text[ADVICE_MAX])
{
    switch (error) {
    case EACCES:
        advise_access(program, text);
        break;
    case ENOENT:
    case ENOTDIR:
        advise_missing(program, text);
        break;
    case EPERM:
        snprintf(text, ADVICE_MAX,
                 "the likely cause is SystemCallFilter= or NoNewPrivileges= of the worker's unit");
        break;
    case ENOEXEC:
        snprintf(text, ADVICE_MAX, "it is not a program; a script begins with #!, as in #!/bin/sh");
        break;
    case EAGAIN:
    case ENOMEM:
        snprintf(text, ADVICE_MAX,
                 "the likely cause is TasksMax=, LimitNPROC= or MemoryMax= of the worker's unit");
        break;
    default:
        snprintf(text, ADVICE_MAX, "see execve(2)");
    }
    return text;
}

bool advice_loses_privileges(const char *program)
{
    struct stat st;

    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && stat(program, &st) == 0 &&
           (st.st_mode & (S_ISUID | S_ISGID)) != 0;
}
