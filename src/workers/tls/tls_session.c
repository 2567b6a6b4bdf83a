/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tls/tls_session.h"

#include "base/time.h"
#include "workers/common/wait.h"
#include "workers/tls/failure_queue.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* A handshake takes two or three times the way to the client and back. Postfix gives it 300 s
 * (smtpd_starttls_timeout), nginx 60 s. */
#define HANDSHAKE_USEC (30 * USEC_PER_SEC)
/* In a crowd of handshakes: enough for a satellite, or for one packet to be lost and sent again. */
#define HANDSHAKE_CROWD_USEC (3 * USEC_PER_SEC)

/* Records that carry nothing, in a row; a client that changes its keys sends one. */
#define RECORDS_WITHOUT_DATA_MAX 64

/* Returns 0 when OpenSSL's call can be made again. */
static int session_wait_for(const struct tls_session *session, short events, int stop_fd,
                            int stress_fd, struct deadline deadline)
{
    const struct wait_for wait = {
        .fd = session->socket.fd, .events = events, .stop_fd = stop_fd, .stress_fd = stress_fd};

    return wait_until_ready(&wait, deadline);
}

/* What the last call, which returned `result`, came to: the events that it waits for, or a negative
 * errno. Empties OpenSSL's queue of errors. */
static int session_result(struct tls_session *session, int result)
{
    int error = SSL_get_error(session->ssl, result);
    unsigned long last = ERR_peek_last_error();

    ERR_clear_error();
    switch (error) {
    case SSL_ERROR_WANT_READ:
        return POLLIN;
    case SSL_ERROR_WANT_WRITE:
        return POLLOUT;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        break;
    }
    session->is_broken = true;
    session->is_truncated =
        error == SSL_ERROR_SSL && ERR_GET_REASON(last) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    return session->socket.is_ended ? -ECONNRESET : -EPROTO;
}

/* Names come from strangers, and go into log lines and headers. */
static void session_copy_name(char *to, size_t size, const char *from, char lowest)
{
    snprintf(to, size, "%s", from ? from : "");
    for (char *c = to; *c; c++)
        if (*c < lowest || *c > '~')
            *c = '?';
}

/* The first one. */
static void session_note_common_name(struct tls_facts *facts, const X509_NAME *subject)
{
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    const X509_NAME_ENTRY *entry = at >= 0 ? X509_NAME_get_entry(subject, at) : NULL;
    unsigned char *text = NULL;
    int n = entry ? ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry)) : -1;

    if (n < 0)
        return;
    /* A NUL must not make a name of what stands before it. */
    for (int i = 0; i < n; i++)
        if (text[i] == '\0')
            text[i] = '?';
    session_copy_name(facts->common_name, sizeof(facts->common_name), (const char *)text, ' ');
    OPENSSL_free(text);
}

static void session_note_client(struct tls_session *session)
{
    const X509 *certificate = SSL_get0_peer_certificate(session->ssl);
    struct tls_facts *facts = &session->facts;
    BIO *text = certificate ? BIO_new(BIO_s_mem()) : NULL;
    char *bytes;

    if (!text)
        return;
    tls_digest(certificate, facts->digest);
    facts->is_verified = SSL_get_verify_result(session->ssl) == X509_V_OK;
    session_note_common_name(facts, X509_get_subject_name(certificate));
    /* RFC 2253 escapes what is not printable; spaces are part of names. */
    X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    long n = BIO_get_mem_data(text, &bytes);
    snprintf(facts->subject, sizeof(facts->subject), "%.*s", (int)(n < INT_MAX ? n : 0), bytes);
    BIO_free(text);
}

static void session_note_facts(struct tls_session *session)
{
    struct tls_facts *facts = &session->facts;

    snprintf(facts->protocol, sizeof(facts->protocol), "%s", SSL_get_version(session->ssl));
    snprintf(facts->cipher, sizeof(facts->cipher), "%s", SSL_get_cipher_name(session->ssl));
    snprintf(facts->suite, sizeof(facts->suite), "%s",
             SSL_CIPHER_standard_name(SSL_get_current_cipher(session->ssl)));
    session_copy_name(facts->server_name, sizeof(facts->server_name),
                      SSL_get_servername(session->ssl, TLSEXT_NAMETYPE_host_name), '!');
    session_note_client(session);
}

static enum tls_failure session_failure(const struct tls_session *session)
{
    enum tls_failure failure = tls_failure_of_queue();

    if (session->socket.is_plain_text)
        return TLS_FAILED_PLAIN_TEXT;
    return failure == TLS_FAILED_ERROR && session->socket.is_ended ? TLS_FAILED_GONE : failure;
}

/* A record is sent at once: its end must not wait for the acknowledgement of its beginning. A
 * sandbox may forbid that, and a Unix socket knows nothing of it. */
static void session_set_nodelay(int fd)
{
    const int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int tls_session_begin(struct tls_session *session, struct tls_context *context, int fd,
                      int stress_fd)
{
    *session = (struct tls_session){
        .ssl = SSL_new(context->items[0]),
        .handshake_ends_at =
            deadline_after(time_now_usec(CLOCK_MONOTONIC), HANDSHAKE_USEC, HANDSHAKE_CROWD_USEC),
        .socket.fd = fd,
        .stress_fd = stress_fd,
    };
    BIO *bio = tls_socket_bio_new(context->bio_method, &session->socket);
    if (!session->ssl || !bio) {
        BIO_free(bio);
        tls_session_clear(session);
        return -ENOMEM;
    }
    SSL_set_bio(session->ssl, bio, bio);
    session_set_nodelay(fd);
    session->gate = &context->gate;
    tls_gate_enter(session->gate);
    return 0;
}

static void session_leave_gate(struct tls_session *session)
{
    if (session->gate)
        tls_gate_leave(session->gate);
    session->gate = NULL;
}

enum tls_failure tls_session_shake_hands(struct tls_session *session, short *ret_events)
{
    ERR_clear_error();
    int result = SSL_accept(session->ssl);
    int error = SSL_get_error(session->ssl, result);

    *ret_events = 0;
    if (result == 1) {
        session_leave_gate(session);
        session_note_facts(session);
        ERR_clear_error();
        return TLS_NO_FAILURE;
    }
    if ((error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) ||
        session->socket.is_plain_text)
        return session_failure(session);
    *ret_events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    return TLS_NO_FAILURE;
}

bool tls_session_is_late(const struct tls_session *session, uint64_t now)
{
    return session->gate &&
           deadline_is_past(session->handshake_ends_at, now, session->gate->crowd_fd);
}

enum tls_failure tls_session_start(struct tls_session *session, struct tls_context *context, int fd,
                                   int stress_fd, bool client_asks)
{
    enum tls_failure failure;
    short events;

    if (tls_session_begin(session, context, fd, stress_fd) < 0)
        return TLS_FAILED_ERROR;
    if (client_asks)
        (void)SSL_set_num_tickets(session->ssl, 1);
    while ((failure = tls_session_shake_hands(session, &events)) == TLS_NO_FAILURE && events != 0)
        if (session_wait_for(session, events, -1, session->gate->crowd_fd,
                             session->handshake_ends_at) < 0) {
            failure = TLS_FAILED_TIMEOUT;
            break;
        }
    if (failure != TLS_NO_FAILURE)
        tls_session_clear(session);
    return failure;
}

void tls_session_clear(struct tls_session *session)
{
    session_leave_gate(session);
    SSL_free(session->ssl);
    session->ssl = NULL;
    ERR_clear_error();
}

/* Reads or peeks. After a record without data, as one that changes keys, OpenSSL returns when its
 * buffer is empty, though the socket may hold more, of which no event will tell: so it is asked
 * again until it has found the socket empty. */
static int session_fetch(struct tls_session *session, int (*fetch)(SSL *, void *, size_t, size_t *),
                         void *buffer, size_t size, size_t *ret_n)
{
    int result;

    for (unsigned i = 0; i < RECORDS_WITHOUT_DATA_MAX; i++) {
        session->socket.is_empty = false;
        result = fetch(session->ssl, buffer, size, ret_n);
        if (result == 1 || session->socket.is_empty ||
            SSL_get_error(session->ssl, result) != SSL_ERROR_WANT_READ)
            break;
    }
    return result;
}

ssize_t tls_session_read(struct tls_session *session, void *buffer, size_t size,
                         bool *ret_wants_output)
{
    size_t n = 0;

    *ret_wants_output = false;
    if (session->is_broken)
        return -ECONNRESET;
    int result = session_fetch(session, SSL_read_ex, buffer, size, &n);
    if (result == 1)
        return (ssize_t)n;
    int r = session_result(session, result);
    *ret_wants_output = r == POLLOUT;
    return r > 0 ? -EAGAIN : r;
}

ssize_t tls_session_receive(struct tls_session *session, void *buffer, size_t size,
                            struct deadline deadline)
{
    bool wants_output;

    for (;;) {
        if (deadline_is_past(deadline, time_now_usec(CLOCK_MONOTONIC), session->stress_fd))
            return -ETIMEDOUT;
        ssize_t n = tls_session_read(session, buffer, size, &wants_output);
        if (n != -EAGAIN)
            return n;
        int r = session_wait_for(session, wants_output ? POLLOUT : POLLIN, -1, session->stress_fd,
                                 deadline);
        if (r < 0)
            return r;
    }
}

/* Looks at the next byte. Returns 1; 0 at the end; the events to wait for, made negative; an error
 * counts as the end, since tls_session_receive() will not wait. */
static int session_peek(struct tls_session *session)
{
    char byte;
    size_t n;

    if (session->is_broken)
        return 0;
    int result = session_fetch(session, SSL_peek_ex, &byte, 1, &n);
    if (result == 1)
        return 1;
    int r = session_result(session, result);
    return r > 0 ? -r : 0;
}

int tls_session_wait(struct tls_session *session, int stop_fd, struct deadline deadline)
{
    int events;

    while ((events = session_peek(session)) < 0) {
        int r = session_wait_for(session, (short)-events, stop_fd, session->stress_fd, deadline);

        if (r < 0)
            return r;
    }
    return 0;
}

bool tls_session_has_input(struct tls_session *session)
{
    return session_peek(session) == 1;
}

ssize_t tls_session_write(struct tls_session *session, const void *bytes, size_t n_bytes,
                          bool *ret_wants_input)
{
    size_t n = 0;

    *ret_wants_input = false;
    if (session->is_broken)
        return -EPIPE;
    int result = SSL_write_ex(session->ssl, bytes, n_bytes, &n);
    if (result == 1)
        return (ssize_t)n;
    int r = session_result(session, result);
    *ret_wants_input = r == POLLIN;
    if (r == 0)
        return -EPIPE;
    return r > 0 ? -EAGAIN : r;
}

int tls_session_send(struct tls_session *session, const void *bytes, size_t n_bytes,
                     uint64_t deadline_usec)
{
    const struct deadline deadline = {.usual = deadline_usec, .stressed = deadline_usec};
    const char *next = bytes;
    bool wants_input;

    while (n_bytes > 0) {
        ssize_t n = tls_session_write(session, next, n_bytes, &wants_input);

        if (n >= 0) {
            next += n;
            n_bytes -= (size_t)n;
        } else if (n == -EAGAIN) {
            int r = session_wait_for(session, wants_input ? POLLIN : POLLOUT, -1,
                                     session->stress_fd, deadline);

            if (r < 0)
                return r;
        } else {
            return (int)n;
        }
    }
    return 0;
}

int tls_session_end_output(struct tls_session *session)
{
    int result = session->is_broken ? 0 : SSL_shutdown(session->ssl);
    bool waits = result < 0 && SSL_get_error(session->ssl, result) == SSL_ERROR_WANT_WRITE;

    ERR_clear_error();
    if (waits)
        return -EAGAIN;
    (void)shutdown(session->socket.fd, SHUT_WR);
    return 0;
}

void tls_session_close(struct tls_session *session)
{
    if (tls_session_end_output(session) < 0)
        (void)shutdown(session->socket.fd, SHUT_WR);
}
