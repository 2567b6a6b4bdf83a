#include "dispatcherd/logfile.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOGFILE_MODE 0640

static void add_expanded(struct str_buffer *path, const char *pattern, const char *host_name)
{
    for (const char *p = pattern; *p; p++) {
        if (p[0] == '%' && p[1] == 's') {
            str_buffer_add(path, "%s", host_name);
            p++;
        } else {
            /* Other uses of % were refused when the file was read. */
            if (p[0] == '%' && p[1] == '%')
                p++;
            str_buffer_add(path, "%c", *p);
        }
    }
}

int logfile_open(const char *pattern, const char *host_name, pid_t pid)
{
    char text[PATH_MAX], stamp[32];
    struct str_buffer path = str_buffer_init(text, sizeof(text));
    time_t now = time(NULL);
    struct tm tm;

    add_expanded(&path, pattern, host_name);
    localtime_r(&now, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
    str_buffer_add(&path, "-%s.%d", stamp, (int)pid);
    if (path.is_cut)
        return -ENAMETOOLONG;
    int fd =
        open(text, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, LOGFILE_MODE);
    return fd < 0 ? -errno : fd;
}
