#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# Each module of the daemon has a unit test, or is driven by one that includes its header.
set -u
export LC_ALL=C

top=$(cd "${srcdir:-.}" && pwd)

# What the tests drive without its header, by another one; and what no unit test can drive. Each line
# has its reason.
exempt='
dispatcherd/checks/check_internal.h   shared by the files of checks/check.h, which test_check drives
dispatcherd/control/socket.h          the file of control/control.h: test_control has what may be in its place
dispatcherd/fleet/link_internal.h     shared by the files of fleet/link.h, which test_link drives
dispatcherd/run.h                     the daemon as a program, which the system tests run
dispatcherd/verify.h                  --check as a program, which the system tests run
dispatcherd/views/daemon.h            what control/methods.h is given, by the scene of its tests
dispatcherd/views/views.h             what control/methods.h answers: test_methods reads the answers
dispatcherd/worker/life_cells.h       the cells of worker/life.h: test_life has an entry for each
dispatcherd/worker/life_limit.h       the limits of worker/life.h: test_life has one for each state
'

# Prints the headers of the daemon below folder $1 that no source of a unit test in folder $2
# includes.
untested()
{
    comm -23 \
        <(cd "$1" && find dispatcherd -name '*.h' | sort) \
        <(find "$2" \( -path "$2/fuzz" -o -path "$2/bench" -o -path "$2/system" \) -prune -o \
            -name '*.[ch]' -exec grep -ohE '^#include "dispatcherd/[^"]+"' {} + |
            cut -d '"' -f 2 | sort -u)
}

# Compares that with the list $3, of which each line begins with a header.
faults()
{
    diff <(untested "$1" "$2") <(printf '%s' "$3" | awk 'NF { print $1 }' | sort) |
        sed -n 's/^< \(.*\)/\1 is included by no unit test/p
                s/^> \(.*\)/\1 is listed here, but has a test or is not there/p'
}

found=$(faults "$top/src" "$top/tests" "$exempt")
if [ -n "$found" ]; then
    echo "FAILED:" >&2
    echo "$found" >&2
    exit 1
fi
if printf '%s' "$exempt" | awk 'NF == 1' | grep -q .; then
    echo "FAILED: an exemption has no reason" >&2
    exit 1
fi

# What it is to find, it finds.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{src/dispatcherd/core,tests/dispatcherd,tests/system}
touch "$scratch"/src/dispatcherd/core/{tested,untested,only_in_system}.h
echo '#include "dispatcherd/core/tested.h"' >"$scratch/tests/dispatcherd/test_tested.c"
echo '#include "dispatcherd/core/only_in_system.h"' >"$scratch/tests/system/worker.c"
expected='dispatcherd/core/only_in_system.h is included by no unit test
dispatcherd/core/untested.h is included by no unit test
dispatcherd/core/gone.h is listed here, but has a test or is not there'
found=$(faults "$scratch/src" "$scratch/tests" '
dispatcherd/core/gone.h   it is not there
' | sort)
if [ "$found" != "$(sort <<<"$expected")" ]; then
    echo "FAILED: planted faults were found as: $found" >&2
    exit 1
fi
