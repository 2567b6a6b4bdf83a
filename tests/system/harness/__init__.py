"""What the system tests are written with: one interface to a running dispatcherd, two ways to it."""
