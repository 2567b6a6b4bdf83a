#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# The life of the Debian packages on a fresh machine: installed beside a mail server on port 25, taken
# into use as dispatcher.cnf says, upgraded under 200 sessions, the library alone too, removed, purged.
#
# Usage: life.sh ROOT FOLDER
#
# As root. ROOT is a root file system of the release that the packages in FOLDER were built for, such as
# debootstrap makes with systemd and iproute2; it is changed. Its own apt installs what the packages
# need; what is tested has no network but a loopback.
set -euo pipefail
exec </dev/null
cd "$(dirname "$0")/../.."
[ $# -eq 2 ] || { sed -n '8s/^# //p' "$0" >&2; exit 2; }
root=$1
packages=$2
tests/system/container can-boot
for tool in dpkg-deb python3 swaks; do
    command -v "$tool" >/dev/null || { echo "skipped: $tool was not found"; exit 77; }
done

scratch=$(mktemp -d -p /var/tmp)
container=$scratch/container
clean() {
    local status=$?

    if [ "$status" -ne 0 ] && [ -e "$container/leader" ]; then
        echo "== it failed; the end of the journal:"
        inside journalctl --no-pager --lines=40 || :
    fi
    exec 9>&-
    tests/system/container stop "$container"
    rm -rf --one-file-system "$scratch"
}
trap clean EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

step() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }
die() { echo "FAILED: $*"; exit 1; }

inside() {
    tests/system/container exec "$container" env DEBIAN_FRONTEND=noninteractive "$@"
}

# With this machine's programs, in the container's network.
beside() { nsenter -t "$(cat "$container/leader")" -n "$@"; }

# Tries a command ten times a second, for as many seconds as the first argument says.
try_for() {
    local n=$(($1 * 10))

    shift
    until "$@" >/dev/null 2>&1; do
        n=$((n - 1))
        [ $n -gt 0 ] || return 1
        sleep 0.1
    done
}

no_failed_unit() {
    local failed

    failed=$(inside systemctl list-units --failed --no-legend --plain)
    [ -z "$failed" ] || die "failed units: $failed"
}

# Our units that run or listen.
active_units() {
    inside systemctl list-units --state=active,activating,deactivating,reloading --no-legend --plain \
        'dispatcherd*' | awk '{print $1}'
}

listeners() { inside ss -Hltn | awk '{print $4}' | sort; }

show() { inside systemctl show --value --property="$2" "$1"; }

# The processes of workers, and what of each: its program, or its library, as the kernel has it mapped.
workers() { inside sh -c 'pgrep -x tcp_smtp_server || :' | sort; }
old_workers() {
    inside sh -c "grep -l '$1.*(deleted)' /proc/[0-9]*/maps 2>/dev/null || :" | grep -o '[0-9]*' | sort
}
# Each worker that was replaced must end, and there must be one that has the new file.
all_are_new() { [ -z "$(old_workers "$1")" ] && [ -n "$(workers)" ]; }

# All files but what runs and changes by itself, in a list with types and targets of links.
files() {
    inside find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp \
        -o -path /var/tmp -o -path /var/cache -o -path /var/log/journal -o -path /var/lib/apt \
        -o -path /var/lib/systemd -o -path /srv/packages \) -prune -o -printf '%y %p %l\n' |
        grep -v -e ' /var/lib/dpkg/' -e ' /var/log/\(apt\|dpkg\|alternatives\)' \
            -e ' /etc/\(passwd\|group\|shadow\|gshadow\)-\? $' | sort
}

# Makes the next version of the package $1 in folder $2: the same files, written anew.
next_version() {
    local folder=$scratch/repack deb

    deb=$(echo "$packages/${1}"_*.deb)
    rm -rf "$folder"
    dpkg-deb --raw-extract "$deb" "$folder"
    sed -i "s/^Version: .*/&+$2/" "$folder/DEBIAN/control"
    dpkg-deb --build --root-owner-group "$folder" "$root/srv/packages/$2/${1}_$2.deb" >/dev/null
}

# Installs the packages of folder $1.
install() { inside sh -euc "apt-get -q -y --no-install-recommends install /srv/packages/$1/*.deb"; }

step "what the packages need, and a mail server"
mkdir -p "$root/srv/packages"/{0,1,2}
cp "$packages"/{dispatcherd,libdispatcher0}_*.deb "$root/srv/packages/0/"
next_version dispatcherd 1
next_version libdispatcher0 1
next_version libdispatcher0 2
tests/system/container boot-root "$container" "$root"
{
    inside apt-get -q update
    inside sh -c 'apt-get -q -s install /srv/packages/0/*.deb >/srv/packages/all'
    depends=$(dpkg-deb --field "$(echo "$packages"/dispatcherd_*.deb)" Depends |
        sed 's/libdispatcher0[^,]*, *//; s/, *libdispatcher0[^,]*//')
    inside apt-get -q -y --no-install-recommends satisfy "$depends"
    # Debian has a bus unless it is left out. The container boots without what multi-user.target wants: no
    # mail server runs at first.
    inside apt-get -q -y --no-install-recommends install dbus logrotate postfix procps
} >"$scratch/log" 2>&1 || { tail -20 "$scratch/log"; die "apt-get"; }
# What a package recommends may recommend a mail server, which would take port 25.
! grep -E '^Inst (exim4|postfix)' "$root/srv/packages/all" || die "it comes with the packages"
tests/system/container stop "$container"

step "a machine of its own, whose port 25 is taken"
tests/system/container boot-root "$container" "$root" --private-network
inside systemctl start postfix
try_for 60 inside ss -Hltn 'sport = :25'
no_failed_unit
files >"$scratch/files.before"
listeners >"$scratch/listeners.before"
grep -q ':25$' "$scratch/listeners.before" || die "no mail server on port 25"

step "installation: nothing is active, nothing listens, nothing fails"
install 0
[ -z "$(active_units)" ] || die "active after the installation: $(active_units)"
listeners | diff "$scratch/listeners.before" - || die "something listens"
no_failed_unit
inside dispatcherd --check
inside getent passwd _dispatcher

step "the delivered configuration: the daemon waits"
inside systemctl start dispatcherd.service
show dispatcherd.service StatusText | grep 'no service' || die "the status does not say why it waits"
listeners | diff "$scratch/listeners.before" - || die "something listens"
no_failed_unit
inside systemctl stop dispatcherd.slice
[ -z "$(active_units)" ] || die "active after the stop: $(active_units)"

step "the first lines of dispatcher.cnf say how to begin"
inside systemctl stop postfix
cnf=/etc/dispatcherd/dispatcher.cnf
mapfile -t commands < <(inside sed -n '/^! No service is active/,/^!$/s/^!     //p' "$cnf")
[ ${#commands[@]} -gt 0 ] || die "dispatcher.cnf names no command"
# shellcheck disable=SC2016 # sed's own "$" is meant
inside sed -i '/^!\[SERVICE=SMTP\]/,$s/^!//' "$cnf"
inside dispatcherd --check
for command in "${commands[@]}"; do
    echo "# $command"
    inside sh -euc "$command"
done
no_failed_unit
try_for 60 sh -c "tests/system/container exec '$container' dispatcherctl services | grep -q SMTP"
beside swaks --server 127.0.0.1 --from you@example.com --to somebody@localhost \
    --header 'Subject: the first' | grep -E '<-  (220|250 2.0.0|221)'
inside sh -c 'grep -q "^Subject: the first" /var/lib/dispatcherd-smtp/mail/new/*'

# 200 sessions while the packages of folder $1 are installed; $2 is the file that workers must renew.
upgrade_under_sessions() {
    mkfifo "$scratch/go"
    beside timeout 300 python3 tests/packages/slow_sessions.py 200 <"$scratch/go" \
        >"$scratch/sessions" 2>&1 &
    sessions=$!
    exec 9>"$scratch/go"
    try_for 90 grep -q '^open' "$scratch/sessions" || { cat "$scratch/sessions"; die "no 200 sessions"; }
    echo "workers: $(workers | wc -l)"
    install "$1"
    # They have sessions.
    [ -n "$(old_workers "$2")" ] || die "no worker has the old $2: this test shows nothing"
    echo go >&9
    wait "$sessions" || { cat "$scratch/sessions"; die "sessions were lost"; }
    tail -1 "$scratch/sessions"
    exec 9>&-
    rm "$scratch/go"
    # They drain as soon as they are idle.
    try_for 90 all_are_new "$2" || die "workers of before: $(old_workers "$2")"
    no_failed_unit
}

step "upgrade under 200 sessions: the daemon alone is restarted, then the workers are replaced"
daemon=$(show dispatcherd.service MainPID)
socket=$(show dispatcherd-smtp.socket InvocationID)
upgrade_under_sessions 1 tcp_smtp_server
[ "$(show dispatcherd.service MainPID)" != "$daemon" ] || die "the daemon was not restarted"
[ "$(show dispatcherd-smtp.socket InvocationID)" = "$socket" ] || die "the socket was restarted"

step "upgrade of libdispatcher0 alone: the workers are replaced"
daemon=$(show dispatcherd.service MainPID)
upgrade_under_sessions 2 libdispatcher.so
[ "$(show dispatcherd.service MainPID)" = "$daemon" ] || die "the daemon was restarted"
delivered=$(inside sh -c 'ls /var/lib/dispatcherd-smtp/mail/new | wc -l')
[ "$delivered" -eq 401 ] || die "$delivered messages of 401 were delivered"

step "removal: all stops, configuration and mail stay"
inside apt-get -q -y remove dispatcherd libdispatcher0
[ -z "$(active_units)" ] || die "active after the removal: $(active_units)"
[ -z "$(workers)" ] || die "workers after the removal"
! listeners | grep ':25$' || die "port 25 is still open"
[ -z "$(inside sh -c 'find /run/systemd -name "*dispatcherd*"')" ] || die "units in /run after the removal"
no_failed_unit
inside test -s "$cnf"

step "purge: what is left is the mail"
inside apt-get -q -y purge dispatcherd libdispatcher0
files >"$scratch/files.after"
diff "$scratch/files.before" "$scratch/files.after" | grep '^[<>]' |
    grep -v -E ' /var/lib/(private/)?dispatcherd-smtp(/| |$)' >"$scratch/left" || :
inside find /run /etc/systemd /var/lib/systemd -name '*dispatcherd*' >>"$scratch/left"
[ ! -s "$scratch/left" ] || { cat "$scratch/left"; die "the purge leaves or takes these"; }
no_failed_unit
step "done"
