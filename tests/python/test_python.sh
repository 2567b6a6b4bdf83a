#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# dispatcher_worker: its messages, what it does with a dispatcherd that the tests play, its documentation,
# and the examples, which keep every rule that dispatcher-worker-test knows.
set -u

here=$(cd "$(dirname "$0")" && pwd)
source=$here/../../src/python
kit=$PWD/dispatcher-worker-test
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export PYTHONPATH=$source PYTHONDONTWRITEBYTECODE=1

die()
{
    echo "FAILED: $*" >&2
    exit 1
}

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    { echo 'skipped: no Python 3.11' && exit 77; }

for check in messages threads asyncio forkserver; do
    python3 "$here/check_$check.py" >"$scratch/out" 2>&1 || die "$check: $(cat "$scratch/out")"
done

# Each public name is documented.
python3 - <<'END' || die "documentation"
import inspect
import dispatcher_worker as package
for name in package.__all__:
    thing = getattr(package, name)
    assert inspect.getdoc(thing), name
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                assert inspect.getdoc(value), f"{name}.{member}"
END

# Imports go one way.
python3 - "$source"/dispatcher_worker/*.py <<'END' || die "imports"
import ast, graphlib, pathlib, sys
imports = {}
for path in map(pathlib.Path, sys.argv[1:]):
    froms = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom) and node.level]
    imports[path.stem] = {name for node in froms for name in ([node.module] if node.module else [each.name for each in node.names])}
assert imports["_life"]
tuple(graphlib.TopologicalSorter(imports).static_order())
END

# Without a dispatcherd.
python3 "$source/examples/echo.py" 3</dev/null >"$scratch/out" 2>&1
status=$?
[ $status -eq 1 ] || die "status $status without a channel"
[ "$(cat "$scratch/out")" = 'descriptor 3 is no control channel: this program is started by dispatcherd' ] ||
    die "without a channel: $(cat "$scratch/out")"

# passes LEAST ARGUMENT...: no rule is broken, and only those of the ring are not tried.
passes()
{
    local least=$1 kept

    shift
    "$kit" --limit 60 "$@" >"$scratch/out" || die "$*: $(grep -A9 '^BROKEN' "$scratch/out")"
    kept=$(sed -nE 's/^([0-9]+) kept, 0 broken, .*/\1/p' "$scratch/out")
    [ "${kept:-0}" -ge "$least" ] || die "$*: only ${kept:-0} kept: $(grep '^not tried' "$scratch/out")"
}

passes 76 --say hello "$source/examples/echo.py"
passes 76 --say hello "$source/examples/echo_async.py"
passes 74 --say hello "$source/examples/forked.py"
if /usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null; then
    passes 76 --say NOOP --parameter "MAILDIR=$scratch/mail" "$source/examples/aiosmtpd_worker.py"
else
    echo 'aiosmtpd was not found; on Debian: apt-get install python3-aiosmtpd'
fi
echo 'all passed'
