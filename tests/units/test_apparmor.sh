#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# The profiles of AppArmor: its parser takes them without a warning, and what the units name is the name
# of one of them. Whether they suffice, only a kernel that enforces them can show.
set -u

top=$(cd "${srcdir:-.}" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

die()
{
    echo "FAILED: $*" >&2
    exit 1
}

# What the unit and the generator name.
mapfile -t named < <(cat "$top"/units/*.service.in "$top/src/generator/unit_text.c" |
    sed -nE 's/.*AppArmorProfile=-([a-zA-Z_-]+).*/\1/p')
[ ${#named[@]} -eq 2 ] || die "AppArmorProfile= is there ${#named[@]} times"
for name in "${named[@]}"; do
    grep -q "^profile $name " "$top/units/apparmor/$name.in" || die "units/apparmor has no $name"
done

# What the daemon asks the kernel for: each such file of the sources has a rule.
mapfile -t asked < <(grep -rhoE '"/(proc/sys|sys)/[^"]*"' "$top"/src/{base,config,dispatcherd} |
    tr -d '"' | sort -u)
[ ${#asked[@]} -ge 5 ] || die "the sources name only: ${asked[*]}"
for path in "${asked[@]}"; do
    rule=${path/#\/proc/@\{PROC\}}
    grep -qF -e "  $rule " -e "  $rule/" "$top/units/apparmor/dispatcherd.in" ||
        die "units/apparmor/dispatcherd has no rule for $path"
done

# What the unit runs beside programs of ours is confined as well: a shell, and what it executes.
mapfile -t run < <(sed -nE 's/^Exec[A-Za-z]*=\/bin\/sh .* exec ([a-z]+) .*/\1/p' "$top/units/dispatcherd.service.in")
[ ${#run[@]} -eq 1 ] || die "dispatcherd.service runs by a shell: ${run[*]}"
for program in "{,ba,da}sh" "${run[@]}"; do
    grep -qF "  /{,usr/}bin/$program mrix," "$top/units/apparmor/dispatcherd.in" ||
        die "units/apparmor/dispatcherd lets the unit not run $program"
done

parser=$(PATH=$PATH:/usr/sbin:/sbin command -v apparmor_parser) || {
    echo "skipped: apparmor_parser was not found; on Debian: apt-get install apparmor"
    exit 77
}

# As make install installs them.
root=$scratch/root
make -s install-nodist_apparmorDATA DESTDIR="$root" apparmordir=/etc/apparmor.d >"$scratch/log" 2>&1 ||
    die "make install: $(tail -3 "$scratch/log")"
for name in "${named[@]}"; do
    profile=$root/etc/apparmor.d/$name
    [ -e "$profile" ] || die "make install installs no $name"
    grep -n '@[A-Za-z_]*@' "$profile" && die "$name has places that are not filled in"
    # Neither the kernel nor the cache of the machine is touched, nor does it matter what the kernel of
    # this machine can enforce.
    abi=$(sed -n 's/^abi <\(.*\)>,$/\1/p' "$profile")
    parse=("$parser" -Q -K --warn=all --kernel-features "/etc/apparmor.d/$abi")
    "${parse[@]}" "$profile" >"$scratch/log" 2>&1 || die "$name: $(cat "$scratch/log")"
    [ ! -s "$scratch/log" ] || die "$name: the parser warns: $(cat "$scratch/log")"
    # It reads what it is given: it does not take what is no rule.
    sed 's/^}/  no rule,\n}/' "$profile" >"$scratch/planted"
    "${parse[@]}" "$scratch/planted" >/dev/null 2>&1 && die "$name: a planted fault was taken"
done
exit 0
