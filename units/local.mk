# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
nodist_systemdsystemunit_DATA = \
	%D%/dispatcherd.service \
	%D%/dispatcherd-sockets.service \
	%D%/dispatcherd-kill.socket \
	%D%/dispatcherd-kill@.service \
	%D%/dispatcherd-web.service
dist_systemdsystemunit_DATA = \
	%D%/dispatcherd.slice \
	%D%/dispatcherd-web.socket
nodist_sysusers_DATA = %D%/dispatcherd.conf
nodist_logrotate_DATA = %D%/logrotate/dispatcherd
if WITH_APPARMOR
nodist_apparmor_DATA = $(APPARMOR_PROFILES)
endif

# In the units: AppArmorProfile=.
APPARMOR_PROFILES = \
	%D%/apparmor/dispatcherd \
	%D%/apparmor/dispatcherd-tcp_smtp_server

# Where journalctl looks for what journalctl -x says.
catalogdir = $(prefix)/lib/systemd/catalog
dist_catalog_DATA = %D%/dispatcherd.catalog

# What dispatcherd has no right to do itself.
worker_SCRIPTS = %D%/worker_kill

EXTRA_DIST += \
	%D%/apparmor/dispatcherd-tcp_smtp_server.in \
	%D%/apparmor/dispatcherd.in \
	%D%/dispatcherd-kill.socket.in \
	%D%/dispatcherd-kill@.service.in \
	%D%/worker_kill.sh \
	%D%/dispatcher.cnf \
	%D%/dispatcherd.service.in \
	%D%/dispatcherd-sockets.service.in \
	%D%/dispatcherd-web.service.in \
	%D%/logrotate.in \
	%D%/mappings \
	%D%/sample.cnf.in \
	%D%/sysusers.conf.in

CLEANFILES += \
	$(APPARMOR_PROFILES) \
	%D%/dispatcherd-kill.socket \
	%D%/dispatcherd-kill@.service \
	%D%/worker_kill \
	%D%/dispatcherd.conf \
	%D%/dispatcherd.service \
	%D%/dispatcherd-sockets.service \
	%D%/dispatcherd-web.service \
	%D%/logrotate/dispatcherd

%D%/logrotate/dispatcherd: %D%/logrotate.in Makefile
	$(SUBSTITUTE) $< > $@

%D%/apparmor/dispatcherd: %D%/apparmor/dispatcherd.in Makefile
	$(SUBSTITUTE) $< > $@

%D%/apparmor/dispatcherd-tcp_smtp_server: %D%/apparmor/dispatcherd-tcp_smtp_server.in Makefile
	$(SUBSTITUTE) $< > $@

%D%/dispatcherd.service: %D%/dispatcherd.service.in Makefile
	$(SUBSTITUTE) $< > $@

%D%/dispatcherd-sockets.service: %D%/dispatcherd-sockets.service.in Makefile
	$(SUBSTITUTE) $< > $@

%D%/dispatcherd-kill.socket: %D%/dispatcherd-kill.socket.in Makefile
	$(SUBSTITUTE) $< > $@

%D%/dispatcherd-kill@.service: %D%/dispatcherd-kill@.service.in Makefile
	$(SUBSTITUTE) $< > $@

%D%/worker_kill: %D%/worker_kill.sh
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $< $@ && chmod 755 $@

%D%/dispatcherd-web.service: %D%/dispatcherd-web.service.in Makefile
	$(SUBSTITUTE) $< > $@

%D%/dispatcherd.conf: %D%/sysusers.conf.in Makefile
	$(SUBSTITUTE) $< > $@

# An administrator's files are never written over, and are left behind unless they are the ones that
# were installed.
CONFIGURATION_FILES = dispatcher.cnf mappings

install-data-local: install-configuration
uninstall-local: uninstall-configuration
.PHONY: install-configuration uninstall-configuration

install-configuration:
	$(MKDIR_P) '$(DESTDIR)$(configdir)'
	for file in $(CONFIGURATION_FILES); do \
		test -e "$(DESTDIR)$(configdir)/$$file" || \
			$(INSTALL_DATA) "$(srcdir)/%D%/$$file" \
				"$(DESTDIR)$(configdir)/$$file" || exit; \
	done

uninstall-configuration:
	for file in $(CONFIGURATION_FILES); do \
		if cmp -s "$(srcdir)/%D%/$$file" "$(DESTDIR)$(configdir)/$$file"; then \
			rm -f "$(DESTDIR)$(configdir)/$$file"; \
		fi; \
	done
	-rmdir '$(DESTDIR)$(configdir)' 2>/dev/null || :

# Those of the folders that were made for us alone, once they are empty.
uninstall-hook:
	rm -f '$(DESTDIR)$(workerdir)/tls.so'
	rm -rf '$(DESTDIR)$(pythonpackagedir)/__pycache__'
	for folder in '$(workerdir)' '$(schemadir)' '$(dispatcherincludedir)' \
			'$(pythonexamplesdir)' '$(examplesdir)' '$(docdir)' '$(pythonpackagedir)'; do \
		rmdir "$(DESTDIR)$$folder" 2>/dev/null || :; \
	done

# Workers find a library in a place such as /usr/local/lib by the linker's cache alone.
install-exec-hook:
	if test -z '$(DESTDIR)' && test "$$(id -u)" = 0 && command -v ldconfig >/dev/null; then \
		ldconfig; \
	fi

# Nobody links tls.so, or executes it. journalctl reads a database that is made of the catalogs in these
# two places.
install-data-hook:
	rm -f '$(DESTDIR)$(workerdir)/tls.la'
	test ! -e '$(DESTDIR)$(workerdir)/tls.so' || chmod 644 '$(DESTDIR)$(workerdir)/tls.so'
	case '$(DESTDIR)$(prefix)' in \
	/usr | /usr/local) \
		if test "$$(id -u)" = 0 && command -v journalctl >/dev/null; then \
			journalctl --update-catalog || :; \
		fi ;; \
	esac

# Servers that know nothing of dispatcherd: examples to copy.
examplesdir = $(docdir)/examples
dist_examples_DATA = \
	%D%/examples/README \
	%D%/examples/dovecot-proxy.cnf \
	%D%/examples/dovecot-proxy.conf \
	%D%/examples/dovecot-proxy.drop-in \
	%D%/examples/exim-inetd.cnf \
	%D%/examples/exim-inetd.drop-in \
	%D%/examples/git.cnf \
	%D%/examples/grafana-dashboard.json \
	%D%/examples/hello.cnf \
	%D%/examples/nginx-proxy.cnf \
	%D%/examples/nginx-proxy.conf \
	%D%/examples/nginx-proxy.drop-in \
	%D%/examples/postfix-pass.cnf \
	%D%/examples/postfix-pass.drop-in \
	%D%/examples/rsync.cnf
