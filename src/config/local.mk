noinst_LTLIBRARIES += libconfig.la

libconfig_la_SOURCES = \
	%D%/number.c \
	%D%/number.h \
	%D%/problem.c \
	%D%/problem.h
libconfig_la_LIBADD = libbase.la
