#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# dispatcherctl against a dispatcherd that runs by hand, with the SMTP worker. Called in the build
# folder; prints each step, and everything there is to see where one fails.
set -u

top=${srcdir:-.}
ctl=$PWD/dispatcherctl
scratch=$(mktemp -d)
socket=$scratch/control
daemon=''
failed=0

finish()
{
    [ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null
    rm -rf "$scratch"
}
trap finish EXIT

die()
{
    echo "FAILED: $*" >&2
    [ ! -e "$scratch/out" ] || sed 's/^/  out: /' "$scratch/out" >&2
    [ ! -e "$scratch/err" ] || sed 's/^/  err: /' "$scratch/err" >&2
    [ ! -e "$scratch/log" ] || sed 's/^/  log: /' "$scratch/log" >&2
    exit 1
}

# run STATUS ARGUMENT...: dispatcherctl ends with that status.
run()
{
    local expected=$1 status=0
    shift
    echo "dispatcherctl $*"
    "$ctl" --socket "$socket" "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -eq "$expected" ] || die "exit status $status, not $expected"
}

# says FILE PATTERN: an extended regular expression matches a line of out, err or log.
says()
{
    grep -Eq -- "$2" "$scratch/$1" || die "no line of $1 matches $2"
}

# Tries COMMAND for up to ten seconds.
eventually()
{
    for _ in $(seq 100); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    die "not in ten seconds: $*"
}

configure()
{
    cat >"$scratch/dispatcher.cnf" <<EOT
MIN_PROCS=1
MAX_PROCS=3
HISTORICAL_TIME=3600
[SERVICE=SMTP]
PORT=$port
INTERFACE_ADDRESS=127.0.0.1
IMAGE=$PWD/tcp_smtp_server
PARAMETER=MAILDIR=$scratch/mail
${1-}
EOT
}

start_daemon()
{
    for _ in $(seq 20); do
        port=$((10000 + RANDOM % 2000)) # below those of the system tests
        configure
        ./dispatcherd --config "$scratch/dispatcher.cnf" --control "$socket" \
            --stop-limit 1 2>"$scratch/log" &
        daemon=$!
        for _ in $(seq 100); do
            ! grep -q 'ready: ' "$scratch/log" || return 0
            kill -0 "$daemon" 2>/dev/null || break
            sleep 0.1
        done
    done
    die "dispatcherd does not start"
}

# The process of the first worker in the state.
worker()
{
    "$ctl" --socket "$socket" workers | awk -v state="$1" '$4 == state { print $3; exit }'
}

test_without_daemon()
{
    run 1 status
    says err "dispatcherd is not running: nothing listens on $socket"
    says err 'systemctl start dispatcherd'
}

test_usage()
{
    run 0 --help
    says out '^Usage: dispatcherctl '
    run 0 --version
    says out '^dispatcherctl [0-9]'
    run 2
    run 2 frobnicate
    says err "unknown command 'frobnicate'"
    run 2 stop
    says err 'needs the name of a service'
    run 2 status SMTP
    run 2 --timeout 0 status
    run 2 --frobnicate status
    run 2 --limit 3 status
    says err '--limit applies only to connections and history$'
    run 2 --worker 0 connections
    run 2 --client 192.0.2.1/24 connections
    says err "'192.0.2.1/24' has bits set beyond its prefix"
    run 2 --state broken connections
    says err "--state must be one of waiting, hand-off, active, passed-on; not 'broken'"
    run 2 --state active history
    run 2 --older 5parsecs connections
    run 2 --waited '' connections
    run 2 --sort size connections
    says err '--sort must be one of age, client, queued, .*, worker; '
    run 2 --sort ended connections
    run 2 --limit many history
}

test_access()
{
    cat >"$scratch/tables" <<'EOT'
PORT_ACCESS

  *|*|*|*|*  $C$|INTERNAL_IP;$3|$Y$E
  TCP|*|587|*|*  $C$[conn_throttle,throttle,$1,10]$N421$ too$ many~421$ later$E
  TCP|192.0.2.1|*|203.0.113.9|*  $N500$ no

INTERNAL_IP

  $(192.0.2.0/24)  $Y
EOT
    run 0 --mappings "$scratch/tables" test-access 192.0.2.7 203.0.113.9
    says out "^192.0.2.7: accepted by entry $scratch/tables:3\$"
    says out '^    PORT_ACCESS: TCP\|127.0.0.1\|25\|192.0.2.7\|49152$'
    says out '^203.0.113.9: accepted because no entry matched$'
    run 0 --mappings "$scratch/tables" --json --server 192.0.2.1 test-access 203.0.113.9
    python3 -c "
import json, sys
answer = json.load(open(sys.argv[1]))
trace = answer.pop('trace')
assert answer == {'address': '203.0.113.9', 'port': 25, 'verdict': 'reject', 'text': '500 no',
                  'entry': sys.argv[2] + ':5'}, answer
assert '  INTERNAL_IP: 203.0.113.9' in trace, trace
" "$scratch/out" "$scratch/tables" || die 'what is wrong with the JSON?'
    run 0 --mappings "$scratch/tables" --port 587 test-access 2001:db8::1
    says out '^2001:db8::1: accepted because no entry matched$'
    says out 'throttle is not queried; assuming that the limit is not exceeded$'
    run 0 --mappings "$scratch/tables" --port 587 --callouts succeed test-access 2001:db8::1
    says out "^2001:db8::1: rejected by entry $scratch/tables:4\$"
    says out '^  sends: 421 later$'
    run 0 --mappings "$scratch/nothing" test-access 192.0.2.7
    says err 'everybody is accepted$'
    echo 'x y' >>"$scratch/tables"
    run 1 --mappings "$scratch/tables" test-access 192.0.2.7
    says err "^$scratch/tables:10: error: "
    run 2 test-access
    run 2 --mappings "$scratch/nothing" test-access localhost
    run 2 --mappings "$scratch/nothing" --port 0 test-access ::1
}

test_views()
{
    exec 5<>"/dev/tcp/127.0.0.1/$port"
    read -r -t 10 greeting <&5
    [[ $greeting == 220* ]] || die "no greeting: $greeting"
    run 0 status
    says out "^dispatcherd [0-9.]+ is running since .*, process $daemon; "
    says out '^SMTP +running +1/3 +1/30 +0/5 +0/29 +0/[0-9]+ +accepting$'
    run 0 services
    says out '^SMTP +running +1/3 +0 +1 +0 +1/30 +0/5 +0/29 +0/1024 +0/[0-9]+ +- +-$'
    says out '^SMTP +1 +1( +0){12}$'
    says out '^SMTP +1/[01]\.[0-9]/1 +1 so far +- +[0-9]+[mu]s/'
    says out "^SMTP +0/[0-9]+ +- +0 +no +127.0.0.1:$port\$"
    run 0 workers smtp
    says out '^SMTP +0 +[0-9]+ +ready +1/10 +1 +1 +.* fewer than MIN_PROCS +- +-$'
    run 0 connections
    says out "^[0-9a-f]{16} +SMTP +active +$(worker ready) .* no +127.0.0.1:[0-9]+ +127.0.0.1:$port +-\$"
    run 0 --json connections
    python3 -c "
import json, sys
reply = json.load(open(sys.argv[1]))
assert reply['connections'][0]['local']['port'] == $port, reply
assert 'next' not in reply, reply
" "$scratch/out" || die 'what is wrong with the JSON?'
    run 1 workers POP3
    says err 'no such service .*: POP3$'
    test_selection
}

# One row: the session that test_views() has.
test_selection()
{
    local option
    for option in "--worker $(worker ready)" '--client 127.0.0.1' '--client 127.0.0.0/8' '--state active' \
        '--older 0ms' '--sort -age' '--limit 1'; do
        # shellcheck disable=SC2086 # two words are meant
        run 0 $option connections
        [ "$(wc -l <"$scratch/out")" -eq 2 ] || die "$option does not show the connection"
    done
    for option in '--worker 1' '--client 127.0.0.2' '--client ::/0' '--state waiting' '--user nobody' \
        '--older 1h' '--waited 1min'; do
        # shellcheck disable=SC2086 # two words are meant
        run 0 $option connections smtp
        [ "$(wc -l <"$scratch/out")" -eq 1 ] || die "$option shows the connection"
        # shellcheck disable=SC2086
        run 0 --json $option connections
        says out '"connections": \[\]'
    done
}

# What was decided about a client, by a table that is put in force for it.
test_explain()
{
    cat >"$scratch/mappings" <<'EOT'
PORT_ACCESS

  TCP|*|*|127.0.0.2|*  $N500$ go$ away
EOT
    run 0 reload
    run 0 explain 127.0.0.2
    says out '^no decision about this address is stored; decisions have been stored since [0-9]{4}-[^(]*\(.+\)$'
    says out "^SMTP at 127.0.0.1:$port: rejected by the mapping file: PORT_ACCESS entry $scratch/mappings:3: "
    says out '^    sends: 500 go away$'
    says out "^    PORT_ACCESS: TCP\\|127.0.0.1\\|$port\\|127.0.0.2\\|49152\$"
    exec 6<>"/dev/tcp/127.0.0.1/$port"
    read -r -t 10 _ <&6
    exec 6<&- 6>&-
    run 0 explain 127.0.0.1 smtp
    says out "^....-..-.. .* SMTP 127.0.0.1:[0-9]+ to 127.0.0.1:$port \([0-9a-f]{16}\): accepted\$"
    run 0 --json explain ::1
    says out '"trials": \[\]'
    run 1 explain 127.0.0.1 POP3
    says err 'no such service .*: POP3$'
    run 2 explain
    run 2 explain localhost
    run 2 explain 127.0.0.1 SMTP POP3
    # Access control is given up in so many words, never by a file that is gone.
    rm "$scratch/mappings"
    run 1 reload
    says err 'the tables in force stay'
    # shellcheck disable=SC2016 # $Y is meant
    printf 'PORT_ACCESS\n\n  *  $Y\n' >"$scratch/mappings"
    run 0 reload
    run 0 explain 127.0.0.2
    says out "^SMTP at 127.0.0.1:$port: accepted: PORT_ACCESS entry $scratch/mappings:3: "
}

test_restart()
{
    local before
    before=$(worker ready)
    run 0 restart SMTP
    says out '^1 worker will be replaced'
    successor_is_ready() { [ -n "$(worker ready)" ] && [ "$(worker ready)" != "$before" ]; }
    eventually successor_is_ready
    [ "$(worker draining)" = "$before" ] || die "worker $before does not drain"
    run 0 workers
    says out "^SMTP +[0-9]+ +$before +draining .* outdated +-\$"
    says log 'SMTP: restart requested by process [0-9]+ of user [0-9]+'
    # Its session goes on.
    printf 'QUIT\r\n' >&5
    read -r -t 10 reply <&5
    [[ $reply == 221* ]] || die "the session was lost: $reply"
    exec 5<&- 5>&-
}

test_stop_and_start()
{
    run 0 stop SMTP
    says out '^SMTP no longer accepts connections; 0 connections may finish$'
    stopped() { "$ctl" --socket "$socket" status | grep -q '^SMTP  *stopped'; }
    eventually stopped
    run 1 restart SMTP
    says err 'the service is stopped: SMTP'
    ! (exec 6<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || die 'still listens'
    run 0 start smtp
    serves() { exec 6<>"/dev/tcp/127.0.0.1/$port" && read -r -t 10 _ <&6 && exec 6<&- 6>&-; }
    eventually serves
}

test_reload()
{
    configure 'MAX_PROCS=2'
    run 0 reload
    says out '^the configuration was reloaded$'
    run 0 status
    says out '^SMTP +running +[0-9]/2 '
    configure 'MAX_PROCS=many'
    run 1 reload
    says err 'dispatcher.cnf:9: error: MAX_PROCS=many'
    says err 'was refused; the old one remains in force'
    configure 'FROBNICATE=1'
    run 0 reload
    says out 'warning: the unknown option FROBNICATE'
}

# What has ended, and how it was told.
test_history()
{
    run 0 history smtp
    says out "^[0-9a-f]{16} +SMTP +ended +[0-9]+ +.* no +127.0.0.1:[0-9]+ +127.0.0.1:$port +-\$"
    run 0 --json history
    says out '"end": "ended"'
    run 0 --state ended --sort ended --limit 1 history
    says out "^[0-9a-f]{16} +SMTP +ended "
    [ "$(grep -c SMTP "$scratch/out")" -eq 1 ] || die 'not one row alone'
    run 0 --json --state broken history
    says out '"workers": \[\]'
    run 1 history POP3
    says err 'no such service .*: POP3$'
    run 0 history
    ! grep -q 'keeps no history' "$scratch/out" || die 'SMTP keeps one'
    configure 'HISTORICAL_TIME=0'
    run 0 reload
    run 0 history
    says out '^SMTP keeps no history: its HISTORICAL_TIME is 0, see dispatcher.cnf\(5\)$'
    run 0 --json history smtp
    says out '"SMTP"'
    configure
    run 0 reload
}

# A worker is killed while somebody follows.
test_events()
{
    local victim follower
    echo 'dispatcherctl events'
    "$ctl" --socket "$socket" events >"$scratch/events" &
    follower=$!
    eventually grep -q 'following' "$scratch/events"
    exec 5<>"/dev/tcp/127.0.0.1/$port"
    read -r -t 10 _ <&5
    eventually grep -Eq 'SMTP [0-9a-f]{16} 127.0.0.1:[0-9]+: worker [0-9]+ has taken' \
        "$scratch/events"
    victim=$(worker ready)
    kill -9 "$victim"
    exec 5<&- 5>&-
    eventually grep -Eq "SMTP worker $victim died of signal 9 \(Killed\); 1 session was" "$scratch/events"
    eventually grep -q 'connection broken after' "$scratch/events"
    kill "$follower"
    wait "$follower" 2>/dev/null
    run 0 history
    says out "^SMTP +[0-9]+ +$victim .* 1 +1 +[0-9]+ .* died of signal 9 \(Killed\)\$"
    says out "^[0-9a-f]{16} +SMTP +broken +$victim "
    run 0 --json history
    python3 -c "
import json, sys
reply = json.load(open(sys.argv[1]))
worker = reply['workers'][0]
assert worker['signal'] == 9 and worker['exit_status'] is None, worker
broken = [c['id'] for c in reply['connections'] if c['end'] == 'broken']
assert worker['held'] == broken and len(broken) == 1, reply
" "$scratch/out" || die 'what is wrong with the JSON?'
    run 0 services
    says out '^SMTP +[0-9]+ +[0-9]+ +0 +[0-9]+ +0 +0 +1 +0 '
    successor_serves() { [ -n "$(worker ready)" ]; }
    eventually successor_serves
}

test_debug()
{
    run 0 debug smtp 16%40
    says out '^smtp: DEBUG=16%40 until the next reload$'
    run 0 debug
    says out '^SMTP +16%40$'
    run 0 restart
    eventually grep -q 'SMTP: a worker is started: ' "$scratch/log"
    run 0 debug DISPATCHER 0x1
    run 0 debug
    says out '^DISPATCHER +16%1$'
    says out '^SMTP +16%40$'
    run 0 debug -1
    run 0 debug
    says out '^DISPATCHER +16%FFFFFFFF$'
    says out '^SMTP +16%FFFFFFFF$'
    run 0 debug smtp default
    says out '^smtp: DEBUG=16%0, as configured$'
    run 0 debug
    says out '^DISPATCHER +16%FFFFFFFF$'
    says out '^SMTP +16%0$'
    run 0 debug DISPATCHER default
    says out '^DISPATCHER: DEBUG=16%0, as configured$'
    run 0 debug 16%1
    run 0 --json debug default
    says out '"mask": null'
    run 0 debug
    says out '^DISPATCHER +16%0$'
    says out '^SMTP +16%0$'
    run 0 debug -1
    run 0 debug default
    says out '^the daemon and all services: DEBUG as configured$'
    run 0 debug -1
    run 0 reload
    run 0 debug
    says out '^SMTP +16%0$'
    # What the file says now counts, not what it said at the start.
    configure 'DEBUG=16%40'
    run 0 reload
    run 0 debug SMTP 1
    run 0 debug SMTP default
    says out '^SMTP: DEBUG=16%40, as configured$'
    configure
    run 0 reload
    run 1 debug SMTP 99999999999
    run 2 debug SMTP
    run 2 debug SMTP 1 2
    run 2 status -1
}

# The schema is that of the interface, and what is printed is as the schema says.
test_schema()
{
    local schema=$top/src/dispatcherctl/dispatcherctl.schema.json verb follower
    echo 'schema'
    python3 "$top/src/dispatcherctl/make_schema.py" \
        "$top/src/dispatcherd/io.dispatcherd.Control.varlink" | cmp - "$schema" ||
        die 'dispatcherctl.schema.json is not what make_schema.py makes'
    for verb in status services workers connections history restart debug 'debug 0' 'explain 127.0.0.1'; do
        # shellcheck disable=SC2086 # two words may be meant
        run 0 --json $verb
        python3 "$top/tests/dispatcherctl/check_schema.py" "$schema" "${verb%% *}" "$scratch/out" ||
            die "the JSON of $verb"
    done
    "$ctl" --socket "$socket" --json events >"$scratch/out" &
    follower=$!
    eventually grep -q following "$scratch/out"
    run_quietly() { "$ctl" --socket "$socket" restart >/dev/null; }
    run_quietly
    eventually grep -q '"worker ended"' "$scratch/out"
    kill "$follower"
    wait "$follower" 2>/dev/null
    python3 "$top/tests/dispatcherctl/check_schema.py" "$schema" events "$scratch/out" ||
        die 'the JSON of events'
    # shellcheck disable=SC2016 # $N is meant
    printf 'PORT_ACCESS\n\n  TCP|*|*|127.0.0.7|*  $N500$ no\n' >"$scratch/others"
    run 0 --json --mappings "$scratch/others" test-access 127.0.0.7 ::1
    python3 "$top/tests/dispatcherctl/check_schema.py" "$schema" test-access "$scratch/out" ||
        die 'the JSON of test-access'
}

# The screen needs a terminal, and leaves it as it was.
test_top()
{
    run 2 top
    echo 'dispatcherctl top'
    python3 "$top/tests/dispatcherctl/run_top.py" "$ctl" "$socket" >"$scratch/out" \
        2>"$scratch/err" || die 'what is wrong with top?'
}

# Colour is for terminals alone, and for those who want it.
test_colour()
{
    local escape=$'\033'
    run 0 status
    ! grep -q "$escape" "$scratch/out" || die 'colour in a file'
}

# As another user, where we can be one.
test_stranger()
{
    if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null; then
        echo 'not root: no test as a stranger'
        return
    fi
    chmod 755 "$scratch"
    ctl=$scratch/as_stranger
    # The build folder may be closed to others.
    libtool_program=$PWD/.libs/dispatcherctl
    [ -x "$libtool_program" ] || libtool_program=$PWD/dispatcherctl
    cp "$libtool_program" "$scratch/dispatcherctl"
    printf '#!/bin/sh\nexec setpriv --reuid 12345 --regid 12345 --clear-groups %s "$@"\n' \
        "$scratch/dispatcherctl" >"$ctl"
    chmod 755 "$ctl" "$scratch/dispatcherctl"
    run 0 workers
    run 0 status
    for verb in connections history 'explain ::1' events 'debug 1' 'stop SMTP' 'start SMTP' restart reload; do
        # shellcheck disable=SC2086 # two words are meant
        run 1 $verb
        says err 'permission denied: only root and members of this group may do that: '
    done
    ctl=$PWD/dispatcherctl
}

# complete_to WORDS EXPECTED: what bash offers for the last of the words.
complete_to()
{
    # shellcheck disable=SC2206 # words are meant
    COMP_WORDS=($1)
    [[ $1 != *' ' ]] || COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _dispatcherctl
    [ "${COMPREPLY[*]}" = "$2" ] || die "completion of '$1': '${COMPREPLY[*]}', not '$2'"
}

test_completion()
{
    # shellcheck source=/dev/null
    . "$top/src/dispatcherctl/dispatcherctl.bash"
    echo 'completion'
    complete_to "$ctl st" 'status stop start'
    complete_to "$ctl --j" '--json'
    complete_to "$ctl --callouts s" 'succeed'
    complete_to "$ctl --state h" 'hand-off'
    complete_to "$ctl --sort w" 'waited worker'
    complete_to "$ctl --sort -a" '-age'
    complete_to "$ctl --sort = -a" '-age'
    complete_to "$ctl --limit 3 --client 10.0.0.0/8 con" 'connections'
    complete_to "$ctl --socket $socket wor" 'workers'
    complete_to "$ctl --socket $socket stop " 'SMTP'
    complete_to "$ctl --socket = $socket stop s" 'SMTP'
    complete_to "$ctl --socket $socket restart s" 'SMTP'
    complete_to "$ctl --socket $socket debug d" 'DISPATCHER default'
    complete_to "$ctl --socket $socket debug SMTP d" 'default'
    complete_to "$ctl --socket $socket --worker " "$(worker ready)"
    complete_to "$ctl --socket = $socket connections --worker = " "$(worker ready)"
    complete_to "$ctl --socket $scratch/none --worker " ''
    complete_to "$ctl --socket $socket stop SMTP " ''
    complete_to "$ctl --socket $socket status " ''
    complete_to "$ctl --socket $socket explain " ''
    complete_to "$ctl --socket $socket explain 127.0.0.1 s" 'SMTP'
    complete_to "$ctl --socket $scratch/con" "$socket"
    complete_to "$ctl --socket $scratch/none stop " ''
    # It must know what --help knows.
    local verbs option
    verbs=$("$ctl" --help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' | tr '\n' ' ')
    complete_to "$ctl " "${verbs% }"
    for option in $("$ctl" --help | grep -oE -- '--[a-z]+' | sort -u); do
        complete_to "$ctl $option" "$option"
    done
}

# A daemon that does not answer: it is stopped.
test_silent_daemon()
{
    kill -STOP "$daemon"
    run 1 --timeout 1 status
    kill -CONT "$daemon"
    says err 'no answer from dispatcherd on .* within the time limit'
}

test_end()
{
    kill "$daemon"
    wait "$daemon" || failed=$?
    daemon=''
    [ "$failed" -eq 0 ] || die "dispatcherd ended with status $failed"
    [ ! -e "$socket" ] || die 'the socket is left over'
}

test_usage
test_access
test_without_daemon
start_daemon
test_views
test_restart
test_explain
test_history
test_events
test_debug
test_schema
test_top
test_colour
test_stop_and_start
test_reload
test_stranger
test_completion
test_silent_daemon
test_end
echo 'all passed'
