noinst_LTLIBRARIES += libpool.la

libpool_la_SOURCES = \
	%D%/policy.c \
	%D%/policy.h \
	%D%/pool.c \
	%D%/pool.h
