#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# One order in all that names the command: the service first. systemd opens no socket whose service
# runs, so that the other order fails under load.
set -u

top=${srcdir:-.}
# shellcheck disable=SC2016 # a backquote of the manuals is meant
wrong='restart [^"`&|]*\.socket[^"`&|]* dispatcherd(-web)?\.service'

# In all folders, however deep. Manual pages write "\-" and change fonts within a line.
found=$(cd "$top" && grep -rlI 'restart .*socket' README.md NEWS man units src tests/system |
    while read -r file; do
        sed -E 's/\\f[A-Z]//g; s/\\//g' "$file" | grep -nE "$wrong" | sed "s|^|$file:|"
    done)
[ -z "$found" ] || { echo "FAILED: the socket before the service:"; echo "$found"; exit 1; }
grep -q 'dispatcherctl apply' "$top/README.md" ||
    { echo 'FAILED: README.md does not name the command'; exit 1; }
sed 's/\\//g' "$top/man/dispatcherd.8" | grep -qE 'restart dispatcherd\.service dispatcherd-' ||
    { echo 'FAILED: dispatcherd(8) does not name the order'; exit 1; }
