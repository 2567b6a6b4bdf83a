# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
dist_check_SCRIPTS += \
	%D%/test_apparmor.sh \
	%D%/test_catalog.sh \
	%D%/test_debian.sh \
	%D%/test_licence.sh \
	%D%/test_man.sh \
	%D%/test_owners.sh \
	%D%/test_packages.sh \
	%D%/test_restart_order.sh \
	%D%/test_rooms.sh \
	%D%/test_tested.sh
TESTS += \
	tests/units/test_apparmor.sh \
	tests/units/test_catalog.sh \
	tests/units/test_debian.sh \
	tests/units/test_licence.sh \
	tests/units/test_man.sh \
	tests/units/test_owners.sh \
	tests/units/test_packages.sh \
	tests/units/test_restart_order.sh \
	tests/units/test_rooms.sh \
	tests/units/test_tested.sh
