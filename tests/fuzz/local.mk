# dispatcher.cnf:
#   ./configure --enable-fuzzers CC=clang CFLAGS="-g -O1 -fsanitize=fuzzer-no-link,address,undefined"
#   make && tests/fuzz/fuzz_config tests/fuzz/corpus/config
if ENABLE_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_config
tests_fuzz_fuzz_config_SOURCES = %D%/fuzz_config.c
tests_fuzz_fuzz_config_LDADD = libconfig.la libbase.la
tests_fuzz_fuzz_config_LDFLAGS = -fsanitize=fuzzer,address,undefined
endif

EXTRA_DIST += \
	%D%/corpus/config/clash \
	%D%/corpus/config/continued \
	%D%/corpus/config/delivered \
	%D%/corpus/config/disabled \
	%D%/corpus/config/lists \
	%D%/corpus/config/numbers \
	%D%/corpus/config/sample
