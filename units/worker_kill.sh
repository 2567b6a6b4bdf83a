#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# Runs as root, reads the name of a unit from dispatcherd, and kills the unit if it is a worker's. An
# attacker who has taken over dispatcherd may send anything, as slowly as he likes.
set -eu
export LC_ALL=C

refuse() {
    echo "<4>asked to kill what is $1; nothing is killed"
    exit 1
}

# A unit's name has at most 255 characters (systemd.unit(5)).
unit=$(head -c 256)
[ ${#unit} -le 255 ] || refuse "too long for the name of a unit"
case $unit in
*[!abcdefghijklmnopqrstuvwxyz0123456789_@.-]* | *@*@*) refuse "not the name of a worker's unit" ;;
dispatcherd-?*-worker@?*.service) ;;
*) refuse "not the name of a worker's unit" ;;
esac

# A unit of such a name need not be a worker's. (TriggeredBy= would show that, but not after a
# daemon-reload.)
show() {
    systemctl show --property="$1" --value -- "$unit"
}
file=$(show FragmentPath)
[ "${file##*/}" = "${unit%%@*}@.service" ] || refuse "not the unit of a service: $unit"
[ "$(show Slice)" = dispatcherd.slice ] || refuse "not in dispatcherd.slice: $unit"
exec systemctl kill --signal=KILL -- "$unit"
