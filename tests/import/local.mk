# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
check_PROGRAMS += tests/import/import_file
dist_check_SCRIPTS += %D%/test_import.sh
TESTS += tests/import/test_import.sh

tests_import_import_file_SOURCES = %D%/import_file.c
tests_import_import_file_LDADD = $(LINK_IMPORT)

EXTRA_DIST += \
	%D%/data/inetd.conf \
	%D%/data/master.cf \
	%D%/data/oracle-grown.cnf \
	%D%/data/oracle-unified.cnf \
	%D%/data/pmdf-unix.cnf \
	%D%/data/pmdf-vms.cnf \
	%D%/data/pmdf-windows.cnf \
	%D%/data/sun-6.3-delivered.cnf \
	%D%/data/sun-addresses.cnf \
	%D%/data/sun-common-address.cnf \
	%D%/data/sun-guide.cnf \
	%D%/data/sun-lmtp-backend.cnf \
	%D%/data/sun-relay.cnf \
	%D%/data/sun-submission-tls.cnf \
	%D%/data/xinetd-access.conf \
	%D%/data/xinetd-examples.conf \
	%D%/data/xinetd-site.conf
