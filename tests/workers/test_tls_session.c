/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"
#include "workers/tls_files.h"

#include "base/macro.h"
#include "base/time.h"
#include "workers/tls/certificate.h"
#include "workers/tls/tls_session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DAY 86400L

static struct tls_files files;
static struct tls_settings settings;
static char fault[PARAMETER_TEXT_MAX];

static void set_up(void)
{
    signal(SIGPIPE, SIG_IGN);
    tls_files_make(&files);
    tls_files_add(&files, "one", (const char *const[]){"one.example", "*.one.example", NULL},
                  90 * DAY);
    tls_files_add(&files, "two", (const char *const[]){"two.example", NULL}, 90 * DAY);
    settings = (struct tls_settings){0};
}

static void tear_down(void)
{
    tls_settings_clear(&settings);
    tls_files_remove(&files);
}

static void use(const char *name)
{
    char file[64];

    snprintf(file, sizeof(file), "%s.cert", name);
    ck_assert_int_eq(str_list_append(&settings.certificates, tls_files_path(&files, file)), 0);
    snprintf(file, sizeof(file), "%s.key", name);
    ck_assert_int_eq(str_list_append(&settings.keys, tls_files_path(&files, file)), 0);
}

/* The server's side, on a thread of its own. */
struct server {
    struct tls_context *context;
    struct tls_session session;
    int client_fd, server_fd;
    bool client_asks;
    enum tls_failure failure;
    pthread_t thread;
};

static void *serve(void *userdata)
{
    struct server *server = userdata;

    server->failure = tls_session_start(&server->session, server->context, server->server_fd, -1,
                                        server->client_asks);
    if (server->failure != TLS_NO_FAILURE)
        shutdown(server->server_fd, SHUT_RDWR);
    return NULL;
}

static void start_in(struct server *server, struct tls_context *context, bool client_asks)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    server->context = context;
    server->client_fd = fds[0];
    server->server_fd = fds[1];
    server->client_asks = client_asks;
    ck_assert_int_eq(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void start(struct server *server)
{
    struct tls_context *context;

    ck_assert_msg(tls_context_new(&settings, 8, &context, fault) == 0, "%s", fault);
    ck_assert_ptr_nonnull(context);
    start_in(server, context, false);
}

/* From now on each write is read by itself. Not before: OpenSSL 3.5 reads the first record in
 * parts. */
static void change_to_packets(struct server *server)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    ck_assert_int_eq(dup3(fds[0], server->client_fd, O_CLOEXEC), server->client_fd);
    ck_assert_int_eq(dup3(fds[1], server->server_fd, O_CLOEXEC), server->server_fd);
    close(fds[0]);
    close(fds[1]);
}

static void await(struct server *server)
{
    ck_assert_int_eq(pthread_join(server->thread, NULL), 0);
}

static void finish_in_context(struct server *server)
{
    if (server->failure == TLS_NO_FAILURE)
        tls_session_clear(&server->session);
    close(server->client_fd);
    close(server->server_fd);
}

static void finish(struct server *server)
{
    finish_in_context(server);
    tls_context_free(server->context);
}

/* A full handshake, though the client offers to resume `session` (NULL: it does not). `n_events`
 * are wanted on the client's socket after it. Returns what the client could resume, which the
 * caller frees. */
static SSL_SESSION *shake_hands(struct tls_context *context, bool client_asks, SSL_SESSION *session,
                                int n_events)
{
    struct server server;
    char byte;

    start_in(&server, context, client_asks);
    SSL *client = tls_client_new(server.client_fd, NULL);
    if (session)
        ck_assert_int_eq(SSL_set_session(client, session), 1);
    ck_assert_int_eq(SSL_connect(client), 1);
    await(&server);
    ck_assert_int_eq(server.failure, TLS_NO_FAILURE);
    ck_assert(!SSL_session_reused(client));
    ck_assert_int_eq(poll(&(struct pollfd){.fd = server.client_fd, .events = POLLIN}, 1, 0),
                     n_events);
    ck_assert_int_eq(fcntl(server.client_fd, F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_lt(SSL_read(client, &byte, 1), 0);
    SSL_SESSION *offered = SSL_get1_session(client);
    /* Of an end without a close_notify neither side would keep anything. */
    SSL_set_shutdown(client, SSL_SENT_SHUTDOWN);
    tls_session_close(&server.session);
    tls_client_free(client);
    finish_in_context(&server);
    return offered;
}

static void expect_failure(SSL *(*make)(int fd), enum tls_failure failure)
{
    struct server server;
    start(&server);
    SSL *client = make(server.client_fd);
    char byte;

    if (SSL_connect(client) == 1) /* of TLS 1.3 a client learns by reading */
        ck_assert_int_le(SSL_read(client, &byte, 1), 0);
    await(&server);
    ck_assert_str_eq(tls_failure_to_string(server.failure), tls_failure_to_string(failure));
    tls_client_free(client);
    finish(&server);
}

static struct deadline soon(void)
{
    return deadline_after(time_now_usec(CLOCK_MONOTONIC), 50 * USEC_PER_MSEC, USEC_INFINITY / 2);
}

static struct deadline later(void)
{
    return deadline_after(time_now_usec(CLOCK_MONOTONIC), 20 * USEC_PER_SEC, USEC_INFINITY / 2);
}

START_TEST(test_carries_bytes_both_ways_and_says_the_end)
{
    struct server server;
    char buffer[16];

    use("one");
    start(&server);
    SSL *client = tls_client_new(server.client_fd, "mail.one.example");
    ck_assert_int_eq(SSL_connect(client), 1);
    await(&server);
    ck_assert_int_eq(server.failure, TLS_NO_FAILURE);
    ck_assert_str_eq(server.session.facts.protocol, "TLSv1.3");
    ck_assert_str_eq(server.session.facts.server_name, "mail.one.example");
    ck_assert_ptr_eq(strstr(server.session.facts.suite, "TLS_"), server.session.facts.suite);
    ck_assert_str_eq(server.session.facts.digest, "");

    ck_assert(!tls_session_has_input(&server.session));
    ck_assert_int_eq(tls_session_wait(&server.session, -1, soon()), -ETIMEDOUT);
    ck_assert_int_eq(tls_session_receive(&server.session, buffer, 16, soon()), -ETIMEDOUT);
    ck_assert_int_eq(SSL_write(client, "hello", 5), 5);
    ck_assert_int_eq(tls_session_wait(&server.session, -1, later()), 0);
    ck_assert(tls_session_has_input(&server.session));
    ck_assert_int_eq(tls_session_receive(&server.session, buffer, 2, later()), 2);
    ck_assert(tls_session_has_input(&server.session));
    ck_assert_int_eq(tls_session_receive(&server.session, buffer + 2, 14, later()), 3);
    ck_assert_mem_eq(buffer, "hello", 5);
    ck_assert_int_eq(tls_session_send(&server.session, "answer", 6, later().usual), 0);
    ck_assert_int_eq(SSL_read(client, buffer, 16), 6);

    ck_assert_int_eq(SSL_shutdown(client), 0);
    ck_assert_int_eq(tls_session_receive(&server.session, buffer, 16, later()), 0);
    ck_assert(!server.session.is_truncated);
    tls_session_close(&server.session);
    ck_assert_int_eq(SSL_shutdown(client), 1);
    tls_client_free(client);
    finish(&server);
}
END_TEST

START_TEST(test_answers_the_last_flight_of_who_asks_and_resumes_nothing)
{
    struct tls_context *context;

    use("one");
    ck_assert_int_eq(tls_context_new(&settings, 8, &context, fault), 0);
    SSL_SESSION *first = shake_hands(context, true, NULL, 1);
    ck_assert_int_eq(SSL_SESSION_is_resumable(first), 1);
    SSL_SESSION *second = shake_hands(context, true, first, 1);
    SSL_SESSION *third = shake_hands(context, false, second, 0);
    SSL_SESSION_free(first);
    SSL_SESSION_free(second);
    SSL_SESSION_free(third);
    tls_context_free(context);
}
END_TEST

/* No event of the socket follows, if events are edge-triggered. Packets keep OpenSSL from reading
 * both records at once. */
START_TEST(test_reads_on_behind_a_change_of_keys)
{
    struct server server;
    char buffer[16];
    bool wants_output;

    use("one");
    start(&server);
    SSL *client = tls_client_new(server.client_fd, NULL);
    ck_assert_int_eq(SSL_connect(client), 1);
    await(&server);
    change_to_packets(&server);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(SSL_key_update(client, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        ck_assert_int_eq(SSL_do_handshake(client), 1);
    }
    ck_assert_int_eq(SSL_write(client, "hello", 5), 5);
    ck_assert_int_eq(tls_session_read(&server.session, buffer, 16, &wants_output), 5);
    tls_client_free(client);
    finish(&server);
}
END_TEST

START_TEST(test_notices_an_end_without_close_notify)
{
    struct server server;
    char buffer[16];

    use("one");
    start(&server);
    SSL *client = tls_client_new(server.client_fd, NULL);
    ck_assert_int_eq(SSL_connect(client), 1);
    await(&server);
    shutdown(server.client_fd, SHUT_WR);
    ck_assert_int_eq(tls_session_receive(&server.session, buffer, 16, later()), -ECONNRESET);
    ck_assert(server.session.is_truncated);
    ck_assert_int_lt(tls_session_send(&server.session, "x", 1, later().usual), 0);
    tls_client_free(client);
    finish(&server);
}
END_TEST

START_TEST(test_sends_more_than_the_socket_takes)
{
    static const char block[1 << 20];
    struct server server;

    use("one");
    start(&server);
    SSL *client = tls_client_new(server.client_fd, NULL);
    ck_assert_int_eq(SSL_connect(client), 1);
    await(&server);
    ck_assert_int_eq(tls_session_send(&server.session, block, sizeof(block), soon().usual),
                     -ETIMEDOUT);
    tls_client_free(client);
    finish(&server);
}
END_TEST

START_TEST(test_chooses_the_certificate_by_name)
{
    static const struct {
        const char *asked, *shown;
    } cases[] = {
        {"two.example", "two.example"},       {"TWO.example", "two.example"},
        {"a.one.example", "one.example"},     {NULL, "one.example"},
        {"elsewhere.example", "one.example"},
    };

    use("one");
    use("two");
    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct server server;

        start(&server);
        SSL *client = tls_client_new(server.client_fd, cases[i].asked);
        ck_assert_int_eq(SSL_connect(client), 1);
        await(&server);
        ck_assert_str_eq(tls_client_server(client), cases[i].shown);
        tls_client_free(client);
        finish(&server);
    }
}
END_TEST

static SSL *make_old_client(int fd)
{
    SSL *client = tls_client_new(fd, NULL);

    SSL_set_security_level(client, 0);
    SSL_set_min_proto_version(client, TLS1_VERSION);
    SSL_set_max_proto_version(client, TLS1_1_VERSION);
    return client;
}

static SSL *make_client_of_1_2(int fd)
{
    SSL *client = tls_client_new(fd, NULL);

    SSL_set_max_proto_version(client, TLS1_2_VERSION);
    return client;
}

static SSL *make_client_of_other_ciphers(int fd)
{
    SSL *client = make_client_of_1_2(fd);

    ck_assert_int_eq(SSL_set_cipher_list(client, "AES128-SHA"), 1);
    return client;
}

static SSL *make_client(int fd)
{
    return tls_client_new(fd, NULL);
}

static SSL *make_distrustful_client(int fd)
{
    SSL *client = tls_client_new(fd, NULL);

    SSL_set_verify(client, SSL_VERIFY_PEER, NULL);
    return client;
}

START_TEST(test_says_why_a_handshake_failed)
{
    use("one");
    expect_failure(make_old_client, TLS_FAILED_VERSION);
    expect_failure(make_client_of_other_ciphers, TLS_FAILED_SHARED_CIPHER);
    expect_failure(make_distrustful_client, TLS_FAILED_BAD_CERTIFICATE);
    settings.min = TLS_MIN_1_3;
    expect_failure(make_client_of_1_2, TLS_FAILED_VERSION);
}
END_TEST

START_TEST(test_wants_a_client_certificate)
{
    use("one");
    settings.client = TLS_CLIENT_REQUIRE;
    settings.authorities = strdup(tls_files_path(&files, "two.cert"));
    expect_failure(make_client, TLS_FAILED_BAD_CERTIFICATE);
}
END_TEST

START_TEST(test_knows_the_client_by_its_certificate)
{
    static const struct {
        enum tls_client client;
        const char *name;
        bool is_verified;
    } cases[] = {{TLS_CLIENT_REQUIRE, "two", true},
                 {TLS_CLIENT_ASK, "two", true},
                 {TLS_CLIENT_ASK, "one", false}};

    use("one");
    settings.authorities = strdup(tls_files_path(&files, "two.cert"));
    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        char file[32], name[64];
        struct server server;

        settings.client = cases[i].client;
        start(&server);
        SSL *client = tls_client_new(server.client_fd, NULL);
        snprintf(file, sizeof(file), "%s.cert", cases[i].name);
        ck_assert_int_eq(SSL_use_certificate_file(client, tls_files_path(&files, file), 1), 1);
        snprintf(file, sizeof(file), "%s.key", cases[i].name);
        ck_assert_int_eq(SSL_use_PrivateKey_file(client, tls_files_path(&files, file), 1), 1);
        ck_assert_int_eq(SSL_connect(client), 1);
        await(&server);
        ck_assert_int_eq(server.failure, TLS_NO_FAILURE);
        snprintf(name, sizeof(name), "CN=%s.example", cases[i].name);
        ck_assert_str_eq(server.session.facts.subject, name);
        ck_assert_uint_eq(strlen(server.session.facts.digest), 64);
        ck_assert_int_eq(server.session.facts.is_verified, cases[i].is_verified);
        tls_client_free(client);
        finish(&server);
    }
}
END_TEST

/* The name before the NUL may be another client's. */
START_TEST(test_a_nul_ends_no_name)
{
    static const unsigned char name[] = "two.example\0.elsewhere.example";
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    struct server server;

    use("one");
    settings.client = TLS_CLIENT_ASK;
    start(&server);
    SSL *client = tls_client_new(server.client_fd, NULL);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, name,
                               sizeof(name) - 1, -1, 0);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY);
    X509_gmtime_adj(X509_getm_notAfter(certificate), DAY);
    X509_set_pubkey(certificate, key);
    ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
    ck_assert_int_eq(SSL_use_certificate(client, certificate), 1);
    ck_assert_int_eq(SSL_use_PrivateKey(client, key), 1);
    ck_assert_int_eq(SSL_connect(client), 1);
    await(&server);
    ck_assert_int_eq(server.failure, TLS_NO_FAILURE);
    ck_assert_str_eq(server.session.facts.common_name, "two.example?.elsewhere.example");
    ck_assert_str_eq(server.session.facts.subject, "CN=two.example\\00.elsewhere.example");
    tls_client_free(client);
    finish(&server);
    X509_free(certificate);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(test_renegotiation_is_off)
{
    struct server server;
    char buffer[16];

    use("one");
    start(&server);
    SSL *client = make_client_of_1_2(server.client_fd);
    ck_assert_int_eq(SSL_connect(client), 1);
    await(&server);
    ck_assert_int_eq(SSL_renegotiate(client), 1);
    /* The request goes out with the first call; the refusal is a warning, which ends nothing here.
     */
    struct timeval limit = {.tv_usec = 100000};
    setsockopt(server.client_fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ck_assert_int_ne(SSL_do_handshake(client), 1);
    ck_assert_int_le(tls_session_receive(&server.session, buffer, 16, soon()), 0);
    tls_client_free(client);
    finish(&server);
}
END_TEST

static enum tls_failure failure_after(const char *bytes, bool leaves)
{
    struct server server;

    start(&server);
    ck_assert_int_gt(send(server.client_fd, bytes, strlen(bytes), MSG_NOSIGNAL), 0);
    if (leaves)
        shutdown(server.client_fd, SHUT_WR);
    await(&server);
    finish(&server);
    return server.failure;
}

START_TEST(test_plain_text_is_no_handshake)
{
    use("one");
    ck_assert_int_eq(failure_after("EHLO client.example\r\n", false), TLS_FAILED_PLAIN_TEXT);
    ck_assert_int_eq(failure_after("G", false), TLS_FAILED_PLAIN_TEXT);
    ck_assert_int_eq(failure_after("\x16\x03\x01", true), TLS_FAILED_GONE);
}
END_TEST

static unsigned n_in_handshake(struct server *server)
{
    usleep(10000);
    pthread_mutex_lock(&server->context->gate.lock);
    unsigned n = server->context->gate.n;
    pthread_mutex_unlock(&server->context->gate.lock);
    return n;
}

START_TEST(test_a_crowd_of_handshakes_has_less_time)
{
    struct server servers[6]; /* of 8 places; more than 4 are a crowd */
    uint64_t began = time_now_usec(CLOCK_MONOTONIC);
    unsigned n = 0;

    use("one");
    start(&servers[0]);
    for (size_t i = 1; i < ELEMENTSOF(servers); i++)
        start_in(&servers[i], servers[0].context, false);
    while (n < ELEMENTSOF(servers)) {
        ck_assert_uint_lt(time_now_usec(CLOCK_MONOTONIC) - began, 20 * USEC_PER_SEC);
        n = n_in_handshake(&servers[0]);
    }
    /* Two are cut; then it is no crowd any more, and the others keep their time: until they leave.
     */
    while (n > ELEMENTSOF(servers) - 2) {
        ck_assert_uint_lt(time_now_usec(CLOCK_MONOTONIC) - began, 40 * USEC_PER_SEC);
        n = n_in_handshake(&servers[0]);
    }
    ck_assert_uint_ge(time_now_usec(CLOCK_MONOTONIC) - began, 2 * USEC_PER_SEC);
    for (size_t i = 0; i < ELEMENTSOF(servers); i++) {
        shutdown(servers[i].client_fd, SHUT_WR);
        await(&servers[i]);
    }
    for (size_t i = ELEMENTSOF(servers); i-- > 0;) {
        close(servers[i].client_fd);
        close(servers[i].server_fd);
    }
    tls_context_free(servers[0].context);
}
END_TEST

static void expect_fault(const char *certificate, const char *key, const char *text)
{
    struct tls_certificate loaded;
    struct tls_fault why;

    ck_assert_int_lt(tls_certificate_load(&loaded, certificate, key, &why), 0);
    ck_assert_msg(strstr(why.text, text) != NULL, "'%s' instead of '%s'", why.text, text);
}

/* Writes a key anew, protected by a passphrase: as PKCS #8, or in the form that was there before.
 */
static void protect(const char *name, const char *to, bool is_traditional)
{
    unsigned char passphrase[] = "secret";
    FILE *in = fopen(tls_files_path(&files, name), "re");
    FILE *out = fopen(tls_files_path(&files, to), "we");
    EVP_PKEY *key = PEM_read_PrivateKey(in, NULL, NULL, NULL);
    BIO *bio = BIO_new_fp(out, BIO_NOCLOSE);

    ck_assert_ptr_nonnull(key);
    ck_assert_int_eq(
        (is_traditional ? PEM_write_bio_PrivateKey_traditional : PEM_write_bio_PrivateKey)(
            bio, key, EVP_aes_128_cbc(), passphrase, (int)sizeof(passphrase) - 1, NULL, NULL),
        1);
    BIO_free(bio);
    EVP_PKEY_free(key);
    ck_assert_int_eq(fclose(in) + fclose(out), 0);
}

START_TEST(test_says_what_is_wrong_with_a_certificate)
{
    const char *one = tls_files_path(&files, "one.cert"), *key = tls_files_path(&files, "one.key");

    tls_files_write(&files, "empty", "");
    tls_files_write(&files, "broken",
                    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    expect_fault("/nowhere/cert", NULL, "/nowhere/cert: No such file or directory");
    expect_fault(tls_files_path(&files, "empty"), key, "holds no certificate");
    expect_fault(tls_files_path(&files, "broken"), key, "holds no certificate");
    expect_fault(one, tls_files_path(&files, "empty"), "holds no private key");
    expect_fault(one, NULL, "holds no private key");
    expect_fault(one, tls_files_path(&files, "two.key"), "does not belong to the certificate");
    expect_fault(files.folder, NULL, files.folder);
    expect_fault("tls.cert", NULL, "tls.cert is a credential, and there are none here");
}
END_TEST

START_TEST(test_asks_nobody_for_a_passphrase)
{
    const char *one = tls_files_path(&files, "one.cert");

    protect("one.key", "pkcs8", false);
    protect("one.key", "traditional", true);
    expect_fault(one, tls_files_path(&files, "pkcs8"),
                 "/pkcs8: the private key is protected by a "
                 "passphrase; remove that with: openssl pkey");
    expect_fault(one, tls_files_path(&files, "traditional"), "is protected by a passphrase");
    tls_files_write(&files, "encrypted",
                    "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
                    "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF"
                    "\n\nAAAAAAAAAAAAAAAAAAAAAA==\n"
                    "-----END CERTIFICATE-----\n");
    expect_fault(tls_files_path(&files, "encrypted"), NULL, "holds no certificate");
}
END_TEST

START_TEST(test_finds_credentials_in_their_folder)
{
    struct parameter_report report = {0};
    struct tls_context *context;

    tls_files_add(&files, "tls", (const char *const[]){"tls.example", NULL}, 3 * DAY + 3600);
    ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", files.folder, 1), 0);
    ck_assert_int_eq(tls_settings_complete(&settings, &report), 0);
    ck_assert(tls_settings_has_certificate(&settings));
    ck_assert_msg(tls_context_new(&settings, 8, &context, fault) == 0, "%s", fault);
    ck_assert_ptr_nonnull(strstr(context->expiry, "tls.cert: expires on "));
    ck_assert_ptr_nonnull(strstr(context->expiry, ", in 3 days"));
    tls_context_free(context);
    ck_assert_int_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}
END_TEST

START_TEST(test_without_a_certificate_there_is_no_tls)
{
    struct parameter_report report = {0};
    struct tls_context *context;

    ck_assert_int_eq(tls_settings_complete(&settings, &report), 0);
    ck_assert_int_eq(tls_context_new(&settings, 8, &context, fault), 0);
    ck_assert_ptr_null(context);
}
END_TEST

static char said[1024];

static void note(const struct parameter_report *report, enum parameter_severity severity,
                 const char *text)
{
    size_t n = strlen(said);

    snprintf(said + n, sizeof(said) - n, "%zd %s: %s\n", (ssize_t)report->index,
             severity == PARAMETER_ERROR ? "error" : "warning", text);
}

struct owner {
    struct tls_settings tls;
};

static int complete(void *data, const struct parameter_report *report)
{
    return tls_settings_complete(&((struct owner *)data)->tls, report);
}

static void expect_report(struct parameter_facts facts, const char *const lines[], int result,
                          const char *text)
{
    static const struct parameter items[] = {TLS_PARAMETER_ROWS(struct owner, tls)};
    static const struct parameter_table table = {items, ELEMENTSOF(items), complete};
    struct parameter_report report = {.facts = facts, .write = note};
    struct owner owner = {0};
    size_t n = 0;

    while (lines[n])
        n++;
    said[0] = '\0';
    facts.is_check = report.facts.is_check = true;
    ck_assert_int_eq(parameters_read(&table, &owner, lines, n, &report), result);
    ck_assert_msg(*text ? strstr(said, text) != NULL : !*said, "'%s' instead of '%s'", said, text);
    tls_settings_clear(&owner.tls);
}

START_TEST(test_a_check_reports_at_the_line)
{
    const struct parameter_facts none = {0}, port = {.has_tls_port = true},
                                 credential = {.has_tls_port = true, .has_tls_credential = true};
    char lines[6][128];

    tls_files_add(&files, "old", (const char *const[]){"old.example", NULL}, -DAY);
    snprintf(lines[0], sizeof(lines[0]), "TLS_CERT=%s", tls_files_path(&files, "one.cert"));
    snprintf(lines[1], sizeof(lines[1]), "TLS_KEY=%s", tls_files_path(&files, "one.key"));
    snprintf(lines[2], sizeof(lines[2]), "TLS_CERT=%s", tls_files_path(&files, "old.cert"));
    snprintf(lines[3], sizeof(lines[3]), "TLS_KEY=%s", tls_files_path(&files, "old.key"));
    snprintf(lines[4], sizeof(lines[4]), "TLS_KEY=%s", tls_files_path(&files, "two.key"));
#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})
    expect_report(none, LINES(NULL), 0, "");
    expect_report(port, LINES(NULL), -EINVAL, "-1 error: TLS_PORT needs a certificate");
    expect_report(credential, LINES(NULL), 0, "");
    expect_report(port, LINES(lines[0], lines[1]), 0, "");
    expect_report(port, LINES(lines[0], lines[4]), -EINVAL, "1 error: the private key in ");
    expect_report(port, LINES(lines[1], lines[0], lines[2]), -EINVAL,
                  "0 error: TLS_KEY= is given 1 times and TLS_CERT= 2 times");
    expect_report(none, LINES(lines[0], lines[2], lines[1], lines[3]), 0, "1 warning: ");
    expect_report(none, LINES("TLS_CERT=/nowhere"), -EINVAL, "0 error: /nowhere: No such file");
    expect_report(none, LINES("TLS_CERT=tls.cert"), 0, "0 warning: tls.cert is a credential");
    expect_report(none, LINES("TLS_CLIENT=require"), -EINVAL, "0 error: TLS_CLIENT=require needs");
    expect_report(none, LINES("TLS_MIN=1.1"), -EINVAL, "0 error: PARAMETER=TLS_MIN=1.1: must be");
}
END_TEST

SUITE("tls_session", set_up, tear_down, test_carries_bytes_both_ways_and_says_the_end,
      test_answers_the_last_flight_of_who_asks_and_resumes_nothing,
      test_reads_on_behind_a_change_of_keys, test_notices_an_end_without_close_notify,
      test_sends_more_than_the_socket_takes, test_chooses_the_certificate_by_name,
      test_says_why_a_handshake_failed, test_wants_a_client_certificate,
      test_knows_the_client_by_its_certificate, test_a_nul_ends_no_name, test_renegotiation_is_off,
      test_plain_text_is_no_handshake, test_a_crowd_of_handshakes_has_less_time,
      test_says_what_is_wrong_with_a_certificate, test_asks_nobody_for_a_passphrase,
      test_finds_credentials_in_their_folder, test_without_a_certificate_there_is_no_tls,
      test_a_check_reports_at_the_line)
