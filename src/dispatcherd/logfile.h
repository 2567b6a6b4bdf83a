/* LOGFILE: the file that takes a worker's output (spec 12.2). */
#pragma once

#include <sys/types.h>

/* Makes a new file named `pattern`-YYYYMMDDThhmmss.PID and opens it for appending. In `pattern`
 * "%s" is replaced by `host_name` and "%%" by a percent sign; it is an absolute path. A symbolic
 * link in its place is not followed. Returns the descriptor, which is the caller's, or a negative
 * errno. */
int logfile_open(const char *pattern, const char *host_name, pid_t pid);
