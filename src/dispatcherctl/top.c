/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/top.h"

#include "base/time.h"
#include "dispatcherctl/hosts/hosts.h"
#include "dispatcherctl/query/query.h"
#include "dispatcherctl/views/explain.h"
#include "dispatcherctl/views/style.h"
#include "dispatcherctl/views/views.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define REFRESH_MSEC 2000

/* Switch to the alternate screen without a cursor, and back. */
#define SCREEN_ENTER "\033[?1049h\033[?25l"
#define SCREEN_LEAVE "\033[?25h\033[?1049l"

static struct termios saved_terminal;
static volatile sig_atomic_t is_interrupted;

static void on_signal(int number)
{
    if (number != SIGWINCH)
        is_interrupted = 1;
}

/* Makes the terminal pass on each key at once, and not show it. */
static int enter(void)
{
    const struct sigaction action = {.sa_handler = on_signal};
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    struct termios terminal;

    if (tcgetattr(STDIN_FILENO, &saved_terminal) < 0)
        return -errno;
    for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
        (void)sigaction(numbers[i], &action, NULL);
    terminal = saved_terminal;
    terminal.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    if (tcsetattr(STDIN_FILENO, TCSANOW, &terminal) < 0)
        return -errno;
    fputs(SCREEN_ENTER, stdout);
    return 0;
}

static void leave(void)
{
    fputs(SCREEN_LEAVE, stdout);
    (void)fflush(stdout);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &saved_terminal);
}

size_t top_cut(const char *line, size_t length, unsigned n_columns)
{
    unsigned column = 0;
    size_t i = 0;

    while (i < length) {
        if (line[i] == '\033') {
            const char *end = memchr(line + i, 'm', length - i);

            i = end ? (size_t)(end - line) + 1 : length;
            continue;
        }
        if (column++ == n_columns)
            break;
        i++;
    }
    return i;
}

static void draw(const char *text, const struct winsize *size)
{
    unsigned row = 1;

    fputs("\033[H", stdout);
    while (*text && row < size->ws_row) {
        size_t length = strcspn(text, "\n");

        fwrite(text, 1, top_cut(text, length, size->ws_col), stdout);
        fputs("\033[0m\033[K\r\n", stdout);
        text += length + (text[length] == '\n');
        row++;
    }
    printf("\033[J\033[%u;1H%sq: quit%s", size->ws_row, style_on(STYLE_DIM), style_off(STYLE_DIM));
    (void)fflush(stdout);
}

/* Returns 0; or a negative errno, after the error was reported. */
static int compose(const struct request *request, FILE *stream)
{
    json_auto_t *status = NULL, *services = NULL, *workers = NULL;

    int r = query(request, "Status", NULL, &status);
    if (r == 0)
        r = query(request, "Services", NULL, &services);
    if (r == 0)
        r = query(request, "Workers", "workers", &workers);
    if (r < 0)
        return r;
    view_status(status, NULL, stream);
    fputc('\n', stream);
    view_figures(services, stream);
    fputc('\n', stream);
    view_workers(workers, NULL, stream);
    return 0;
}

static int refresh(const struct request *request)
{
    struct winsize size = {0};
    size_t length;
    char *text = NULL;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    FILE *stream = open_memstream(&text, &length);
    if (!stream)
        return -errno;
    int r =
        request->hosts.n_items > 0 ? hosts_compose_top(request, stream) : compose(request, stream);
    if (fclose(stream) == 0 && r == 0)
        draw(text, &size);
    free(text);
    return r;
}

/* Returns true if the user wants to quit. */
static bool wait_for_key(void)
{
    struct pollfd poll_fd = {.fd = STDIN_FILENO, .events = POLLIN};
    char key;

    if (is_interrupted)
        return true;
    if (poll(&poll_fd, 1, REFRESH_MSEC) <= 0)
        return is_interrupted;
    return read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q';
}

int top_run(const struct request *request)
{
    if (request->is_json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        fputs("dispatcherctl: top needs a terminal; for a script, use services or workers with "
              "--json\n",
              stderr);
        return 2;
    }
    int r = enter();
    if (r < 0) {
        fprintf(stderr, "dispatcherctl: cannot use the terminal: %s\n", strerror(-r));
        return EXIT_FAILURE;
    }
    do
        r = refresh(request);
    while (r == 0 && !wait_for_key());
    leave();
    /* The message was on the alternate screen, and is gone: it is repeated. */
    if (r < 0 && r != -EREMOTEIO)
        explain_failure(request->socket, r);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
