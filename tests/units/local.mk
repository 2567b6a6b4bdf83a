dist_check_SCRIPTS += %D%/test_catalog.sh
TESTS += tests/units/test_catalog.sh
