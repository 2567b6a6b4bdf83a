#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# Each source says under which licence it is, and whose it is, in its first lines.
set -u

top=$(cd "${srcdir:-.}" && pwd)

scripts=(bootstrap .ci/run packaging/debian/rules packaging/debian/tests/build-example
    packaging/debian/tests/by-hand packaging/debian/tests/under-systemd packaging/local.mk
    tests/bench/observers tests/bench/run tests/libdispatcher/extract_example
    tests/system/container tests/system/run)

# Prints the sources below folder $1 that lack either line. What make makes is none.
lacking()
{
    (
        cd "$1" || exit
        {
            find Makefile.am configure.ac src tests units -type f \
                -regex '.*\.\(c\|h\|py\|sh\|mk\|bash\|am\|ac\)' 2>/dev/null
            ls "${scripts[@]}" 2>/dev/null
        } | grep -v -e '^tests/fuzz/corpus/' -e '/control/descriptions\.c$' | xargs awk '
            FNR == 1 { if (NR > 1 && found < 2) print name; name = FILENAME; found = 0 }
            FNR <= 3 && /SPDX-License-Identifier: LGPL-2\.1-or-later/ { found++ }
            FNR <= 3 && /Copyright \(C\) dispatcherd contributors/ { found++ }
            FNR == 4 { nextfile }
            END { if (found < 2) print name }
        '
    )
}

found=$(lacking "$top")
if [ -n "$found" ]; then
    echo "FAILED: no licence or copyright in the first three lines of:" >&2
    echo "$found" >&2
    exit 1
fi

# What it is to find, it finds.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/src"
echo '#include "base/str.h"' >"$scratch/src/without.c"
printf '/* SPDX-License-Identifier: LGPL-2.1-or-later */\n' >"$scratch/src/half.h"
printf '#!/bin/sh\n' >"$scratch/bootstrap"
printf '# %s\n' 'SPDX-License-Identifier: LGPL-2.1-or-later' 'Copyright (C) dispatcherd contributors' \
    >"$scratch/src/with.py"
found=$(lacking "$scratch" | sort | tr '\n' ' ')
if [ "$found" != 'bootstrap src/half.h src/without.c ' ]; then
    echo "FAILED: planted sources were found as: $found" >&2
    exit 1
fi
