# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
check_PROGRAMS += \
	tests/pool/test_policy \
	tests/pool/test_policy_life \
	tests/pool/test_policy_properties \
	tests/pool/test_pool
TESTS += \
	tests/pool/test_policy \
	tests/pool/test_policy_life \
	tests/pool/test_policy_properties \
	tests/pool/test_pool

tests_pool_test_policy_SOURCES = \
	%D%/policy_scene.c \
	%D%/policy_scene.h \
	%D%/test_policy.c
tests_pool_test_policy_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_policy_CFLAGS = $(TEST_CFLAGS)
tests_pool_test_policy_LDADD = libpool.a libbase.la $(TEST_LIBS)

tests_pool_test_policy_life_SOURCES = \
	%D%/policy_scene.c \
	%D%/policy_scene.h \
	%D%/test_policy_life.c
tests_pool_test_policy_life_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_policy_life_CFLAGS = $(TEST_CFLAGS)
tests_pool_test_policy_life_LDADD = libpool.a libbase.la $(TEST_LIBS)

tests_pool_test_policy_properties_SOURCES = \
	%D%/facts.c \
	%D%/facts.h \
	%D%/invariants.c \
	%D%/invariants.h \
	%D%/invariants_of_waiting.c \
	%D%/simulation.c \
	%D%/simulation.h \
	%D%/simulation_world.c \
	%D%/test_policy_properties.c
tests_pool_test_policy_properties_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_policy_properties_CFLAGS = $(TEST_CFLAGS)
tests_pool_test_policy_properties_LDADD = libpool.a libbase.la $(TEST_LIBS)

tests_pool_test_pool_SOURCES = %D%/test_pool.c
tests_pool_test_pool_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_pool_CFLAGS = $(TEST_CFLAGS)
tests_pool_test_pool_LDADD = libpool.a libbase.la $(TEST_LIBS)
