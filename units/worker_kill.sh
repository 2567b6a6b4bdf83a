#!/bin/sh
# Kills the unit whose name it reads, as root, for dispatcherd: a worker's, and nothing else.
set -eu
LC_ALL=C
IFS= read -r unit
case $unit in
*[!a-z0-9_@.-]* | *@*@*) ;;
dispatcherd-?*-worker@?*.service)
    exec systemctl kill --signal=KILL -- "$unit"
    ;;
esac
echo "not the unit of a worker, and not killed" >&2
exit 1
