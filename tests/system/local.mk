check_PROGRAMS += tests/system/test_worker

# Without libtool's wrapper script: this very program is what dispatcherd starts.
tests_system_test_worker_SOURCES = %D%/test_worker.c
tests_system_test_worker_CFLAGS = $(AM_CFLAGS) -pthread
tests_system_test_worker_LDFLAGS = -no-install
tests_system_test_worker_LDADD = libdispatcher.la
