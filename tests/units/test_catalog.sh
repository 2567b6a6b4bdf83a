#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# The catalog: an entry for each identifier of message_ids.h and no other, a row of dispatcherd(8) for
# each, and no more than journalctl understands.
set -u

top=${srcdir:-.}
catalog=$top/units/dispatcherd.catalog
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

die()
{
    echo "FAILED: $*" >&2
    exit 1
}

grep -ohE '"[0-9a-f]{32}"' "$top/src/dispatcherd/report/message_ids.h" | tr -d '"' | sort >"$scratch/ids"
sed -nE 's/^-- ([0-9a-f]{32})$/\1/p' "$catalog" | sort >"$scratch/entries"
grep -oE '^[0-9a-f]{32}' "$top/man/dispatcherd.8" | sort >"$scratch/rows"
[ -s "$scratch/ids" ] || die 'no identifiers'
[ -z "$(uniq -d "$scratch/ids")" ] || die "twice: $(uniq -d "$scratch/ids")"
diff "$scratch/ids" "$scratch/entries" || die 'identifiers (<) and entries of the catalog (>) differ'
diff "$scratch/ids" "$scratch/rows" || die 'identifiers (<) and rows of dispatcherd(8) (>) differ'

# Each has its headers, and a text after them that fits a terminal.
awk '
    function finish() {
        if (id != "" && (!subject || !documentation || !text)) {
            print "incomplete: " id
            bad = 1
        }
    }
    /^-- / { finish(); id = $2; subject = documentation = text = in_text = 0; next }
    /^#/ { next }
    /^Subject: ./ { subject = 1; next }
    /^Defined-By: dispatcherd$/ { next }
    /^Documentation: man:/ { documentation = 1; next }
    id != "" && /^$/ { in_text = 1; next }
    id != "" && !in_text { print "no header: " $0; bad = 1 }
    in_text { text = 1 }
    length($0) > 100 { print "too long: " $0; bad = 1 }
    END { finish(); exit bad }
' "$catalog" || die 'the catalog is not well made'

# Every page that it names is there, or is one of systemd's.
grep -oE 'man:[a-z.-]+\([0-9]\)' "$catalog" | sort -u | while IFS='():' read -r _ page section; do
    case $page in
    systemd.*) ;;
    *) [ -e "$top/man/$page.$section" ] || echo "no such page: $page($section)" ;;
    esac
done >"$scratch/missing"
[ ! -s "$scratch/missing" ] || die "$(cat "$scratch/missing")"

# What journalctl makes of it.
if command -v journalctl >/dev/null && journalctl --help | grep -q -- --update-catalog; then
    mkdir -p "$scratch/root/usr/lib/systemd/catalog" "$scratch/root/var/lib/systemd/catalog"
    cp "$catalog" "$scratch/root/usr/lib/systemd/catalog/"
    if journalctl --root="$scratch/root" --update-catalog 2>"$scratch/err"; then
        [ ! -s "$scratch/err" ] || die "$(cat "$scratch/err")"
        journalctl --root="$scratch/root" --list-catalog 2>/dev/null | sed 's/ .*//' | sort |
            diff "$scratch/ids" - || die 'journalctl has other entries'
    else
        echo "journalctl cannot make a catalog here: $(cat "$scratch/err")"
    fi
fi
echo 'all passed'
