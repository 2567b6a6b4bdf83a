/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A pool to ask the policy about: workers with so many connections each, and the steps that the
 * daemon would take. Each expect_…() asks, checks the answer, and carries it out, as far as its
 * name says. */
#pragma once

#include "support/suite.h"

#include "base/macro.h"
#include "base/time.h"
#include "pool/policy.h"

extern struct pool pool;
extern struct pool_options options;
extern uint64_t now;

/* Empties the pool. Options that are 0 get values that forbid nothing: MAX_PROCS=5, MIN_CONNS=3,
 * MAX_CONNS=10, MAX_HANDOFFS=5, MAX_SHUTDOWN=2. */
void begin(struct pool_options with);
#define BEGIN(...) begin((struct pool_options){__VA_ARGS__})

/* A ready worker in the slot, started now, with n_conns acknowledged connections. */
void add_worker(unsigned slot, unsigned n_conns);
void add_workers(const unsigned n_conns[], size_t n_workers);

/* Two ready workers with 2 and 1 connections: WORKERS(2, 1). */
#define WORKERS(...)                                                                               \
    add_workers((const unsigned[]){__VA_ARGS__}, ELEMENTSOF(((const unsigned[]){__VA_ARGS__})))

struct decision ask(void);

void expect(enum decision_kind kind, enum decision_reason reason, unsigned slot);
void expect_wait(enum decision_reason reason, uint64_t until);
void expect_accept(enum accept_verdict verdict);

/* These go on to do what was decided. */
void expect_start(enum decision_reason reason, unsigned slot);
void expect_retire(enum decision_reason reason, unsigned slot);

/* One connection, from the backlog to the acknowledgement of the worker in the slot. */
void expect_served_by(unsigned slot);
