noinst_LTLIBRARIES += libvarlink.la

libvarlink_la_SOURCES = \
	%D%/frames.c \
	%D%/frames.h \
	%D%/message.c \
	%D%/message.h
libvarlink_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
libvarlink_la_LIBADD = $(JANSSON_LIBS)
