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
access control_client dns generator import libdispatcher mapping recording
dispatcherd/process dispatcherd/report simulate
dispatcherd/config dispatcherd/recorder dispatcherd/store
dispatcherd/sockets
dispatcherd/core
dispatcherd/alerts dispatcherd/fleet dispatcherd/limits
dispatcherd/checks dispatcherd/messages
dispatcherd/worker
dispatcherd/service
dispatcherd/views
dispatcherd/control
dispatcherctl/views kit/play web/page
dispatcherctl/query kit/scenes
dispatcherctl/hosts dispatcherctl/plan dispatcherctl/simulate
dispatcherd dispatcherctl kit web workers
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
                # A folder that is divided into rooms has no others below it.
                name = path
                sub(/\/.*/, "", name)
                if (name in is_divided) {
                    name = path
                    sub(/\/[^\/]*$/, "", name)
                }
                return name
            }
            BEGIN {
                n = split(rooms, lines, "\n")
                for (i = 1; i <= n; i++) {
                    m = split(lines[i], names, " ")
                    for (j = 1; j <= m; j++) {
                        rank[names[j]] = i
                        if (sub(/\/.*/, "", names[j]))
                            is_divided[names[j]] = 1
                    }
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

# A room can be read in an afternoon: prints each that has more lines than that. The mapping language
# is one thing.
too_large()
{
    local folder n

    while read -r folder; do
        n=$(cat "$folder"/*.[ch] 2>/dev/null | wc -l)
        [ "$n" -le 3000 ] || [ "$folder" = "$1/mapping" ] || echo "$folder has $n lines, not 3000"
    done < <(find "$1" -type d)
}

found=$(too_large "$top/src")
if [ -n "$found" ]; then
    echo "FAILED: $found" >&2
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
seq 3001 >"$scratch/pool/long.c"
mkdir "$scratch/mapping"
seq 3001 >"$scratch/mapping/long.c"
found=$(too_large "$scratch")
if [ "$found" != "$scratch/pool has 3002 lines, not 3000" ]; then
    echo "FAILED: a room that is too large was found as: $found" >&2
    exit 1
fi
rm "$scratch/pool/long.c" "$scratch/mapping/long.c"
expected='base/nowhere.c: no rank for the room of attic/box.h
dispatcherd/core/upward.c includes dispatcherd/service/listener.h, which is not below it
pool/sideways.c includes config/option.h, which is not below it'
found=$(breaches "$scratch" few | sort)
if [ "$found" != "$expected" ]; then
    echo "FAILED: planted breaches were found as: $found" >&2
    exit 1
fi
