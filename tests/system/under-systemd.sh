#!/bin/sh
# The system tests against dispatcherd as a service, in a container.
exec "$(dirname "$0")/run" systemd "$@"
