#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# What one module owns, and others only read or ask it for: the fields of a pool, of a service, of a
# worker, of a connection, and the daemon's lines for the log.
set -u

top=$(cd "${srcdir:-.}" && pwd)

# An assignment of any kind to a member that is reached through $1, which is a regular expression.
written='(\[[^]]*\])?(\.[a-z_]+|\[[^]]*\])*[[:space:]]*([-+*/|&^]?=[^=]|<<=|>>=|\+\+|--)'

# Prints "STRUCT FIELD OWNER..." for each field of struct $2 in header $1, in which a comment that
# begins with files' names, or ends a field's line and is nothing else, says by whom it is written.
# The owner "-" is nobody: the header does not say.
fields_of()
{
    awk -v struct="$2" '
        $0 == "struct " struct " {" { inside = 1; owners = "-"; next }
        /^};/ { inside = 0 }
        !inside || /^ *$/ { next }
        /^ *\/\* [a-z_\/]+\.c(, [a-z_\/]+\.c)* \*\/$/ {
            owners = $0
            gsub(/[\/*,]* |\*\//, " ", owners)
            next
        }
        /^ *\/\* Parts,/ { owners = "-"; next }
        /^ *(\/\*|\*)/ { next }
        /;/ {
            line = $0
            mine = owners
            if (match(line, /\/\* [a-z_\/]+\.c \*\/$/))
                mine = substr(line, RSTART + 3, RLENGTH - 6)
            sub(/;.*/, "", line)
            if (line ~ /\(\*/) {
                sub(/\).*/, "", line)
            } else if (line ~ /\(/) {
                sub(/.*\) */, "", line)
            }
            gsub(/\[[^]]*\]/, "", line)
            sub(/.*[ *]/, "", line)
            print struct, line, mine
        }
    ' "$1"
}

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
        for struct in service worker connection; do
            fields_of "dispatcherd/core/$struct.h" "$struct"
        done | field_breaches
    )
}

# Reads what fields_of() prints. A field is written by an assignment, as the target of a function
# that fills it, or through a pointer to it that is not const.
field_breaches()
{
    local struct field owners owner access
    local -a except
    while read -r struct field owners; do
        [ "$owners" != - ] || echo "$struct.h does not say who writes $field"
        except=()
        for owner in $owners; do
            except+=(-e "^dispatcherd/$owner:")
        done
        access="\b$struct->$field"
        grep -rnE -e "$access$written" -e "(\+\+|--)[a-z_>.-]*$access\b" \
            -e "\b(v?snprintf|memcpy|memset|strcpy)\([a-z_>.-]*$access\b" \
            -e "(^|\() *struct [a-z_]+ \*[a-z_]+ = &[a-z_>.-]*$access(\[[^]]*\])?(\.[a-z_]+)*;" \
            --include='*.c' dispatcherd | grep -v "${except[@]}" |
            sed "s/^/$field of a $struct is written: /"
    done
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
for struct in worker connection; do
    printf 'struct %s {\n    /* core/%s.c */\n    int fd;\n};\n' $struct $struct \
        >"$scratch/dispatcherd/core/$struct.h"
done
cat >"$scratch/dispatcherd/core/service.h" <<'END'
struct service {
    /* core/service.c, core/other.c */
    struct timer timer;
    void (*dispatch)(struct service *service); /* a call */
    TAILQ_HEAD(queue, check) checks;
    char text[20];

    /* Parts, each with a module of its own. */
    struct alerts alerts; /* core/alerts.c */
    int orphan;           /* of nobody */
};
END
cat >"$scratch/dispatcherd/core/field.c" <<'END'
    worker->service->alerts.of[SERVICE_ALERT_FULL].is_raised = true;
    service->dispatch = NULL;
    service->checks.n++;
    snprintf(service->text, sizeof(service->text), "x");
    struct alerts *alerts = &connection->service->alerts;
    const struct alerts *read = &service->alerts;
    if (service->dispatch == NULL && worker->fd <= 3)
        report(LOG_ERR, "%s", service->text);
    worker->fd = -1;
END
cp "$scratch/dispatcherd/core/field.c" "$scratch/dispatcherd/core/service.c"
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
alerts of a service is written: dispatcherd/core/field.c:1
alerts of a service is written: dispatcherd/core/field.c:5
alerts of a service is written: dispatcherd/core/service.c:1
alerts of a service is written: dispatcherd/core/service.c:5
checks of a service is written: dispatcherd/core/field.c:3
dispatch of a service is written: dispatcherd/core/field.c:2
fd of a worker is written: dispatcherd/core/field.c:9
fd of a worker is written: dispatcherd/core/service.c:9
service.h does not say who writes orphan
text of a service is written: dispatcherd/core/field.c:4
the pool is written: ./dispatcherd/core/planted.c:1
the pool is written: ./dispatcherd/core/planted.c:2
the pool is written: ./dispatcherd/core/planted.c:3
the pool is written: ./dispatcherd/core/planted.c:4'
if [ "$found" != "$expected" ]; then
    echo "FAILED: planted breaches were found as: $found" >&2
    exit 1
fi
