# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
check_LIBRARIES += libtestconfig.a
libtestconfig_a_SOURCES = \
	%D%/fixture.c \
	%D%/fixture.h
libtestconfig_a_CPPFLAGS = $(TEST_CPPFLAGS)
libtestconfig_a_CFLAGS = $(TEST_CFLAGS)

CONFIG_TESTS = \
	tests/config/test_interface_address \
	tests/config/test_load \
	tests/config/test_number \
	tests/config/test_option_table \
	tests/config/test_print
check_PROGRAMS += $(CONFIG_TESTS)
TESTS += $(CONFIG_TESTS)

tests_config_test_load_SOURCES = %D%/test_load.c
tests_config_test_load_CPPFLAGS = $(TEST_CPPFLAGS)
tests_config_test_load_CFLAGS = $(TEST_CFLAGS)
tests_config_test_load_LDADD = libtestconfig.a $(LINK_CONFIG) $(TEST_LIBS)

tests_config_test_number_SOURCES = %D%/test_number.c
tests_config_test_number_CPPFLAGS = $(TEST_CPPFLAGS)
tests_config_test_number_CFLAGS = $(TEST_CFLAGS)
tests_config_test_number_LDADD = $(LINK_CONFIG) $(TEST_LIBS)

tests_config_test_option_table_SOURCES = %D%/test_option_table.c
tests_config_test_option_table_CPPFLAGS = $(TEST_CPPFLAGS)
tests_config_test_option_table_CFLAGS = $(TEST_CFLAGS)
tests_config_test_option_table_LDADD = $(LINK_CONFIG) $(TEST_LIBS)

tests_config_test_print_SOURCES = %D%/test_print.c
tests_config_test_print_CPPFLAGS = $(TEST_CPPFLAGS)
tests_config_test_print_CFLAGS = $(TEST_CFLAGS)
tests_config_test_print_LDADD = libtestconfig.a $(LINK_CONFIG) $(TEST_LIBS)

tests_config_test_interface_address_SOURCES = %D%/test_interface_address.c
tests_config_test_interface_address_CPPFLAGS = $(TEST_CPPFLAGS)
tests_config_test_interface_address_CFLAGS = $(TEST_CFLAGS)
tests_config_test_interface_address_LDADD = $(LINK_CONFIG) $(TEST_LIBS)
