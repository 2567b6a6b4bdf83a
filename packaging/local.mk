# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# ./bootstrap deb makes Debian packages of these; the .spec is for Fedora.
EXTRA_DIST += \
	%D%/debian/control \
	%D%/debian/copyright \
	%D%/debian/dispatcher.cnf.sed \
	%D%/debian/dispatcherd-doc.docs \
	%D%/debian/dispatcherd-doc.install \
	%D%/debian/dispatcherd-doc.lintian-overrides \
	%D%/debian/dispatcherd.docs \
	%D%/debian/dispatcherd.install \
	%D%/debian/dispatcherd.lintian-overrides \
	%D%/debian/dispatcherd.postinst \
	%D%/debian/dispatcherd.postrm \
	%D%/debian/dispatcherd.triggers \
	%D%/debian/libdispatcher-dev.install \
	%D%/debian/libdispatcher-dev.lintian-overrides \
	%D%/debian/libdispatcher0.install \
	%D%/debian/libdispatcher0.lintian-overrides \
	%D%/debian/libdispatcher0.symbols \
	%D%/debian/libdispatcher0.triggers \
	%D%/debian/not-installed \
	%D%/debian/python3-dispatcher-worker.install \
	%D%/debian/python3-dispatcher-worker.lintian-overrides \
	%D%/debian/rules \
	%D%/debian/source/format \
	%D%/debian/tests/build-example \
	%D%/debian/tests/by-hand \
	%D%/debian/tests/control \
	%D%/debian/tests/under-systemd \
	%D%/debian/user.sed \
	%D%/dispatcherd.rpmlintrc \
	%D%/dispatcherd.spec
