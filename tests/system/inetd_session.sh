#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# A program for IMAGE=inetd: it does what its client says, one command a line.
set -u

case ${1-} in
chain)
    # So many more processes, each in a session of its own, so that no signal to a group finds them.
    # A fork bomb with an end: the machine that runs this test may have no limit.
    [ "$2" -le 0 ] || setsid "$0" chain $(($2 - 1)) &
    exec sleep 1000
    ;;
esac

while read -r command argument; do
    case $command in
    arguments) printf '%s\n' "$*" ;;
    environment) env | sort | tr '\n' ' ' && echo ;;
    pid) echo $$ ;;
    mourn) echo "$argument" >&2 && echo 'done' ;;
    exit) exit "$argument" ;;
    ignore_term) trap '' TERM && echo 'done' ;;
    daemon)
        # Forks twice, leads a session of its own and keeps nothing of ours.
        env -i setsid sh -c 'sleep 1000 >/dev/null & echo $!' </dev/null 2>/dev/null
        ;;
    close)
        exec </dev/null >/dev/null 2>&1
        sleep 1000
        ;;
    sleep) sleep 1000 ;;
    flood) yes 'a line of some length, over and over again' | head -c "$argument" >&2 && echo 'done' ;;
    chain) exec "$0" chain "$argument" </dev/null >/dev/null 2>&1 ;;
    *) echo "unknown: $command" ;;
    esac
done
