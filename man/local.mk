# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
dist_man_MANS += man/dispatcher.cnf.5
dist_man_MANS += man/dispatcher-mappings.5
dist_man_MANS += man/dispatcher-inetd.8
dist_man_MANS += man/tcp_smtp_server.8
dist_man_MANS += \
	%D%/dispatcher-worker.3 \
	%D%/dispatcher-worker.7
dist_man_MANS += \
	man/dispatcherctl.1 \
	man/dispatcherd.8
dist_man_MANS += \
	man/dispatcherd-journal.7 \
	man/dispatcherd-web.8
dist_man_MANS += %D%/dispatcher-pass.8
dist_man_MANS += %D%/dispatcher-worker-test.1
dist_man_MANS += %D%/dispatcher-proxy.8

# Of README.md.
EXTRA_DIST += %D%/page.png
