#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# What one module owns, and others only read or ask it for: the fields of a pool, the daemon's lines
# for the log.
set -u

top=$(cd "${srcdir:-.}" && pwd)

# An assignment of any kind to a member that is reached through $1, which is a regular expression.
written='(\[[^]]*\])?(\.[a-z_]+|\[[^]]*\])*[[:space:]]*([-+*/|&^]?=[^=]|<<=|>>=|\+\+|--)'

# Prints what is done below folder $1 by somebody to whom it does not belong.
breaches()
{
    (
        cd "$1" || exit
        # The pool's counters are true because pool.c alone writes them.
        grep -rnE "(\+\+|--)?\bpool->[a-z_]+$written|(\+\+|--)[a-z_>.-]*\bpool->" --include='*.c' . |
            grep -v '^\./pool/' | sed 's/^/the pool is written: /'
        # Who follows the events gets every line of the log, if report.h has made it.
        grep -rnE '\blog_(line|line_v|err|warning|notice|info|debug)\(' --include='*.c' dispatcherd |
            grep -v '^dispatcherd/report/' | sed 's/^/a line goes past report.h: /'
    )
}

found=$(breaches "$top/src")
if [ -n "$found" ]; then
    echo "FAILED:" >&2
    echo "$found" >&2
    exit 1
fi

# What it is to find, it finds; reading is nobody's fault.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{pool,dispatcherd/report,dispatcherd/core}
cat >"$scratch/dispatcherd/core/planted.c" <<'END'
    service->pool->is_stopping = true;
    pool->n_active++;
    --service->pool->n_waiting;
    pool->workers[slot].is_blocked |= true;
    log_err("a line");
    if (pool->n_active == 0 || pool->workers[slot].n_active <= 3)
        report(LOG_ERR, "a line");
END
cp "$scratch/dispatcherd/core/planted.c" "$scratch/pool/pool.c"
echo 'log_line(priority, fields, 0, "");' >"$scratch/dispatcherd/report/report.c"
found=$(breaches "$scratch" | sed 's/:[^:]*$//' | sort)
expected='a line goes past report.h: dispatcherd/core/planted.c:5
the pool is written: ./dispatcherd/core/planted.c:1
the pool is written: ./dispatcherd/core/planted.c:2
the pool is written: ./dispatcherd/core/planted.c:3
the pool is written: ./dispatcherd/core/planted.c:4'
if [ "$found" != "$expected" ]; then
    echo "FAILED: planted breaches were found as: $found" >&2
    exit 1
fi
