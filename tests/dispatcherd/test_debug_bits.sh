#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# Each DEBUG bit switches on what dispatcherd(8) says, and nothing else does; in the daemon and in the
# worker library. Called in the build folder.
set -u

scratch=$(mktemp -d)
daemon=''

finish()
{
    [ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null
    rm -rf "$scratch"
}
trap finish EXIT

die()
{
    echo "FAILED: $*" >&2
    sed 's/^/  log: /' "$scratch/log" >&2
    exit 1
}

eventually()
{
    for _ in $(seq 100); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    die "not in ten seconds: $*"
}

# start MASK: as the environment has it.
start()
{
    for _ in $(seq 20); do
        port=$((10000 + RANDOM % 2000)) # below those of the system tests
        cat >"$scratch/dispatcher.cnf" <<EOT
[SERVICE=SMTP]
PORT=$port
INTERFACE_ADDRESS=127.0.0.1
IMAGE=$PWD/tcp_smtp_server
PARAMETER=MAILDIR=$scratch/mail
EOT
        : >"$scratch/log" # or the last daemon's is taken for this one's
        IMTA_DISPATCHER_DEBUG=$1 ./dispatcherd --config "$scratch/dispatcher.cnf" \
            --control "$scratch/control" --stop-limit 1 2>"$scratch/log" &
        daemon=$!
        for _ in $(seq 100); do
            ! grep -q 'ready: ' "$scratch/log" || return 0
            kill -0 "$daemon" 2>/dev/null || break
            sleep 0.1
        done
    done
    die 'dispatcherd does not start'
}

# A session, a call, a replaced worker, a stop.
live()
{
    exec 5<>"/dev/tcp/127.0.0.1/$port"
    read -r -t 10 _ <&5
    printf 'VRFY nobody-shall-see-this\r\n' >&5
    read -r -t 10 _ <&5
    printf 'QUIT\r\n' >&5
    while read -r -t 10 _ <&5; do :; done
    exec 5<&- 5>&-
    ./dispatcherctl --socket "$scratch/control" restart >/dev/null
    replaced() { ./dispatcherctl --socket "$scratch/control" workers | grep -Eq '^SMTP +1 .* ready'; }
    eventually replaced
    kill "$daemon"
    wait "$daemon"
    daemon=''
}

id='[0-9a-f]{16}'
bits=(
    "1|dispatcherd: info: process [0-9]+ starts: 1 service,"
    "2|dispatcherd: debug: signal 15 "
    "4|dispatcherd: info: SMTP: $scratch/dispatcher.cnf:1: on; MIN_PROCS="
    "8|dispatcherd: info: io.dispatcherd.Control.Workers is called by process [0-9]+"
    "10|dispatcherd: info: SMTP: clients: "
    "20|dispatcherd: debug: SMTP: decision: hand off, slot 0: "
    "20|dispatcherd: debug: SMTP: connection from 127.0.0.1:[0-9]+ to 127.0.0.1:[0-9]+"
    "40|dispatcherd: info: SMTP: worker [0-9]+ is ready: fewer than MIN_PROCS"
    "100|dispatcherd: debug: SMTP: worker [0-9]+ has sent HELLO"
    "200|dispatcherd: debug: SMTP: worker [0-9]+, welcomed: ready"
    "200|dispatcherd: debug: SMTP: worker [0-9]+ goes from welcomed to ready"
    "200|dispatcherd: debug: SMTP: connection goes to worker [0-9]+"
    "200|dispatcherd: debug: SMTP: worker [0-9]+: ENDED, connection $id"
    "400|dispatcherd: debug: SMTP: worker [0-9]+ sends READY "
    "400|dispatcherd: debug: SMTP: worker [0-9]+ is sent CONNECTION 1"
    "1000|tcp_smtp_server: info: SMTP: ready with [0-9]+ places"
    "2000|tcp_smtp_server: debug: SMTP: $id: a session begins"
    "4000|tcp_smtp_server: debug: SMTP: $id: received from the channel"
    "10000|tcp_smtp_server: debug: SMTP: welcome: slot 0, "
    "20000|tcp_smtp_server: debug: SMTP: received CONNECTION 1 from dispatcherd"
    "100000|dispatcherd: debug: SMTP: [0-9]+ accepted, 0 rejected"
    "200000|dispatcherd: debug: SMTP: 127.0.0.1:[0-9]+: connection ended after [0-9]+ ms"
)

# check MASK: exactly the lines of its bits are there.
check()
{
    local mask=$((16#$1)) entry bit pattern
    for entry in "${bits[@]}"; do
        bit=$((16#${entry%%|*}))
        pattern=${entry#*|}
        if ((mask & bit)); then
            grep -Eq -- "^$pattern" "$scratch/log" || die "DEBUG=16%$1: no line matches $pattern"
        else
            ! grep -E -- "^$pattern" "$scratch/log" || die "DEBUG=16%$1: it is not asked for"
        fi
    done
    ! grep -q 'nobody-shall-see-this' "$scratch/log" || die 'what a session says is in the log'
}

for mask in 0 FFFFFFFF $(printf '%s\n' "${bits[@]%%|*}" | uniq); do
    echo "IMTA_DISPATCHER_DEBUG=$mask"
    start "$mask"
    live
    check "$mask"
done
echo 'IMTA_DISPATCHER_DEBUG=-1'
start -1
live
check FFFFFFFF
echo 'all passed'
