check_PROGRAMS += \
	tests/pool/test_policy \
	tests/pool/test_policy_life \
	tests/pool/test_pool
TESTS += \
	tests/pool/test_policy \
	tests/pool/test_policy_life \
	tests/pool/test_pool

tests_pool_test_policy_SOURCES = \
	%D%/policy_scene.c \
	%D%/policy_scene.h \
	%D%/test_policy.c
tests_pool_test_policy_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_policy_CFLAGS = $(TEST_CFLAGS)
tests_pool_test_policy_LDADD = libpool.la libbase.la $(TEST_LIBS)

tests_pool_test_policy_life_SOURCES = \
	%D%/policy_scene.c \
	%D%/policy_scene.h \
	%D%/test_policy_life.c
tests_pool_test_policy_life_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_policy_life_CFLAGS = $(TEST_CFLAGS)
tests_pool_test_policy_life_LDADD = libpool.la libbase.la $(TEST_LIBS)

tests_pool_test_pool_SOURCES = %D%/test_pool.c
tests_pool_test_pool_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_pool_CFLAGS = $(TEST_CFLAGS)
tests_pool_test_pool_LDADD = libpool.la libbase.la $(TEST_LIBS)
