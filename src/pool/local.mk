noinst_LIBRARIES += libpool.a

libpool_a_SOURCES = \
	%D%/policy.c \
	%D%/policy.h \
	%D%/pool.c \
	%D%/pool.h
