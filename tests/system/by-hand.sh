#!/bin/sh
# The system tests against a dispatcherd that was started by hand.
exec "$(dirname "$0")/run" hand "$@"
