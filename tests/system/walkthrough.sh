#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# What a person does with dispatcherd on a fresh machine, from make install to the last process, in a
# container: each command is shown, run, and its output shown. The first that fails ends it.
#
# Usage: walkthrough.sh, as root, in the folder where make ran
set -eu

here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
build=$PWD

[ -e config.status ] || { echo "walkthrough: $build is not where configure ran" >&2 && exit 2; }
"$here/container" can-boot
command -v swaks >/dev/null ||
    { echo "skipped: swaks was not found; on Debian: apt-get install swaks" && exit 77; }

scratch=$(mktemp -d)
container=$scratch/container
port=2525

clean() {
    status=$?
    if [ $status -ne 0 ] && [ -e "$container/leader" ]; then
        say "It failed. What the journal has to say:"
        "$here/container" exec "$container" journalctl --no-pager --lines=60 || :
    fi
    "$here/container" stop "$container"
    rmdir "$scratch"
}
trap clean EXIT
trap 'exit 130' INT TERM

say() {
    printf '\n== %s\n' "$*"
}

# Runs a command line in the container.
run() {
    printf '# %s\n' "$1"
    "$here/container" exec "$container" sh -euc "$1"
}

# The same, until it succeeds: for what takes a moment.
run_until() {
    printf '# %s\n' "$1"
    n=100
    until "$here/container" exec "$container" sh -euc "$1"; do
        n=$((n - 1))
        [ $n -gt 0 ] || return 1
        sleep 0.1
    done
}

say "A machine of our own: this one's files, and a systemd that has just booted"
set -- "--overlay=$build::$build"
[ "$source" = "$build" ] || set -- "$@" "--bind-ro=$source"
"$here/container" boot "$container" "$@"
run "systemctl is-system-running || :"

# Each file and folder that has our name.
traces="find /etc /usr /var/lib /var/log /run/systemd/generator* -xdev -name '*dispatcher*' | sort"

say "Installation"
run "$traces >/run/before"
run "make -s -C $build install >/dev/null"
run "systemd-sysusers && getent passwd dispatcher"
run "systemctl daemon-reload"
run "systemctl list-unit-files 'dispatcherd*' --no-pager"

say "What systemd thinks of the units"
run "systemd-analyze verify --man=no --generators=yes dispatcherd.service dispatcherd.slice \
    dispatcherd-smtp.socket dispatcherd-smtp-worker.socket dispatcherd-smtp-worker@1.service"

say "Only the socket: nothing runs, and port 25 is open"
run "systemctl start dispatcherd-smtp.socket"
run "ss -Hltn 'sport = :25'"
run "! systemctl is-active dispatcherd.service"

say "The first mail starts everything"
run "swaks --to somebody@localhost --from you@example.com --server 127.0.0.1 \
    --header 'Subject: the first' --body 'It works.' | grep -E '<-  (220|250 2.0.0|221)'"
run "systemctl status --no-pager --lines=0 dispatcherd.service"
run "systemctl list-units --no-pager --no-legend 'dispatcherd*'"
run "cat /var/lib/dispatcherd-smtp/mail/new/*"

say "Another port, by a drop-in as systemctl edit writes it"
run "mkdir -p /etc/systemd/system/dispatcherd-smtp.socket.d"
run "printf '[Socket]\nListenStream=\nListenStream=127.0.0.1:$port\n' \
    >/etc/systemd/system/dispatcherd-smtp.socket.d/override.conf"
run "dispatcherctl plan"
run "dispatcherctl apply"
run "swaks --to somebody@localhost --from you@example.com --server 127.0.0.1:$port \
    --header 'Subject: the second' | grep -E '<-  (220|250 2.0.0|221)'"
run "! swaks --to somebody@localhost --server 127.0.0.1:25 --quit-after CONNECT >/dev/null 2>&1"
run "test \$(ls /var/lib/dispatcherd-smtp/mail/new | wc -l) -eq 2"
run_until "journalctl --no-pager -t dispatcherd -o cat | grep 'unlike dispatcher.cnf'"

say "How exposed they are, from 0 to 10"
run "systemd-analyze security --no-pager | grep dispatcherd"

say "The journal"
run "journalctl --no-pager -u 'dispatcherd*' -o short | tail -n 20"

say "Stopping the slice stops everything"
run "systemctl stop dispatcherd.slice"
run "! systemctl list-units --no-legend 'dispatcherd*' | grep ."
run "! ss -Hltn 'sport = :$port' | grep ."
run "! pgrep -u dispatcher"
run "! pgrep tcp_smtp_server"

say "Uninstallation, as README.md has it"
sed -n '/^## Uninstall it$/,/^## More$/s/^    sudo //p' "$source/README.md" >"$scratch/uninstall"
[ "$(wc -l <"$scratch/uninstall")" -ge 7 ] || { echo "README.md has lost its commands" && false; }
while read -r command <&3; do
    case $command in
    "make uninstall")
        run "make -s -C $build uninstall >/dev/null"
        run "! systemctl list-unit-files 'dispatcherd*.service' --no-legend | grep -v generated | grep ."
        run "test -e /var/lib/dispatcherd-smtp/mail/new"
        ;;
    *) run "$command" ;;
    esac
done 3<"$scratch/uninstall"
rm "$scratch/uninstall"
run "! systemctl list-unit-files 'dispatcherd*' --no-legend | grep ."
run "! getent passwd dispatcher && ! getent group dispatcher"
run "$traces >/run/after && diff /run/before /run/after"

say "That was all, and all was well"
