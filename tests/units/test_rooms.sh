#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# The rooms of src/: a file includes headers of its own room and of those below it only, so that what
# is below never knows who acts on it.
set -u

top=$(cd "${srcdir:-.}" && pwd)

# From the bottom; those of one line know nothing of each other.
rooms='
base
files
config pool protocol statistics varlink
access control_client generator libdispatcher mapping
dispatcherd/report
dispatcherd/store
dispatcherd/core
dispatcherd/checks
dispatcherd/worker
dispatcherd/service
dispatcherd/control
dispatcherd dispatcherctl web workers
'

# Prints each #include of the sources below folder $1 that points up or sideways, and each room that
# has no rank.
breaches()
{
    (cd "$1" && find . -name '*.[ch]' -exec grep -HE '^#include "' {} + | sed 's|^\./||') |
        awk -v rooms="$rooms" '
            function room_of(path,  name) {
                # Public headers of the library stand in a folder of their own.
                if (path ~ /^(libdispatcher\/include\/)?dispatcher\//)
                    return "libdispatcher"
                name = path
                if (path ~ /^dispatcherd\/[a-z_]+\//)
                    sub(/\/[^\/]*$/, "", name)
                else
                    sub(/\/.*/, "", name)
                return name
            }
            BEGIN {
                n = split(rooms, lines, "\n")
                for (i = 1; i <= n; i++) {
                    m = split(lines[i], names, " ")
                    for (j = 1; j <= m; j++)
                        rank[names[j]] = i
                }
            }
            {
                colon = index($0, ":")
                file = substr($0, 1, colon - 1)
                split($0, quoted, "\"")
                from = room_of(file)
                to = room_of(quoted[2])
                if (!(from in rank) || !(to in rank))
                    print file ": no rank for the room of " (from in rank ? quoted[2] : file)
                else if (from != to && rank[to] >= rank[from])
                    print file " includes " quoted[2] ", which is not below it"
                n_seen++
            }
            END { if (n_seen < 10 && !few) print "only " n_seen " includes were looked at" }
        ' few="${2-}"
}

found=$(breaches "$top/src")
if [ -n "$found" ]; then
    echo "FAILED:" >&2
    echo "$found" >&2
    exit 1
fi

# The files that HACKING.md and README.md name are there.
while read -r name; do
    find "$top/src" "$top/tests" "$top/units" -path "*/$name" | grep -q . || {
        echo "FAILED: HACKING.md or README.md names $name, which is not there" >&2
        exit 1
    }
done < <(grep -ohE '[A-Za-z0-9_./]+\.(c|h|sh|py|mk|map|varlink|catalog)\b' \
    "$top/HACKING.md" "$top/README.md" | sort -u)

# What it is to find, it finds.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{base,config,pool,dispatcherd/core}
echo '#include "dispatcherd/service/listener.h"' >"$scratch/dispatcherd/core/upward.c"
echo '#include "config/option.h"' >"$scratch/pool/sideways.c"
echo '#include "attic/box.h"' >"$scratch/base/nowhere.c"
echo '#include "base/str.h"' >"$scratch/config/downward.c"
expected='base/nowhere.c: no rank for the room of attic/box.h
dispatcherd/core/upward.c includes dispatcherd/service/listener.h, which is not below it
pool/sideways.c includes config/option.h, which is not below it'
found=$(breaches "$scratch" few | sort)
if [ "$found" != "$expected" ]; then
    echo "FAILED: planted breaches were told of as: $found" >&2
    exit 1
fi
