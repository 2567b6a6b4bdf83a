check_PROGRAMS += \
	tests/base/test_address \
	tests/base/test_str
TESTS += \
	tests/base/test_address \
	tests/base/test_str

tests_base_test_address_SOURCES = %D%/test_address.c
tests_base_test_address_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_address_CFLAGS = $(TEST_CFLAGS)
tests_base_test_address_LDADD = libbase.la $(TEST_LIBS)

tests_base_test_str_SOURCES = %D%/test_str.c
tests_base_test_str_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_str_CFLAGS = $(TEST_CFLAGS)
tests_base_test_str_LDADD = libbase.la $(TEST_LIBS)
