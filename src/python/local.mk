# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
#
# Nothing is compiled here; Python does that when it first imports a file.
pythondir = $(prefix)/lib/$(PYTHON_FOLDER)/dist-packages
pythonpackagedir = $(pythondir)/dispatcher_worker
dist_pythonpackage_DATA = \
	%D%/dispatcher_worker/__init__.py \
	%D%/dispatcher_worker/_asyncio.py \
	%D%/dispatcher_worker/_channel.py \
	%D%/dispatcher_worker/_connection.py \
	%D%/dispatcher_worker/_drain.py \
	%D%/dispatcher_worker/_exceptions.py \
	%D%/dispatcher_worker/_life.py \
	%D%/dispatcher_worker/_limit.py \
	%D%/dispatcher_worker/_log.py \
	%D%/dispatcher_worker/_manager.py \
	%D%/dispatcher_worker/_messages.py \
	%D%/dispatcher_worker/_outbox.py \
	%D%/dispatcher_worker/_threads.py \
	%D%/dispatcher_worker/_tls.py \
	%D%/dispatcher_worker/_welcome.py \
	%D%/dispatcher_worker/_worker.py \
	%D%/dispatcher_worker/forkserver.py \
	%D%/dispatcher_worker/py.typed

pythonexamplesdir = $(docdir)/examples/python
dist_pythonexamples_SCRIPTS = \
	%D%/examples/aiosmtpd_worker.py \
	%D%/examples/echo.py \
	%D%/examples/echo_async.py \
	%D%/examples/forked.py
