/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The rules of dispatcher-worker(7) that a worker must keep, as one table. Each rule has a scene,
 * in which the kit plays dispatcherd to a new worker so that a breach of the rule would show. If a
 * scene shows that another rule is broken, that counts for the other rule.
 *
 * A rule builds on another one if its scene needs that one to be kept: a worker that cannot take a
 * connection at all should not be reported to break twenty rules about connections. */
#pragma once

/* X(identifier, name, section of the manual, rule that it builds on, scene, sentence) */
#define RULES_OF_THE_GREETING(X)                                                                   \
    X(HELLO, "greeting.hello", "Greeting", HELLO, hello,                                           \
      "HELLO comes first, with VERSION_MIN and VERSION_MAX")                                       \
    X(WAITS, "greeting.waits", "Greeting", HELLO, waits,                                           \
      "nothing comes between HELLO and WELCOME")                                                   \
    X(READY, "greeting.ready", "Greeting", HELLO, ready, "READY answers WELCOME")                  \
    X(PLACES, "greeting.places", "Greeting", END, places, "READY has 1 to MAX_CONNS places")       \
    X(VERSION, "greeting.version", "Greeting", READY, version,                                     \
      "a WELCOME of another version ends the worker with an error")                                \
    X(NOT_WELCOME, "greeting.closed", "Greeting", READY, not_welcome,                              \
      "a channel that is closed instead of WELCOME ends the worker with an error")                 \
    X(LOG_FILE, "greeting.log-file", "Greeting", READY, log_file,                                  \
      "the log file becomes standard output and standard error")

#define RULES_OF_THE_CHANNEL(X)                                                                    \
    X(MESSAGE, "channel.message", "The channel", END, session,                                     \
      "each packet is a whole message of a type that workers send")                                \
    X(ORDER, "channel.order", "The channel", END, session,                                         \
      "HELLO and READY are sent once, and nothing before READY")                                   \
    X(DESCRIPTORS, "channel.descriptors", "The channel", END, session,                             \
      "no descriptors come with a message of the worker")                                          \
    X(CLOSE_ON_EXEC, "channel.close-on-exec", "The channel", END, close_on_exec,                   \
      "the channel and the connections have the close-on-exec flag")                               \
    X(ENVIRONMENT, "channel.environment", "The channel", END, environment,                         \
      "a LISTEN_PID makes no difference")                                                          \
    X(STRINGS, "channel.strings", "The channel", END, strings,                                     \
      "strings may come in any order, and unknown ones are ignored")                               \
    X(LONG, "channel.long", "The channel", END, long_welcome, "a message may be 65536 bytes long") \
    X(FULL_CHANNEL, "channel.full", "Draining and the end", END, full_channel,                     \
      "messages wait while the channel is full, and are sent in their order")

#define RULES_OF_SYSTEMD(X)                                                                        \
    X(NOTIFY, "systemd.ready", "Under systemd", END, notify,                                       \
      "READY=1 goes to NOTIFY_SOCKET when READY has been sent")                                    \
    X(NOTIFY_ABSTRACT, "systemd.abstract", "Under systemd", NOTIFY, notify_abstract,               \
      "a NOTIFY_SOCKET that begins with @ is an abstract one")                                     \
    X(WATCHDOG, "systemd.watchdog", "Under systemd", NOTIFY, watchdog,                             \
      "WATCHDOG=1 is sent at least once in WATCHDOG_USEC, sessions or not")                        \
    X(WATCHDOG_DRAINS, "systemd.watchdog-draining", "Under systemd", WATCHDOG, watchdog_drains,    \
      "so it is while the worker drains")

#define RULES_OF_CONNECTIONS(X)                                                                    \
    X(ANSWER, "connections.answer", "Connections", READY, answer,                                  \
      "a connection is acknowledged within 5 seconds if a place is free")                          \
    X(KNOWN, "connections.known", "Connections", END, session,                                     \
      "only identifiers of connections that were sent are sent back")                              \
    X(ONCE, "connections.once", "Connections", END, session, "a connection is answered once")      \
    X(EARLY, "connections.early", "Connections", END, early,                                       \
      "a session begins after its ACKNOWLEDGE")                                                    \
    X(GIVEN_UP, "connections.given-up", "Connections", RING_CLOSED, given_up,                      \
      "a connection whose ACKNOWLEDGE cannot be sent is closed, and nothing written to it")        \
    X(END, "connections.end", "Connections", ANSWER, end,                                          \
      "ENDED follows when the session is over")                                                    \
    X(END_UNACKNOWLEDGED, "connections.end-unacknowledged", "Connections", END, session,           \
      "only what was acknowledged ends")                                                           \
    X(END_ONCE, "connections.end-once", "Connections", END, session, "ENDED is sent once")         \
    X(CLOSED, "connections.closed", "Connections", END, session,                                   \
      "the descriptor is closed before ENDED is sent")                                             \
    X(PLACE, "connections.place", "Connections", END, place,                                       \
      "a place is free when its ENDED is sent")                                                    \
    X(FULL, "connections.full", "Connections", END, full,                                          \
      "a connection for which there is no place is refused")                                       \
    X(REFUSED, "connections.refused", "Connections", FULL, full,                                   \
      "a connection that is refused is closed, and nothing written to it")                         \
    X(MANY, "connections.many", "Connections", END, many, "a message may bring 16 connections")    \
    X(TEXTS, "connections.texts", "The channel", END, texts,                                       \
      "tags and notes of 0 to 1024 bytes are read with their padding")                             \
    X(ADDRESSES, "connections.addresses", "The channel", END, addresses,                           \
      "addresses may be of any family, or unknown")                                                \
    X(FLAGS, "connections.flags", "The channel", END, flags,                                       \
      "unknown flags of a connection are ignored")                                                 \
    X(DELAY, "connections.delay", "Connections", END, delay,                                       \
      "no session delays the reading of the channel")                                              \
    X(FEWER, "connections.fewer", "Connections", END, fewer,                                       \
      "records without a descriptor are refused")                                                  \
    X(DEBUG_MASK, "connections.debug", "Connections", END, debug_mask, "DEBUG may come at any time")

#define RULES_OF_THE_RING(X)                                                                       \
    X(RING_ONLY, "ring.only", "The ring", END, session,                                            \
      "with a ring, no message tells of connections")                                              \
    X(RING_ENTRY, "ring.entry", "The ring", END, session,                                          \
      "entries have the type and the identifier of what is told")                                  \
    X(RING_TAIL, "ring.tail", "The ring", END, wrap,                                               \
      "the tail counts the entries, of which there are no more than fit")                          \
    X(RING_CLOSED, "ring.closed", "The ring", END, ring_closed,                                    \
      "a ring that is closed stays so: the tail is moved by compare-and-swap")                     \
    X(RING_FD, "ring.descriptor", "The ring", END, ring_descriptor,                                \
      "the ring's descriptor is closed when it is mapped")                                         \
    X(NEWS_ANSWER, "ring.news-answer", "The ring", END, news_answer,                               \
      "NEWS follows ACKNOWLEDGE if bit 0 of wanted is set")                                        \
    X(NEWS_END, "ring.news-end", "The ring", END, news_end,                                        \
      "NEWS follows ENDED if bit 1 of wanted is set")                                              \
    X(NEWS_UNREAD, "ring.news-unread", "The ring", END, news_unread,                               \
      "NEWS follows ENDED if its ACKNOWLEDGE has not been read")                                   \
    X(NEWS_LATER, "ring.news-later", "The ring", END, news_later,                                  \
      "NEWS follows an ENDED that is not read")                                                    \
    X(NEWS_REFUSE, "ring.news-refuse", "The ring", FULL, news_refuse, "NEWS follows REFUSE")       \
    X(NEWS_DRAINING, "ring.news-draining", "The ring", TERM_IDLE, news_draining,                   \
      "NEWS follows DRAINING")                                                                     \
    X(NEWS_DRAINS, "ring.news-drains", "The ring", DRAIN_SESSIONS, news_drains,                    \
      "NEWS follows ENDED of a worker that drains")                                                \
    X(NEWS_ONCE, "ring.news-once", "The ring", END, news_once,                                     \
      "NEWS is sent only if poked was 0, and sets it to 1")

#define RULES_OF_DRAINING(X)                                                                       \
    X(DRAIN_IDLE, "drain.idle", "Draining and the end", END, drain_idle,                           \
      "DRAIN ends a worker without sessions at once, with status 0")                               \
    X(DRAIN_SESSIONS, "drain.sessions", "Draining and the end", DRAIN_IDLE, drain_sessions,        \
      "a worker that drains ends after its last session")                                          \
    X(DRAIN_REFUSES, "drain.refuses", "Draining and the end", DRAIN_IDLE, drain_refuses,           \
      "a worker that drains takes no connection")                                                  \
    X(DRAIN_LIMIT, "drain.limit", "Draining and the end", DRAIN_IDLE, drain_limit,                 \
      "sessions are cut at the limit of DRAIN; the status is not 0 then")                          \
    X(DRAIN_EARLIER, "drain.earlier", "Draining and the end", DRAIN_LIMIT, drain_earlier,          \
      "a second limit counts if it is earlier")                                                    \
    X(DRAIN_LATER, "drain.later", "Draining and the end", DRAIN_LIMIT, drain_later,                \
      "a second limit does not count if it is later")                                              \
    X(STOP_IDLE, "stop.idle", "Draining and the end", DRAIN_IDLE, stop_idle,                       \
      "STOP ends a worker without sessions at once, with status 0")                                \
    X(STOP_SESSIONS, "stop.sessions", "Draining and the end", STOP_IDLE, stop_sessions,            \
      "a worker that was told to stop ends after its last session")                                \
    X(STOP_LIMIT, "stop.limit", "Draining and the end", STOP_IDLE, stop_limit,                     \
      "sessions are cut at the limit of STOP; the status is not 0 then")                           \
    X(STOP_AND_DRAIN, "stop.drain", "Draining and the end", STOP_SESSIONS, stop_and_drain,         \
      "STOP may follow DRAIN, and DRAIN may follow STOP")                                          \
    X(EOF_IDLE, "end-of-file.idle", "Draining and the end", END, eof_idle,                         \
      "the end of the channel ends a worker without sessions, with status 0")                      \
    X(EOF_SESSIONS, "end-of-file.sessions", "Draining and the end", EOF_IDLE, eof_sessions,        \
      "sessions are finished after the end of the channel")                                        \
    X(EOF_LIMIT, "end-of-file.limit", "Draining and the end", EOF_IDLE, eof_limit,                 \
      "sessions are cut DRAIN_LIMIT after the end of the channel; the status is not 0 then")       \
    X(EOF_RESET, "end-of-file.reset", "Draining and the end", EOF_IDLE, eof_reset,                 \
      "ECONNRESET is not the end: what was sent before is still read")                             \
    X(TERM_IDLE, "sigterm.idle", "Draining and the end", END, term_idle,                           \
      "SIGTERM is answered by DRAINING, and ends a worker without sessions, with status 0")        \
    X(TERM_SESSIONS, "sigterm.sessions", "Draining and the end", TERM_IDLE, term_sessions,         \
      "sessions are finished after SIGTERM")                                                       \
    X(TERM_REFUSES, "sigterm.refuses", "Draining and the end", TERM_IDLE, term_refuses,            \
      "after DRAINING connections are refused")                                                    \
    X(TERM_LIMIT, "sigterm.limit", "Draining and the end", TERM_IDLE, term_limit,                  \
      "sessions are cut DRAIN_LIMIT after SIGTERM; the status is not 0 then")                      \
    X(TERM_QUIET, "sigterm.draining", "Draining and the end", TERM_IDLE, term_quiet,               \
      "a worker that drains already does not say DRAINING at SIGTERM, nor twice")                  \
    X(TERM_TWICE, "sigterm.twice", "Draining and the end", TERM_IDLE, term_twice,                  \
      "a second SIGTERM ends the process at once, with its default action")

#define RULES_OF_THE_REST(X)                                                                       \
    X(ADOPT, "adopt.ready", "A new dispatcherd", END, adopt,                                       \
      "ADOPT is answered by READY, or ends the worker")                                            \
    X(ADOPT_HELD, "adopt.held", "A new dispatcherd", ADOPT, adopt_held,                            \
      "HELD has each connection as it was sent, and nothing else comes before READY")              \
    X(ADOPT_END, "adopt.end", "A new dispatcherd", ADOPT, adopt_end,                               \
      "connections of HELD end by ENDED, in the new ring if there is one")                         \
    X(ADOPT_DRAINING, "adopt.draining", "A new dispatcherd", ADOPT, adopt_draining,                \
      "a worker that drains says DRAINING after READY")                                            \
    X(ADOPT_ANSWER, "adopt.answer", "A new dispatcherd", ADOPT, adopt_answer,                      \
      "each answer to ADOPT begins with its number, if HELLO had ANSWER=1")                        \
    X(LOG_REPLACED, "log.replaced", "Another log file", END, log_replaced,                         \
      "LOG replaces the log file")                                                                 \
    X(STRESS, "stress.both", "Stress", END, stress, "STRESS may come at any time")                 \
    X(ALERT_ASKED, "alert.asked", "Back ends", END, alert_asked,                                   \
      "ALERT goes only to a dispatcherd that knows it")                                            \
    X(ALERT_TEXT, "alert.text", "Back ends", END, alert_text,                                      \
      "ALERT has the string TEXT of at most 255 bytes, or none")                                   \
    X(PASS_ASKED, "pass.asked", "Connections that are passed on", END, session,                    \
      "PUT_OFF and PASSED_ON come only from a worker that had PASS=1 in its HELLO")                \
    X(FAULT_TYPE, "faults.type", "Faults", EOF_IDLE, fault_type,                                   \
      "a message of an unknown type shuts the channel down")                                       \
    X(FAULT_OWN, "faults.own", "Faults", FAULT_TYPE, fault_own,                                    \
      "so does one of a type that only workers send")                                              \
    X(FAULT_CUT, "faults.cut", "Faults", FAULT_TYPE, fault_cut,                                    \
      "so does one that is shorter than a header")                                                 \
    X(FAULT_LONG, "faults.long", "Faults", FAULT_TYPE, fault_long,                                 \
      "so does one that is longer than 65536 bytes")                                               \
    X(FAULT_COUNT, "faults.count", "Faults", FAULT_TYPE, fault_count,                              \
      "so does one with fewer connections than it says")                                           \
    X(FAULT_TEXT, "faults.text", "Faults", FAULT_TYPE, fault_text,                                 \
      "so does one with a connection that is longer than the packet")                              \
    X(FAULT_SESSIONS, "faults.sessions", "Faults", FAULT_TYPE, fault_sessions,                     \
      "sessions are finished after that, and the worker ends")

#define RULES(X)                                                                                   \
    RULES_OF_THE_GREETING(X)                                                                       \
    RULES_OF_THE_CHANNEL(X)                                                                        \
    RULES_OF_CONNECTIONS(X)                                                                        \
    RULES_OF_THE_RING(X)                                                                           \
    RULES_OF_DRAINING(X)                                                                           \
    RULES_OF_SYSTEMD(X)                                                                            \
    RULES_OF_THE_REST(X)

enum rule_id {
#define RULE_ID(id, name, section, base, scene, sentence) RULE_##id,
    RULES(RULE_ID)
#undef RULE_ID
    N_RULES
};

struct rule {
    const char *name;
    const char *section;
    const char *sentence;
    enum rule_id base; /* itself: it builds on none */
};

const struct rule *rule_of(enum rule_id id);

/* N_RULES if there is no rule of that name. */
enum rule_id rule_find(const char *name);
