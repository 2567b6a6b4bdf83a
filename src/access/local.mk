noinst_LTLIBRARIES += libaccess.la

libaccess_la_SOURCES = \
	%D%/concurrency.c \
	%D%/concurrency.h \
	%D%/proxy_header.c \
	%D%/proxy_header.h \
	%D%/proxy_reader.c \
	%D%/proxy_reader.h \
	%D%/rejection.c \
	%D%/rejection.h \
	%D%/source.c \
	%D%/source.h \
	%D%/throttle.c \
	%D%/throttle.h
libaccess_la_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS)
libaccess_la_LIBADD = libbase.la $(LIBSYSTEMD_LIBS)
