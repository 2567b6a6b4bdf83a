# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors

# Sessions of the SMTP worker:
#   fuzz_smtp_session tests/fuzz/corpus/smtp_session
if ENABLE_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_smtp_session
tests_fuzz_fuzz_smtp_session_SOURCES = %D%/fuzz_smtp_session.c
tests_fuzz_fuzz_smtp_session_LDADD = libsmtpserver.a libworkertls.a libworkeropenssl.a \
	libworkercommon.a libbase.la $(LIBSSL_LIBS)
tests_fuzz_fuzz_smtp_session_LDFLAGS = -fsanitize=fuzzer
endif

EXTRA_DIST += \
	%D%/corpus/smtp_session/deliver \
	%D%/corpus/smtp_session/helo \
	%D%/corpus/smtp_session/literals \
	%D%/corpus/smtp_session/other_commands \
	%D%/corpus/smtp_session/smtputf8 \
	%D%/corpus/smtp_session/smuggle_cr \
	%D%/corpus/smtp_session/smuggle_lf \
	%D%/corpus/smtp_session/starttls \
	%D%/corpus/smtp_session/starttls_injected \
	%D%/corpus/smtp_session/starttls_plain \
	%D%/corpus/smtp_session/starttls_twice \
	%D%/corpus/smtp_session/too_big \
	%D%/corpus/smtp_session/two_messages
# dispatcher.cnf:
#   ./configure --enable-fuzzers CC=clang CFLAGS="-g -O1 -fsanitize=fuzzer-no-link,address,undefined"
#   make && tests/fuzz/fuzz_config tests/fuzz/corpus/config
if ENABLE_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_config
tests_fuzz_fuzz_config_SOURCES = %D%/fuzz_config.c
tests_fuzz_fuzz_config_LDADD = $(LINK_CONFIG)
tests_fuzz_fuzz_config_LDFLAGS = -fsanitize=fuzzer,address,undefined
endif

EXTRA_DIST += \
	%D%/corpus/config/clash \
	%D%/corpus/config/continued \
	%D%/corpus/config/delivered \
	%D%/corpus/config/disabled \
	%D%/corpus/config/lists \
	%D%/corpus/config/numbers \
	%D%/corpus/config/proxy \
	%D%/corpus/config/sample \
	%D%/corpus/config/zone
# Fuzz targets, each with its corpus in corpus/NAME/.

EXTRA_DIST += %D%/corpus/message

if ENABLE_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_message
tests_fuzz_fuzz_message_SOURCES = %D%/fuzz_message.c
tests_fuzz_fuzz_message_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_message_LDADD = libprotocol.la libbase.la
endif

# The control socket:
#   tests/fuzz/fuzz_varlink tests/fuzz/corpus/varlink
if ENABLE_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_varlink
tests_fuzz_fuzz_varlink_SOURCES = \
	%D%/fuzz_varlink.c \
	tests/dispatcherd/control_scene.c \
	tests/dispatcherd/control_scene.h
tests_fuzz_fuzz_varlink_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_fuzz_fuzz_varlink_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_varlink_LDADD = $(LINK_DAEMON)
tests_fuzz_fuzz_varlink_LDFLAGS = -fsanitize=fuzzer
endif

EXTRA_DIST += \
	%D%/corpus/varlink/broken \
	%D%/corpus/varlink/commands \
	%D%/corpus/varlink/introspection \
	%D%/corpus/varlink/lists \
	%D%/corpus/varlink/oneway \
	%D%/corpus/varlink/status \
	%D%/corpus/varlink/stranger

# Mapping files, and patterns with strings:
#   tests/fuzz/fuzz_mapping_file tests/fuzz/corpus/mapping_file
#   tests/fuzz/fuzz_mapping_match tests/fuzz/corpus/mapping_match
if ENABLE_FUZZERS
noinst_PROGRAMS += \
	tests/fuzz/fuzz_mapping_file \
	tests/fuzz/fuzz_mapping_match
tests_fuzz_fuzz_mapping_file_SOURCES = %D%/fuzz_mapping_file.c
tests_fuzz_fuzz_mapping_file_LDADD = $(LINK_MAPPING)
tests_fuzz_fuzz_mapping_file_LDFLAGS = -fsanitize=fuzzer
tests_fuzz_fuzz_mapping_match_SOURCES = %D%/fuzz_mapping_match.c
tests_fuzz_fuzz_mapping_match_LDADD = $(LINK_MAPPING)
tests_fuzz_fuzz_mapping_match_LDFLAGS = -fsanitize=fuzzer
endif

EXTRA_DIST += \
	%D%/corpus/mapping_file/callouts \
	%D%/corpus/mapping_file/delivered \
	%D%/corpus/mapping_file/doubts \
	%D%/corpus/mapping_file/foreign \
	%D%/corpus/mapping_file/loops \
	%D%/corpus/mapping_file/metermaid \
	%D%/corpus/mapping_file/networks \
	%D%/corpus/mapping_match/elements \
	%D%/corpus/mapping_match/hard \
	%D%/corpus/mapping_match/networks \
	%D%/corpus/mapping_match/probe
# The PROXY protocol, and who may speak it:
#   tests/fuzz/fuzz_proxy_header tests/fuzz/corpus/proxy_header
#   tests/fuzz/fuzz_networks tests/fuzz/corpus/networks
if ENABLE_FUZZERS
noinst_PROGRAMS += \
	tests/fuzz/fuzz_networks \
	tests/fuzz/fuzz_proxy_header
tests_fuzz_fuzz_networks_SOURCES = %D%/fuzz_networks.c
tests_fuzz_fuzz_networks_LDADD = $(LINK_FILES)
tests_fuzz_fuzz_networks_LDFLAGS = -fsanitize=fuzzer
tests_fuzz_fuzz_proxy_header_SOURCES = %D%/fuzz_proxy_header.c
tests_fuzz_fuzz_proxy_header_LDADD = $(LINK_ACCESS)
tests_fuzz_fuzz_proxy_header_LDFLAGS = -fsanitize=fuzzer
endif

EXTRA_DIST += \
	%D%/corpus/networks/both_families \
	%D%/corpus/networks/everybody \
	%D%/corpus/networks/host_bits \
	%D%/corpus/networks/mapped \
	%D%/corpus/proxy_header/v1_longest \
	%D%/corpus/proxy_header/v1_tcp4 \
	%D%/corpus/proxy_header/v1_tcp6 \
	%D%/corpus/proxy_header/v1_unknown \
	%D%/corpus/proxy_header/v2_local \
	%D%/corpus/proxy_header/v2_tcp4_tlvs \
	%D%/corpus/proxy_header/v2_tcp6 \
	%D%/corpus/proxy_header/v2_unix

# What name servers and IDENT servers send:
#   tests/fuzz/fuzz_dns_answer tests/fuzz/corpus/dns_answer
#   tests/fuzz/fuzz_ident_reply tests/fuzz/corpus/ident_reply
if ENABLE_FUZZERS
noinst_PROGRAMS += \
	tests/fuzz/fuzz_dns_answer \
	tests/fuzz/fuzz_ident_reply
tests_fuzz_fuzz_dns_answer_SOURCES = %D%/fuzz_dns_answer.c
tests_fuzz_fuzz_dns_answer_LDADD = $(LINK_DNS)
tests_fuzz_fuzz_dns_answer_LDFLAGS = -fsanitize=fuzzer
tests_fuzz_fuzz_ident_reply_SOURCES = %D%/fuzz_ident_reply.c
tests_fuzz_fuzz_ident_reply_LDADD = $(LINK_ACCESS)
tests_fuzz_fuzz_ident_reply_LDFLAGS = -fsanitize=fuzzer
endif

EXTRA_DIST += \
	%D%/corpus/dns_answer/cname \
	%D%/corpus/dns_answer/listed \
	%D%/corpus/dns_answer/no_data \
	%D%/corpus/dns_answer/no_such_name \
	%D%/corpus/dns_answer/servfail \
	%D%/corpus/dns_answer/several \
	%D%/corpus/dns_answer/text \
	%D%/corpus/ident_reply/charset \
	%D%/corpus/ident_reply/error \
	%D%/corpus/ident_reply/half \
	%D%/corpus/ident_reply/other_ports \
	%D%/corpus/ident_reply/unprintable \
	%D%/corpus/ident_reply/user

# What the store of a fleet sends:
#   tests/fuzz/fuzz_fleet_answer tests/fuzz/corpus/fleet_answer
if ENABLE_FUZZERS
if WITH_FLEET
noinst_PROGRAMS += tests/fuzz/fuzz_fleet_answer
tests_fuzz_fuzz_fleet_answer_SOURCES = %D%/fuzz_fleet_answer.c
tests_fuzz_fuzz_fleet_answer_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS)
tests_fuzz_fuzz_fleet_answer_LDADD = $(LINK_DAEMON)
tests_fuzz_fuzz_fleet_answer_LDFLAGS = -fsanitize=fuzzer
endif
endif

EXTRA_DIST += \
	%D%/corpus/fleet_answer/answer \
	%D%/corpus/fleet_answer/answer_open \
	%D%/corpus/fleet_answer/empty \
	%D%/corpus/fleet_answer/greeting \
	%D%/corpus/fleet_answer/huge \
	%D%/corpus/fleet_answer/moved \
	%D%/corpus/fleet_answer/nested \
	%D%/corpus/fleet_answer/nil \
	%D%/corpus/fleet_answer/other \
	%D%/corpus/fleet_answer/refused

# What a worker writes to its ring:
#   tests/fuzz/fuzz_ring tests/fuzz/corpus/ring
if ENABLE_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_ring
tests_fuzz_fuzz_ring_SOURCES = %D%/fuzz_ring.c
tests_fuzz_fuzz_ring_LDADD = libprotocol.la libbase.la
tests_fuzz_fuzz_ring_LDFLAGS = -fsanitize=fuzzer
endif

EXTRA_DIST += \
	%D%/corpus/ring/full \
	%D%/corpus/ring/one_acknowledgement

# Configurations of other dispatchers:
#   tests/fuzz/fuzz_import tests/fuzz/corpus/import
if ENABLE_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_import
tests_fuzz_fuzz_import_SOURCES = %D%/fuzz_import.c
tests_fuzz_fuzz_import_LDADD = $(LINK_IMPORT) $(LINK_MAPPING)
tests_fuzz_fuzz_import_LDFLAGS = -fsanitize=fuzzer
endif

EXTRA_DIST += \
	%D%/corpus/import/inetd \
	%D%/corpus/import/master_cf \
	%D%/corpus/import/oracle-grown \
	%D%/corpus/import/oracle-unified \
	%D%/corpus/import/pmdf-vms \
	%D%/corpus/import/pmdf-windows \
	%D%/corpus/import/sun-addresses \
	%D%/corpus/import/sun-common-address \
	%D%/corpus/import/sun-relay \
	%D%/corpus/import/xinetd \
	%D%/corpus/import/xinetd-access

# Recordings:
#   tests/fuzz/fuzz_recording tests/fuzz/corpus/recording
if ENABLE_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_recording
tests_fuzz_fuzz_recording_SOURCES = %D%/fuzz_recording.c
tests_fuzz_fuzz_recording_LDADD = $(LINK_SIMULATE)
tests_fuzz_fuzz_recording_LDFLAGS = -fsanitize=fuzzer
endif

EXTRA_DIST += \
	%D%/corpus/recording/burst \
	%D%/corpus/recording/memory \
	%D%/corpus/recording/restart
