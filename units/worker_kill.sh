#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# Kills the unit whose name it reads, as root, for dispatcherd: a worker's, and nothing else. Whoever
# has taken over dispatcherd can write here what he likes, as slowly as he likes.
set -eu
export LC_ALL=C

refuse() {
    echo "<4>asked to kill what is $1; nothing is killed"
    exit 1
}

# No longer than a unit's name may be, see systemd.unit(5).
unit=$(head -c 256)
[ ${#unit} -le 255 ] || refuse "too long for the name of a unit"
case $unit in
*[!abcdefghijklmnopqrstuvwxyz0123456789_@.-]* | *@*@*) refuse "not the name of a worker's unit" ;;
dispatcherd-?*-worker@?*.service) ;;
*) refuse "not the name of a worker's unit" ;;
esac

# A unit of that name may be somebody else's. (TriggeredBy= would tell, but not after a
# daemon-reload.)
show() {
    systemctl show --property="$1" --value -- "$unit"
}
file=$(show FragmentPath)
[ "${file##*/}" = "${unit%%@*}@.service" ] || refuse "not the unit of a service: $unit"
[ "$(show Slice)" = dispatcherd.slice ] || refuse "not in dispatcherd.slice: $unit"
exec systemctl kill --signal=KILL -- "$unit"
