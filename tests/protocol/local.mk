check_PROGRAMS += \
	tests/protocol/test_channel \
	tests/protocol/test_message
TESTS += \
	tests/protocol/test_channel \
	tests/protocol/test_message

tests_protocol_test_channel_SOURCES = %D%/test_channel.c
tests_protocol_test_channel_CPPFLAGS = $(TEST_CPPFLAGS)
tests_protocol_test_channel_CFLAGS = $(TEST_CFLAGS)
tests_protocol_test_channel_LDADD = libprotocol.la libbase.la $(TEST_LIBS)

tests_protocol_test_message_SOURCES = %D%/test_message.c
tests_protocol_test_message_CPPFLAGS = $(TEST_CPPFLAGS)
tests_protocol_test_message_CFLAGS = $(TEST_CFLAGS)
tests_protocol_test_message_LDADD = libprotocol.la libbase.la $(TEST_LIBS)
