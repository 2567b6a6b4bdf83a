#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# The library exports exactly what its header declares, and the header can be included alone, from
# C of any standard since C99 and from C++.
set -eu
: "${srcdir:?the Makefile sets it}"
header=$srcdir/src/libdispatcher/include/dispatcher/worker.h

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

grep -o '\bdispatcher_[a-z_]*(' "$header" | tr -d '(' | sort -u >"$temporary/declared"
nm -D --defined-only .libs/libdispatcher.so | awk '$2 == "T" { sub("@.*", "", $3); print $3 }' |
    sort >"$temporary/exported"
nm -D --defined-only .libs/libdispatcher.so | grep -v ' [TA] ' && {
    echo "other symbols than functions are exported"
    exit 1
}
diff -u "$temporary/declared" "$temporary/exported"
test -s "$temporary/exported"

echo '#include <dispatcher/worker.h>' >"$temporary/alone.c"
# CC and CXX may be several words, such as "ccache gcc".
# shellcheck disable=SC2086
for standard in c99 c11 gnu17; do
    ${CC:-cc} -std=$standard -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
        -I"$srcdir/src/libdispatcher/include" "$temporary/alone.c"
done
# shellcheck disable=SC2086
set -- ${CXX:-c++}
if command -v "$1" >/dev/null; then
    cp "$temporary/alone.c" "$temporary/alone.cc"
    "$@" -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
        -I"$srcdir/src/libdispatcher/include" "$temporary/alone.cc"
else
    echo "no C++ compiler: that part is left out"
fi
