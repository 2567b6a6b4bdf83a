check_LTLIBRARIES += libtestmapping.la
libtestmapping_la_SOURCES = \
	%D%/scene.c \
	%D%/scene.h
libtestmapping_la_CPPFLAGS = $(TEST_CPPFLAGS)
libtestmapping_la_CFLAGS = $(TEST_CFLAGS)
libtestmapping_la_LIBADD = libmapping.la

MAPPING_TESTS = \
	tests/mapping/test_port_access
check_PROGRAMS += $(MAPPING_TESTS)
TESTS += $(MAPPING_TESTS)

tests_mapping_test_port_access_SOURCES = %D%/test_port_access.c
tests_mapping_test_port_access_CPPFLAGS = $(TEST_CPPFLAGS)
tests_mapping_test_port_access_CFLAGS = $(TEST_CFLAGS)
tests_mapping_test_port_access_LDADD = libtestmapping.la $(TEST_LIBS)
