/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The load of TLS: mail sessions of TLS 1.3 with a full handshake each, by processes of which each
 * has one session after the other.
 *
 *   tls_client tls|starttls PORT AT_A_TIME SECONDS
 *
 * Each session: the greeting, (with starttls: EHLO and STARTTLS before the handshake,) QUIT, and
 * the answer to that. Prints "sessions failed". The client looks at no certificate's issuer. */
#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    AT_A_TIME_MAX = 1000,
    ANSWER_MAX = 4096, /* bytes: all lines of an answer to EHLO */
    LIMIT_SEC = 10,    /* for any single answer */
};

/* Shared by the processes; each writes its own. */
struct count {
    unsigned long n_done;
    unsigned long n_failed;
};

static void die(const char *what)
{
    fprintf(stderr, "tls_client: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static int connect_to(const struct sockaddr_in *server)
{
    const struct timeval limit = {.tv_sec = LIMIT_SEC};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        die("cannot make a socket");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
        connect(fd, (const struct sockaddr *)server, sizeof(*server)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The last line of an answer has a blank behind its code (RFC 5321, 4.2.1). */
static bool is_whole_answer(const char *text, size_t length)
{
    const char *line = text;

    if (length == 0 || text[length - 1] != '\n')
        return false;
    for (const char *c = text; c + 1 < text + length; c++)
        if (*c == '\n')
            line = c + 1;
    return text + length - line > 4 && line[3] == ' ';
}

/* By the socket if `ssl` is NULL. */
static bool expect(int fd, SSL *ssl, const char *code)
{
    char text[ANSWER_MAX];
    size_t length = 0;

    while (length < sizeof(text)) {
        ssize_t n = ssl ? SSL_read(ssl, text + length, (int)(sizeof(text) - length))
                        : recv(fd, text + length, sizeof(text) - length, 0);

        if (n <= 0)
            return false;
        length += (size_t)n;
        if (is_whole_answer(text, length))
            return memcmp(text, code, 3) == 0;
    }
    return false;
}

static bool say(int fd, const char *line)
{
    return send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line);
}

static bool ask_for_tls(int fd)
{
    return expect(fd, NULL, "220") && say(fd, "EHLO bench.example\r\n") &&
           expect(fd, NULL, "250") && say(fd, "STARTTLS\r\n") && expect(fd, NULL, "220");
}

static bool talk(SSL *ssl, int fd, bool has_starttls)
{
    static const char quit[] = "QUIT\r\n";

    return (!has_starttls || ask_for_tls(fd)) && SSL_set_fd(ssl, fd) == 1 &&
           SSL_connect(ssl) == 1 && (has_starttls || expect(fd, ssl, "220")) &&
           SSL_write(ssl, quit, sizeof(quit) - 1) > 0 && expect(fd, ssl, "221");
}

static bool run_session(SSL_CTX *ctx, const struct sockaddr_in *server, bool has_starttls)
{
    _cleanup_fd_ int fd = connect_to(server);
    SSL *ssl = SSL_new(ctx);

    if (!ssl)
        die("no memory");
    bool is_done = fd >= 0 && talk(ssl, fd, has_starttls);
    SSL_free(ssl);
    return is_done;
}

static void run_process(const struct sockaddr_in *server, bool has_starttls, uint64_t end,
                        struct count *count)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1)
        die("cannot set up TLS");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    while (time_now_usec(CLOCK_MONOTONIC) < end)
        if (run_session(ctx, server, has_starttls))
            count->n_done++;
        else
            count->n_failed++;
    SSL_CTX_free(ctx);
}

/* The number of a whole text; dies of anything else. */
static unsigned long parse(const char *text, unsigned long max)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*end != '\0' || n == 0 || n > max) {
        fprintf(stderr, "tls_client: invalid number '%s'\n", text);
        exit(EXIT_FAILURE);
    }
    return n;
}

int main(int argc, char *argv[])
{
    if (argc != 5 || (strcmp(argv[1], "tls") != 0 && strcmp(argv[1], "starttls") != 0)) {
        fputs("Usage: tls_client tls|starttls PORT AT_A_TIME SECONDS\n", stderr);
        return EXIT_FAILURE;
    }
    bool has_starttls = strcmp(argv[1], "starttls") == 0;
    const struct sockaddr_in server = {.sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)parse(argv[2], 65535)),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned long n = parse(argv[3], AT_A_TIME_MAX), n_done = 0, n_failed = 0;
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + parse(argv[4], 3600) * USEC_PER_SEC;
    struct count *counts =
        mmap(NULL, n * sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (counts == MAP_FAILED)
        die("no memory");
    for (unsigned long i = 0; i < n; i++)
        switch (fork()) {
        case -1:
            die("cannot fork");
            break;
        case 0:
            run_process(&server, has_starttls, end, &counts[i]);
            _exit(EXIT_SUCCESS);
        }
    while (wait(NULL) > 0)
        ;
    for (unsigned long i = 0; i < n; i++) {
        n_done += counts[i].n_done;
        n_failed += counts[i].n_failed;
    }
    printf("%lu %lu\n", n_done, n_failed);
    return EXIT_SUCCESS;
}
