# Fuzz targets, each with its corpus in corpus/NAME/.

EXTRA_DIST += %D%/corpus/message

if ENABLE_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_message
tests_fuzz_fuzz_message_SOURCES = %D%/fuzz_message.c
tests_fuzz_fuzz_message_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_message_LDADD = libprotocol.la libbase.la
endif
