#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# The Debian packages: NEWS, configure and Fedora's spec agree on the version; each file that make
# install installs is in exactly one package, and nothing is listed that is not installed; the symbols
# are those of the library's map; the delivered configuration has no service until lines are uncommented.
set -u

top=$(cd "${srcdir:-.}" && pwd)
debian=$top/packaging/debian
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

die()
{
    echo "FAILED: $*" >&2
    exit 1
}

version=$(sed -nE '1s/^dispatcherd ([0-9.]+).*/\1/p' "$top/NEWS")
grep -q "^AC_INIT(\[dispatcherd\], \[$version\])" "$top/configure.ac" ||
    die "configure.ac has another version than NEWS, $version"
grep -qE "^Version: +$version\$" "$top/packaging/dispatcherd.spec" ||
    die "dispatcherd.spec has another version than NEWS, $version"

sed -f "$debian/dispatcher.cnf.sed" "$top/units/dispatcher.cnf" >"$scratch/delivered.cnf"
grep -q '^\[' "$scratch/delivered.cnf" && die "the delivered dispatcher.cnf has a section"
grep -q '^! No service is active' "$scratch/delivered.cnf" || die "it does not say how to begin"
sed '/^!\[SERVICE=SMTP\]/,$s/^!//' "$scratch/delivered.cnf" | sed '/^! No service/,/^!$/d' |
    diff "$top/units/dispatcher.cnf" - || die "uncommented, it is not units/dispatcher.cnf"

sed -nE 's/^ +(dispatcher_[a-z_]+);/\1/p' "$top/src/libdispatcher/libdispatcher.map" | sort >"$scratch/map"
sed -nE 's/^ (dispatcher_[a-z_]+)@.*/\1/p' "$debian/libdispatcher0.symbols" | sort |
    diff "$scratch/map" - || die "libdispatcher0.symbols differs from libdispatcher.map"

# What make would install, from a build folder that is configured.
[ -e Makefile ] || exit 77
root=$scratch/root
make -s install DESTDIR="$root" prefix=/usr sysconfdir=/etc libdir=/usr/lib/TRIPLET \
    libexecdir=/usr/libexec mandir=/usr/share/man \
    datarootdir=/usr/share systemdsystemunitdir=/UNIT_DIR systemdsystemgeneratordir=/GENERATOR_DIR \
    sysusersdir=/usr/lib/sysusers.d logrotatedir=/etc/logrotate.d apparmordir=/etc/apparmor.d \
    bashcompletiondir=/usr/share/bash-completion/completions \
    pythondir=/usr/lib/python3/dist-packages >"$scratch/log" 2>&1 ||
    die "make install: $(tail -3 "$scratch/log")"

# A file for each pattern, "PACKAGE PATH" in the list.
: >"$scratch/packed"
for list in "$debian"/*.install "$debian/not-installed"; do
    name=${list##*/}
    while read -r pattern; do
        case $pattern in '' | '#'*) continue ;; esac
        pattern=${pattern//\$\{env:UNIT_DIR\}/UNIT_DIR}
        pattern=${pattern//\$\{env:GENERATOR_DIR\}/GENERATOR_DIR}
        # shellcheck disable=SC2086 # patterns are meant
        found=$(cd "$root" && find $pattern ! -type d 2>/dev/null)
        [ -n "$found" ] || die "$name: make install installs no $pattern"
        echo "$found" >>"$scratch/packed"
    done <"$list"
done
(cd "$root" && find . ! -type d | sed 's|^\./||') | sort >"$scratch/installed"
sort "$scratch/packed" | diff "$scratch/installed" - ||
    die "left: installed, but in no package; right: in two packages"

# Fedora's lists of files, with the places of above; manuals are compressed there.
sed -n '/^%files/,/^%changelog/p' "$top/packaging/dispatcherd.spec" | sed -nE \
    -e 's/^(%config\([a-z]+\) )?(%\{_|\/)/\2/; /^%\{(_|python3_)/!d; /license|%dir/d; /_mandir/s/\*$//' \
    -e 's|%\{_sysconfdir\}|etc|; s|%\{_bindir\}|usr/bin|; s|%\{_sbindir\}|usr/sbin|' \
    -e 's|%\{_libexecdir\}|usr/libexec|; s|%\{_libdir\}|usr/lib/TRIPLET|; s|%\{_prefix\}|usr|' \
    -e 's|%\{_includedir\}|usr/include|; s|%\{_mandir\}|usr/share/man|; s|%\{_docdir\}|usr/share/doc|' \
    -e 's|%\{_unitdir\}|UNIT_DIR|; s|%\{_systemdgeneratordir\}|GENERATOR_DIR|' \
    -e 's|%\{_sysusersdir\}|usr/lib/sysusers.d|; s|%\{_datadir\}|usr/share|; s|%\{name\}|dispatcherd|g' \
    -e 's|%\{python3_sitelib\}|usr/lib/python3/dist-packages|; p' \
    >"$scratch/spec"
while read -r pattern; do
    # shellcheck disable=SC2086 # patterns are meant
    found=$(cd "$root" && find $pattern ! -type d 2>/dev/null)
    [ -n "$found" ] || die "dispatcherd.spec: make install installs no $pattern"
    echo "$found"
done <"$scratch/spec" >"$scratch/packed"
sort "$scratch/packed" |
    diff <(grep -v -e '^etc/apparmor\.d/' -e '\.la$' "$scratch/installed") - ||
    die "left: installed, but not in dispatcherd.spec; right: twice there"
version=$(sed -nE '1s/^dispatcherd ([0-9.]+).*/\1/p' "$top/NEWS")
grep -q "^Version: *$version\$" "$top/packaging/dispatcherd.spec" ||
    die "dispatcherd.spec is not of version $version"

for tool in rpmspec rpmlint; do
    command -v $tool >/dev/null || {
        echo "skipped, but for the lists of files: $tool was not found; on Debian: apt-get install rpm rpmlint"
        exit 77
    }
done
rpmspec -P "$top/packaging/dispatcherd.spec" >/dev/null 2>"$scratch/log" || die "rpmspec: $(cat "$scratch/log")"
[ ! -s "$scratch/log" ] || die "rpmspec: $(cat "$scratch/log")"
rpmlint --rpmlintrc "$top/packaging/dispatcherd.rpmlintrc" "$top/packaging/dispatcherd.spec" \
    >"$scratch/log" 2>&1 || die "rpmlint: $(cat "$scratch/log")"
grep -E ': [EW]: ' "$scratch/log" && die "rpmlint complains"
exit 0
