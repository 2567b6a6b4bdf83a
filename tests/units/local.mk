dist_check_SCRIPTS += \
	%D%/test_catalog.sh \
	%D%/test_man.sh
TESTS += \
	tests/units/test_catalog.sh \
	tests/units/test_man.sh
