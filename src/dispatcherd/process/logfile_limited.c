/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/process/logfile_limited.h"

#include "base/fd.h"
#include "base/limited_call.h"
#include "base/time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* How long the main loop stands still, once for each file system that does not answer. */
#define LIMIT_USEC (2 * USEC_PER_SEC)

struct request {
    enum {
        OPEN,
        FIND,
        IS_IN_PLACE,
        HAS_FOLDER
    } what;
    struct logfile file;
    char *pattern; /* for FIND; for HAS_FOLDER the folder */
    char *host_name;
    pid_t pid;
    int result; /* a descriptor, 0, or a negative errno */
};

/* A call that has not finished in time. */
static struct limited_call *stuck;

static void logfile_request_free(void *data)
{
    struct request *request = data;

    if (request->what == OPEN && request->result > 0)
        fd_close(request->result);
    logfile_clear(&request->file);
    free(request->pattern);
    free(request->host_name);
    free(request);
}

static int logfile_folder_find(const char *folder)
{
    struct stat st;

    return stat(folder, &st) < 0 ? -errno : 0;
}

static void logfile_request_run(void *data)
{
    struct request *request = data;

    switch (request->what) {
    case OPEN:
        request->result = logfile_open(&request->file);
        break;
    case FIND:
        request->result =
            logfile_find(&request->file, request->pattern, request->host_name, request->pid);
        break;
    case IS_IN_PLACE:
        request->result = logfile_is_in_place(&request->file) ? 0 : -ENOENT;
        break;
    case HAS_FOLDER:
        request->result = logfile_folder_find(request->pattern);
        break;
    }
}

static const struct limited_work logfile_request_work = {logfile_request_run, logfile_request_free};

static bool logfile_copy(char **to, const char *from)
{
    *to = from ? strdup(from) : NULL;
    return *to || !from;
}

/* Makes the request by a copy, which may outlive the caller's. Returns its result, with what it has
 * found out about the file. */
static int logfile_request_make(const struct request *model, struct logfile *file)
{
    struct request *request = calloc(1, sizeof(*request));

    if (!request)
        return -ENOMEM;
    *request = *model;
    request->file.path = request->pattern = request->host_name = NULL;
    if (!logfile_copy(&request->file.path, model->file.path) ||
        !logfile_copy(&request->pattern, model->pattern) ||
        !logfile_copy(&request->host_name, model->host_name)) {
        logfile_request_free(request);
        return -ENOMEM;
    }
    int r = limited_call(&stuck, &logfile_request_work, request, LIMIT_USEC);
    if (r < 0)
        return r;
    r = request->result;
    request->result = 0;
    if (r >= 0 && file) {
        logfile_clear(file);
        *file = request->file;
        request->file = (struct logfile){0};
    }
    logfile_request_free(request);
    return r;
}

int logfile_limited_open(struct logfile *file)
{
    return logfile_request_make(&(struct request){.what = OPEN, .file = *file}, file);
}

int logfile_limited_find(struct logfile *file, const char *pattern, const char *host_name,
                         pid_t pid)
{
    return logfile_request_make(
        &(struct request){
            .what = FIND, .pattern = (char *)pattern, .host_name = (char *)host_name, .pid = pid},
        file);
}

bool logfile_limited_is_in_place(const struct logfile *file)
{
    return logfile_request_make(&(struct request){.what = IS_IN_PLACE, .file = *file}, NULL) !=
           -ENOENT;
}

bool logfile_limited_has_folder(const char *folder)
{
    return logfile_request_make(&(struct request){.what = HAS_FOLDER, .pattern = (char *)folder},
                                NULL) == 0;
}
