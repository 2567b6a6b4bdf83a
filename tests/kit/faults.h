/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The faults of faulty_worker, and the rule of dispatcher-worker-test(1) that each breaks: one for
 * every rule at least. */
#pragma once

/* X(identifier, name, 1 if the worker has a ring, rule) */
#define FAULTS(X)                                                                                  \
    X(NONE, "none", 0, "")                                                                         \
    X(NONE_RING, "none-ring", 1, "")                                                               \
    X(FEW_PLACES, "few-places", 0, "")                                                             \
    X(NO_VERSION_MAX, "no-version-max", 0, "greeting.hello")                                       \
    X(READY_FIRST, "ready-first", 0, "greeting.waits")                                             \
    X(NOT_READY, "not-ready", 0, "greeting.ready")                                                 \
    X(NO_PLACES, "no-places", 0, "greeting.places")                                                \
    X(TOO_MANY_PLACES, "too-many-places", 1, "greeting.places")                                    \
    X(ANY_VERSION, "any-version", 0, "greeting.version")                                           \
    X(CONTENT, "content", 0, "greeting.closed")                                                    \
    X(NO_LOG_FILE, "no-log-file", 1, "greeting.log-file")                                          \
    X(UNKNOWN_TYPE, "unknown-type", 0, "channel.message")                                          \
    X(GARBAGE, "garbage", 0, "channel.message")                                                    \
    X(HELLO_TWICE, "hello-twice", 0, "channel.order")                                              \
    X(READY_TWICE, "ready-twice", 0, "channel.order")                                              \
    X(SENDS_DESCRIPTORS, "sends-descriptors", 0, "channel.descriptors")                            \
    X(INHERITED, "inherited", 0, "channel.close-on-exec")                                          \
    X(NO_LISTEN_PID, "no-listen-pid", 0, "channel.environment")                                    \
    X(VERSION_FIRST, "version-first", 0, "channel.strings")                                        \
    X(SHORT_BUFFER, "short-buffer", 0, "channel.long")                                             \
    X(DROPS, "drops", 0, "channel.full")                                                           \
    X(NO_NOTIFY, "no-notify", 0, "systemd.ready")                                                  \
    X(EARLY_NOTIFY, "early-notify", 0, "systemd.ready")                                            \
    X(NO_ABSTRACT, "no-abstract", 0, "systemd.abstract")                                           \
    X(NO_WATCHDOG, "no-watchdog", 0, "systemd.watchdog")                                           \
    X(UNWATCHED_DRAIN, "unwatched-drain", 0, "systemd.watchdog-draining")                          \
    X(SILENT, "silent", 1, "connections.answer")                                                   \
    X(STRANGER, "stranger", 0, "connections.known")                                                \
    X(ACKNOWLEDGES_TWICE, "acknowledges-twice", 0, "connections.once")                             \
    X(SERVES_EARLY, "serves-early", 0, "connections.early")                                        \
    X(SERVES_ANYWAY, "serves-anyway", 1, "connections.given-up")                                   \
    X(NO_END, "no-end", 0, "connections.end")                                                      \
    X(ENDS_EARLY, "ends-early", 0, "connections.end-unacknowledged")                               \
    X(ENDS_TWICE, "ends-twice", 0, "connections.end-once")                                         \
    X(CLOSES_LATE, "closes-late", 0, "connections.closed")                                         \
    X(FREES_LATE, "frees-late", 0, "connections.place")                                            \
    X(OVERFULL, "overfull", 1, "connections.full")                                                 \
    X(SPEAKS_TO_REFUSED, "speaks-to-refused", 0, "connections.refused")                            \
    X(ONE_DESCRIPTOR, "one-descriptor", 0, "connections.many")                                     \
    X(NO_PADDING, "no-padding", 0, "connections.texts")                                            \
    X(ONE_FAMILY, "one-family", 0, "connections.addresses")                                        \
    X(NO_FLAGS, "no-flags", 0, "connections.flags")                                                \
    X(ONE_AT_A_TIME, "one-at-a-time", 0, "connections.delay")                                      \
    X(TAKES_NOTHING, "takes-nothing", 0, "connections.fewer")                                      \
    X(NO_DEBUG, "no-debug", 0, "connections.debug")                                                \
    X(BOTH_WAYS, "both-ways", 1, "ring.only")                                                      \
    X(BAD_ENTRY, "bad-entry", 1, "ring.entry")                                                     \
    X(BAD_TAIL, "bad-tail", 1, "ring.tail")                                                        \
    X(STORES_TAIL, "stores-tail", 1, "ring.closed")                                                \
    X(KEEPS_RING, "keeps-ring", 1, "ring.descriptor")                                              \
    X(NO_NEWS_ANSWER, "no-news-answer", 1, "ring.news-answer")                                     \
    X(NO_NEWS_END, "no-news-end", 1, "ring.news-end")                                              \
    X(NO_NEWS_UNREAD, "no-news-unread", 1, "ring.news-unread")                                     \
    X(NO_NEWS_LATER, "no-news-later", 1, "ring.news-later")                                        \
    X(NO_NEWS_REFUSE, "no-news-refuse", 1, "ring.news-refuse")                                     \
    X(NO_NEWS_DRAINING, "no-news-draining", 1, "ring.news-draining")                               \
    X(NO_NEWS_DRAINS, "no-news-drains", 1, "ring.news-drains")                                     \
    X(NEWS_EVER, "news-ever", 1, "ring.news-once")                                                 \
    X(NO_DRAIN, "no-drain", 0, "drain.idle")                                                       \
    X(CUTS_AT_DRAIN, "cuts-at-drain", 0, "drain.sessions")                                         \
    X(TAKES_AT_DRAIN, "takes-at-drain", 0, "drain.refuses")                                        \
    X(NO_LIMIT, "no-limit", 0, "drain.limit")                                                      \
    X(CLEAN_LIMIT, "clean-limit", 1, "drain.limit")                                                \
    X(FIRST_LIMIT, "first-limit", 0, "drain.earlier")                                              \
    X(LAST_LIMIT, "last-limit", 0, "drain.later")                                                  \
    X(NO_STOP, "no-stop", 0, "stop.idle")                                                          \
    X(CUTS_AT_STOP, "cuts-at-stop", 0, "stop.sessions")                                            \
    X(NO_STOP_LIMIT, "no-stop-limit", 0, "stop.limit")                                             \
    X(ONE_ORDER, "one-order", 0, "stop.drain")                                                     \
    X(FAILS_AT_EOF, "fails-at-eof", 0, "end-of-file.idle")                                         \
    X(CUTS_AT_EOF, "cuts-at-eof", 1, "end-of-file.sessions")                                       \
    X(NO_EOF_LIMIT, "no-eof-limit", 0, "end-of-file.limit")                                        \
    X(STOPS_AT_RESET, "stops-at-reset", 0, "end-of-file.reset")                                    \
    X(NO_TERM, "no-term", 0, "sigterm.idle")                                                       \
    X(CUTS_AT_TERM, "cuts-at-term", 0, "sigterm.sessions")                                         \
    X(TAKES_AT_TERM, "takes-at-term", 0, "sigterm.refuses")                                        \
    X(NO_TERM_LIMIT, "no-term-limit", 0, "sigterm.limit")                                          \
    X(DRAINING_TWICE, "draining-twice", 1, "sigterm.draining")                                     \
    X(NO_SECOND_TERM, "no-second-term", 0, "sigterm.twice")                                        \
    X(NO_ADOPT, "no-adopt", 0, "adopt.ready")                                                      \
    X(HOLDS_ONE, "holds-one", 1, "adopt.held")                                                     \
    X(HOLDS_TOO_MUCH, "holds-too-much", 0, "adopt.held")                                           \
    X(OLD_RING, "old-ring", 1, "adopt.end")                                                        \
    X(ADOPTED_QUIETLY, "adopted-quietly", 0, "adopt.draining")                                     \
    X(NO_ANSWER, "no-answer", 0, "adopt.answer")                                                   \
    X(ONE_ANSWER, "one-answer", 1, "adopt.answer")                                                 \
    X(NO_NEW_LOG, "no-new-log", 0, "log.replaced")                                                 \
    X(NO_STRESS, "no-stress", 0, "stress.both")                                                    \
    X(ALERTS_UNASKED, "alerts-unasked", 0, "alert.asked")                                          \
    X(ALERTS_LOUDLY, "alerts-loudly", 0, "alert.text")                                             \
    X(PASSES_UNASKED, "passes-unasked", 0, "pass.asked")                                           \
    X(IGNORES_TYPES, "ignores-types", 0, "faults.type")                                            \
    X(IGNORES_OWN, "ignores-own", 0, "faults.own")                                                 \
    X(IGNORES_CUT, "ignores-cut", 0, "faults.cut")                                                 \
    X(IGNORES_LONG, "ignores-long", 0, "faults.long")                                              \
    X(IGNORES_COUNT, "ignores-count", 0, "faults.count")                                           \
    X(IGNORES_TEXT, "ignores-text", 0, "faults.text")                                              \
    X(FAILS_AT_FAULT, "fails-at-fault", 0, "faults.sessions")

enum fault {
#define FAULT_ID(id, name, ring, rule) FAULT_##id,
    FAULTS(FAULT_ID)
#undef FAULT_ID
};
