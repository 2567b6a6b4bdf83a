/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* libdispatcher: everything a program needs to be a worker of dispatcherd.
 *
 * A worker is a process that dispatcherd (or systemd on its behalf) starts with one end of a
 * control channel as descriptor 3. Over it come the connections, already accepted; the library
 * has up to the service's MAX_CONNS of them served at a time, each on a thread of its own or by the
 * program's event loop, tells dispatcherd of the end of each, and ends the process when dispatcherd
 * no longer wants it.
 *
 * The program gives functions; dispatcher_worker_run() does the rest. See dispatcher-worker(3)
 * for an example, and dispatcher-worker(7) for the protocol.
 *
 * Unless said otherwise a string that a function returns belongs to the library and lives as long
 * as the object it was asked of. */
#ifndef DISPATCHER_WORKER_H
#define DISPATCHER_WORKER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/* This process as a worker of its service. All functions that take it may be called from any
 * thread. */
typedef struct dispatcher_worker dispatcher_worker;

/* One connection. Belongs to the thread that serves it, until that function returns; or to the
 * program that took it, until dispatcher_connection_end(). One thread at a time may use it. */
typedef struct dispatcher_connection dispatcher_connection;

/* What the program does. Each function gets the `userdata` that dispatcher_worker_run() was
 * given. */
struct dispatcher_worker_callbacks {
    /* Called once, on the main thread, when the worker knows its service and parameters and before
     * the first connection; may be NULL. A negative errno stops the worker: say why on standard
     * error, which is the journal or the service's LOGFILE. */
    int (*start)(dispatcher_worker *worker, void *userdata);

    /* Serves one connection to its end, on a thread of its own. Its socket is in blocking mode, and
     * the library closes it afterwards. A program gives this or `take`, not both. */
    void (*serve)(dispatcher_connection *connection, void *userdata);

    /* Takes one connection, for programs that serve many on one thread: called on the thread that
     * receives them, so it must not block. The session goes on after it has returned, until
     * dispatcher_connection_end(), which may also be called before. The socket is in blocking
     * mode. */
    void (*take)(dispatcher_connection *connection, void *userdata);

    /* Asked before each `take`, on the same thread, if the program gives connections to another one
     * that may be full or away; may be NULL. True: `take` follows at once. False: the connection
     * stays with dispatcherd, which offers it again a moment later. Must not block. */
    bool (*offer)(dispatcher_connection *connection, void *userdata);

    /* Called once, on the main thread, after the last connection ended and every thread is gone;
     * may be NULL. Not called when the worker ends because the drain limit has passed. The process
     * is killed if it still exists twenty seconds from now. */
    void (*stop)(dispatcher_worker *worker, void *userdata);
};

/* Runs the worker until it is told to end, by dispatcherd, by the end of the control channel or by
 * SIGTERM (a second SIGTERM ends the process at once). Call it once, early in main(), before any
 * thread exists: it blocks SIGTERM, and ignores SIGPIPE and SIGXFSZ, for the whole process.
 *
 * Returns 0 after an ordinary end, or a negative errno after one line about the cause on standard
 * error: -ENOTCONN if descriptor 3 is no control channel (the program was not started by
 * dispatcherd), -EPROTO if dispatcherd speaks no version of the protocol that this library
 * knows, -EINVAL if `callbacks` has both of `serve` and `take` or none, -EBADMSG if it sends
 * what is no message, -ECONNRESET if it closed the channel before the worker was welcome,
 * -ETIMEDOUT if no welcome came in 30 seconds, -EAGAIN or -ENOMEM if not one thread could be
 * made, -EPIPE if dispatcherd is gone before the worker was ready, another errno if a system
 * call failed, or what `start` returned. If the drain limit passes it does not return: the
 * process ends with EXIT_FAILURE. */
int dispatcher_worker_run(const struct dispatcher_worker_callbacks *callbacks, void *userdata);

/* The service's name as dispatcher.cnf writes it. */
const char *dispatcher_worker_service(const dispatcher_worker *worker);

/* The worker's number within its service, from 0. It is used again after the worker's end. */
unsigned dispatcher_worker_slot(const dispatcher_worker *worker);

/* How many connections may be served at a time. */
unsigned dispatcher_worker_max_connections(const dispatcher_worker *worker);

/* The service's PARAMETER lines in their order, unchanged. Index from 0; NULL past the last. */
const char *dispatcher_worker_parameter(const dispatcher_worker *worker, size_t index);

/* The value of the last PARAMETER of the form NAME=value (NAME without regard to case), or NULL. */
const char *dispatcher_worker_parameter_value(const dispatcher_worker *worker, const char *name);

/* The name of this host as dispatcherd knows it. */
const char *dispatcher_worker_host_name(const dispatcher_worker *worker);

/* The debug mask of the service, as dispatcher.cnf(5) describes it. It may change at any time. */
uint32_t dispatcher_worker_debug(const dispatcher_worker *worker);

/* True once the worker takes no new connections. A session may go on until its end, but a protocol
 * that can say "come back later" does well to say it when it is next idle. */
bool dispatcher_worker_is_draining(const dispatcher_worker *worker);

/* How urgent a drain is. A worker goes from one to the next, never back. */
enum dispatcher_drain {
    DISPATCHER_DRAIN_NONE,    /* the worker takes connections */
    DISPATCHER_DRAIN_RECYCLE, /* it takes no new ones; its sessions may take their time */
    DISPATCHER_DRAIN_STOP     /* the service or the host stops, and waits: a session ends as soon as
                                 its protocol allows, with "come back later" if it can */
};

enum dispatcher_drain dispatcher_worker_drain(const dispatcher_worker *worker);

/* A descriptor that becomes readable, and stays so, once the drain is as urgent as `kind` or more:
 * for sessions that wait in poll(). It belongs to the library, is the same for all sessions, and is
 * never read. */
int dispatcher_worker_drain_fd(const dispatcher_worker *worker, enum dispatcher_drain kind);

/* True while the service is under stress, that is, short of free places (see Stress in
 * dispatcher-worker(3)). A session does well to wait for its client for a shorter time then, so
 * that slow clients do not keep places from others. Stress begins and ends again and again. */
bool dispatcher_worker_is_stressed(const dispatcher_worker *worker);

/* A descriptor that is readable while the service is under stress: for sessions that wait in
 * poll(). Who is woken by it goes on waiting without it, for as long as the client may still have.
 * It belongs to the library, is the same for all sessions, and is never read. */
int dispatcher_worker_stress_fd(const dispatcher_worker *worker);

/* Raises the alert `backend` of the service: a server that the program needs, which `text` names
 * with the cause, cannot be used, and an administrator has to look after it. NULL: all is well
 * again. Another text replaces the last one; at most 255 bytes are kept. May be called at any time
 * from `start` on; never waits, and costs nothing if nothing has changed. */
void dispatcher_worker_alert(dispatcher_worker *worker, const char *text);

/* Tells dispatcherd of the certificates that the program shows to its clients: when the first of
 * them expires (seconds since 1970), and an SHA-256 in hexadecimal digits that is another if any of
 * them is; or by `fault` (otherwise NULL) why it cannot use them. dispatcherd raises the alert
 * `certificate` in time, and replaces workers that show older ones. May be called at any time from
 * `start` on; never waits. At most 255 bytes of `fault` are kept. */
void dispatcher_worker_certificate(dispatcher_worker *worker, int64_t expires_at,
                                   const char *sha256, const char *fault);

#if defined(__GNUC__)
#define DISPATCHER_PRINTF(format_index, first_argument)                                            \
    __attribute__((format(printf, format_index, first_argument)))
#else
#define DISPATCHER_PRINTF(format_index, first_argument)
#endif

/* Logs one line, whose text is made as by printf(3), at a priority of syslog(3): LOG_ERR to
 * LOG_DEBUG. It goes to the service's LOGFILE, with the time and the process; without a LOGFILE to
 * the journal, with the fields of dispatcherd-journal(7), or to standard error if that is no
 * journal. Never waits: a line that is not taken at once is left out, and counted in a later one.
 * Text beyond 1536 bytes is cut, and control characters become "?". */
void dispatcher_worker_log(const dispatcher_worker *worker, int priority, const char *format, ...)
    DISPATCHER_PRINTF(3, 4);
void dispatcher_worker_log_v(const dispatcher_worker *worker, int priority, const char *format,
                             va_list arguments) DISPATCHER_PRINTF(3, 0);

/* The same for a line about a connection, whose identifier and client are part of it. Called by the
 * thread that serves it. */
void dispatcher_connection_log(const dispatcher_connection *connection, int priority,
                               const char *format, ...) DISPATCHER_PRINTF(3, 4);
void dispatcher_connection_log_v(const dispatcher_connection *connection, int priority,
                                 const char *format, va_list arguments) DISPATCHER_PRINTF(3, 0);

/* Ends the session of a connection that `take` was given: closes its socket, and tells dispatcherd.
 * To be called once, from any thread; never waits. Afterwards the connection no longer exists, and
 * the next one may have its memory. */
void dispatcher_connection_end(dispatcher_connection *connection);

/* What became of a session, for the statistics of its service. */
enum dispatcher_outcome {
    DISPATCHER_SERVED,   /* unless anything else was said */
    DISPATCHER_FAILED,   /* the session began, and what served it has failed */
    DISPATCHER_SENT_AWAY /* what would have served it could not: the client may come again */
};

/* Says so; to be called before the session ends. The last call counts. */
void dispatcher_connection_set_outcome(dispatcher_connection *connection,
                                       enum dispatcher_outcome outcome);

/* As dispatcher_connection_end(), but the session goes on: another program has a descriptor of the
 * socket, and dispatcherd sees by itself when nobody has one any more. Only for programs that give
 * `offer`. */
void dispatcher_connection_passed_on(dispatcher_connection *connection);

/* The other program that was given the connection has returned it, and takes none for now: gives
 * it back to dispatcherd, where it waits and is offered again, whatever becomes of this worker.
 * Returns false if that cannot be done now, or dispatcherd is one of an older version: the
 * connection is still the program's then. Otherwise as after dispatcher_connection_end(). Only for
 * programs that give `offer`, and not within `offer` or `take`. */
bool dispatcher_connection_put_back(dispatcher_connection *connection);

/* The worker that serves the connection. */
dispatcher_worker *dispatcher_connection_worker(const dispatcher_connection *connection);

/* The socket. The library closes it when `serve` returns, or by dispatcher_connection_end(); a
 * program that wants to keep it duplicates it. */
int dispatcher_connection_fd(const dispatcher_connection *connection);

/* When dispatcherd accepted it: CLOCK_MONOTONIC, in microseconds. */
uint64_t dispatcher_connection_accepted_at(const dispatcher_connection *connection);

/* The connection's identifier, unique on this host: 16 hexadecimal digits. The same text stands in
 * dispatcherd's journal lines as DISPATCHER_CONNECTION. */
const char *dispatcher_connection_id(const dispatcher_connection *connection);

/* The client's address and ours, as getpeername() and getsockname() would give them, except that
 * an IPv4 client of an IPv6 socket appears as IPv4. Writes at most *length bytes to `address` and
 * sets *length to the full size; 0 if the address is not known. */
void dispatcher_connection_peer(const dispatcher_connection *connection, struct sockaddr *address,
                                socklen_t *length);
void dispatcher_connection_local(const dispatcher_connection *connection, struct sockaddr *address,
                                 socklen_t *length);

/* The client's address and ours as text without the port: "192.0.2.1", "2001:db8::1", "unix". */
const char *dispatcher_connection_peer_host(const dispatcher_connection *connection);
const char *dispatcher_connection_local_host(const dispatcher_connection *connection);

/* The same ends' ports; 0 for Unix sockets. */
uint16_t dispatcher_connection_peer_port(const dispatcher_connection *connection);
uint16_t dispatcher_connection_local_port(const dispatcher_connection *connection);

/* True if the connection came to one of the service's TLS_PORTs: the client expects TLS from
 * the first byte, and it is the program that speaks it. */
bool dispatcher_connection_is_tls(const dispatcher_connection *connection);

/* Tells dispatcherd that the connection is protected by TLS from now on: "TLSv1.3", the cipher, and
 * the subject and the SHA-256 of the client's certificate in hexadecimal digits ("" or NULL: it has
 * shown none). Called once, by whoever may use the connection; never waits. */
void dispatcher_connection_tls_began(dispatcher_connection *connection, const char *protocol,
                                     const char *cipher, const char *subject, const char *sha256);

/* Why a handshake failed. */
enum dispatcher_tls_failure {
    DISPATCHER_TLS_TIMEOUT,          /* the client was too slow */
    DISPATCHER_TLS_NO_SHARED_CIPHER, /* nor group, nor signature */
    DISPATCHER_TLS_VERSION,          /* no version that both know */
    DISPATCHER_TLS_BAD_CERTIFICATE,  /* the client's, or ours is bad for the client */
    DISPATCHER_TLS_PLAIN_TEXT,       /* what the client sent was no TLS */
    DISPATCHER_TLS_GONE,             /* the client closed the connection */
    DISPATCHER_TLS_NO_CERTIFICATE,   /* the program has none */
    DISPATCHER_TLS_ERROR,            /* anything else */
    DISPATCHER_TLS_FAILURES          /* how many there are */
};

/* Counts a handshake of the connection that failed; never waits. */
void dispatcher_connection_tls_failed(dispatcher_connection *connection,
                                      enum dispatcher_tls_failure failure);

/* Who uses the connection, as the client's host says (IDENT=1 in dispatcher.cnf(5)); "" if nobody
 * was asked, or there is no answer. A program that gives `serve` waits here for an answer that is
 * still under way, for two and a half seconds at most; one that gives `take` never does. */
const char *dispatcher_connection_identity(dispatcher_connection *connection);

/* The text that access control left for the worker; "" if there is none. */
const char *dispatcher_connection_access_tag(const dispatcher_connection *connection);

/* The text that access control wants to see in the log of this connection (what stands after "||"
 * in PORT_ACCESS; dispatcherd has it in its own lines already); "" if there is none. */
const char *dispatcher_connection_access_note(const dispatcher_connection *connection);

#ifdef __cplusplus
}
#endif

#endif
