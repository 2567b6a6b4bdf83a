#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# The manual: man(1) has nothing to complain about, and what dispatcherd-journal(7) tells people to
# type names what the sources have.
set -u

top=${srcdir:-.}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

die()
{
    echo "FAILED: $*" >&2
    exit 1
}

for page in "$top"/man/*.[1-8]; do
    command -v man >/dev/null || break
    MANWIDTH=80 man --warnings -l "$page" >/dev/null 2>"$scratch/warnings" </dev/null
    [ ! -s "$scratch/warnings" ] || die "$page: $(cat "$scratch/warnings")"
done

page=$top/man/dispatcherd-journal.7
sed 's/\\-/-/g' "$page" >"$scratch/page"
grep -oE '\b[0-9a-f]{32}\b' "$scratch/page" | sort -u >"$scratch/ids"
[ -s "$scratch/ids" ] || die "no identifiers in $page"
while read -r id; do
    grep -q "\"$id\"" "$top/src/dispatcherd/report/message_ids.h" || die "no event has the identifier $id"
done <"$scratch/ids"

grep -oE 'DISPATCHER_[A-Z_]+' "$scratch/page" | sort -u >"$scratch/fields"
[ -s "$scratch/fields" ] || die "no fields in $page"
while read -r field; do
    grep -q "\"$field=" "$top/src/dispatcherd/report/report.c" || die "the daemon has no field $field"
done <"$scratch/fields"

# The bits that it speaks of: "bit 9, 16%200".
grep -oE 'bit [0-9]+(\)| of DEBUG)?, 16%[0-9A-Fa-f]+' -i "$scratch/page" |
    sed -E 's/[^0-9]*([0-9]+).*16%/\1 /' >"$scratch/bits"
[ -s "$scratch/bits" ] || die "no bits in $page"
while read -r bit mask; do
    [ $((1 << bit)) -eq $((16#$mask)) ] || die "bit $bit is not 16%$mask"
    grep -qiE "^#define DEBUG_[A-Z_]+ +0x0*${mask}u" "$top/src/protocol/debug.h" ||
        die "there is no bit $bit"
done <"$scratch/bits"

# The words of decisions, but for those that only say why nothing is done yet.
# strings_of FILE FUNCTION: the texts of the table in that function.
strings_of()
{
    sed -n "/^const char \*$2(/,/^}/p" "$top/src/$1" |
        grep -vE 'REASON_(NONE|NOTHING_DUE|START_DELAYED)\]' | sed -nE 's/^ *\[[A-Z_]+\] = "(.*)",$/\1/p'
}
sed -e 's/\\-/-/g' -e 's/\\f[BR]//g' "$top/man/dispatcherctl.1" >"$scratch/page"
for table in 'pool/policy.c decision_reason_to_string' 'pool/policy.c accept_verdict_to_string' \
    'statistics/statistics.c statistics_rejection_to_string'; do
    # shellcheck disable=SC2086 # two words are meant
    strings_of $table >"$scratch/words"
    [ "$(wc -l <"$scratch/words")" -ge 5 ] || die "no words of $table"
    while read -r words; do
        grep -qE "^\.B (.*, )?$words(,.*)?$" "$scratch/page" || die "dispatcherctl(1) does not explain '$words'"
    done <"$scratch/words"
done
echo 'all passed'
