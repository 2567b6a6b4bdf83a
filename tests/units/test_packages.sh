#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# A library that is missing: configure names the package that has it on this very system, and
# bootstrap installs it. A build without tests: bootstrap notices.
set -u

top=$(cd "${srcdir:-.}" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

die()
{
    echo "FAILED: $*" >&2
    exit 1
}

if ! command -v dpkg-query >/dev/null; then
    echo "skipped: this is not Debian"
    exit 77
fi

# The package that a file of pkg-config is from.
owner_of()
{
    local folders folder

    IFS=: read -ra folders <<<"$(pkg-config --variable pc_path pkg-config)"
    for folder in "${folders[@]}"; do
        [ ! -e "$folder/$1.pc" ] || dpkg-query -S "$folder/$1.pc" | sed 's/[:,].*//'
    done
}

n=0
while read -r module package; do
    owner=$(owner_of "$module")
    [ -n "$owner" ] || continue # not installed, or not from a package
    [ "$owner" = "$package" ] || die "configure.ac: $module.pc is in $owner, not in $package"
    grep -qw -- "$owner" "$top/bootstrap" || die "bootstrap does not install $owner"
    n=$((n + 1))
done < <(sed -nE 's/.*NEED_MODULE\(\[[A-Z]+\], \[([a-z]+)[^]]*\], \[([^]]+)\].*/\1 \2/p' "$top/configure.ac")
[ $n -ge 4 ] || die "only $n modules were looked at"

# "bootstrap check" sees by a line of config.status that "bootstrap run" has configured without tests. This
# build has them.
line=$(grep '"ENABLE_TESTS_TRUE"' config.status) || die "config.status says nothing of tests"
pattern=$(sed -n "s/.*grep -q '\(.*ENABLE_TESTS_TRUE.*\)' config.status.*/\1/p" "$top/bootstrap")
[ -n "$pattern" ] || die "bootstrap does not look for tests in config.status"
grep -q -- "$pattern" <<<"$line" && die "bootstrap takes a build with tests for one without"
grep -q -- "$pattern" <<<"${line/%\"\"/\"#\"}" || die "bootstrap takes a build without tests for one with"

# systemd.pc moved between two releases of Debian. Every module but this one, as links:
owner=$(owner_of systemd)
[ -n "$owner" ] || exit 0
unset PKG_CONFIG_PATH
mkdir "$scratch/modules" "$scratch/build"
IFS=: read -ra folders <<<"$(pkg-config --variable pc_path pkg-config)"
for folder in "${folders[@]}"; do
    [ ! -d "$folder" ] || ln -sf "$folder"/*.pc "$scratch/modules/"
done
rm "$scratch/modules/systemd.pc"
cd "$scratch/build" || exit
PKG_CONFIG_LIBDIR=$scratch/modules "$top/configure" -q >output 2>&1 && die "systemd is not needed"
grep -E "^configure: error: .*apt-get install $owner," output ||
    die "without systemd.pc of $owner: $(tail -1 output)"
grep -qw -- "$owner" "$top/bootstrap" || die "bootstrap does not install $owner"
