#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# dispatcher-worker-test: the workers of this tree keep the rules; those that break one each are found.
set -u

here=$(cd "$(dirname "$0")" && pwd)
kit=$PWD/dispatcher-worker-test
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

die()
{
    echo "FAILED: $*" >&2
    exit 1
}

command -v python3 >/dev/null || { echo 'skipped: python3 was not found' && exit 77; }

# expect_usage WORDS ARGUMENT...: refused, with the words.
expect_usage()
{
    local words=$1 status

    shift
    "$kit" "$@" >"$scratch/out" 2>&1
    status=$?
    [ $status -eq 2 ] || die "status $status of $*"
    grep -q -- "$words" "$scratch/out" || die "$*: $(cat "$scratch/out")"
}

expect_usage 'missing command'
expect_usage 'no command' --list cat
expect_usage "unknown rule 'x'" --rule x cat
expect_usage "invalid --limit '0': must be 1 to 100" --limit 0 cat
expect_usage "invalid --jobs '1x'" --jobs 1x cat
expect_usage "Try 'dispatcher-worker-test --help'" --no-such-option

# The sections are those of the manual; each name is listed once.
"$kit" --list >"$scratch/list" || die "--list"
[ "$(wc -l <"$scratch/list")" -ge 80 ] || die "only $(wc -l <"$scratch/list") rules"
[ -z "$(cut -d' ' -f1 "$scratch/list" | sort | uniq -d)" ] || die "a rule has two rows"
sed -E 's/.*"(.*)":.*/\1/' "$scratch/list" | sort -u | while read -r section; do
    grep -qxF ".SS $section" "$here/../../man/dispatcher-worker.7" ||
        grep -qxF ".SS \"$section\"" "$here/../../man/dispatcher-worker.7" || die "no section $section"
done || exit 1
"$kit" --list --rule drain.idle | grep -q '^drain.idle .*DRAIN ends a worker' || die "--list --rule"

# A program that is no worker, and one that is not there.
"$kit" --rule drain.idle cat >"$scratch/out" && die "cat is a worker"
grep -q '^BROKEN *greeting.hello ' "$scratch/out" || die "cat: $(cat "$scratch/out")"
"$kit" --rule greeting.hello /nowhere/worker >"$scratch/out" && die "nothing is a worker"
grep -q 'cannot start /nowhere/worker: No such file' "$scratch/out" || die "$(cat "$scratch/out")"

# passes WORDS ARGUMENT...: no rule is broken; so many are kept at least.
passes()
{
    local least=$1 kept

    shift
    # A sanitizer and a busy machine take their time.
    "$kit" --jobs 8 --limit 20 --say hello "$@" >"$scratch/out" || die "$*: $(grep -A9 '^BROKEN' "$scratch/out")"
    kept=$(sed -nE 's/^([0-9]+) kept, 0 broken, .*/\1/p' "$scratch/out")
    [ "${kept:-0}" -ge "$least" ] || die "$*: only ${kept:-0} kept: $(grep '^not tried' "$scratch/out")"
}

mkfifo "$scratch/stdin"
python3 "$here/echo_servers.py" "$scratch" <"$scratch/stdin" >"$scratch/ready" &
exec 9>"$scratch/stdin"
for ((i = 0; i < 100; i++)); do
    grep -q ready "$scratch/ready" && break
    sleep 0.1
done

passes 85 --parameter GREETING=hi tests/libdispatcher/example
passes 85 tests/libdispatcher/run_talkative_worker
passes 85 tests/libdispatcher/run_talkative_worker taking
passes 61 tests/libdispatcher/example.py
passes 85 --parameter COMMAND=/bin/cat ./inetd
passes 85 --parameter "BACKEND=$scratch/backend" --parameter PROXY=none ./proxy
passes 56 --parameter "TO=$scratch/taker" --parameter FORMAT=byte ./pass
exec 9>&-
# A third language, from the manual alone.
if perl -MSocket::MsgHdr -e 1 2>/dev/null; then
    passes 72 "$here/echo_worker.pl"
else
    echo 'Socket::MsgHdr was not found; on Debian: apt-get install libsocket-msghdr-perl'
fi

"$here/run_faults.py" "$kit" tests/kit/faulty_worker || die "run_faults.py"
echo 'all passed'
