/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include <stdbool.h>
#include <stdlib.h>

void suite_add_tests(Suite *suite, const char *name, SFun set_up, SFun tear_down,
                     const TTest *const tests[])
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; tests[i]; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    /* Seconds for one test, for what hangs: a busy machine and a sanitizer make a test take ten
     * times as long. Whoever wants another limit says so. */
    setenv("CK_DEFAULT_TIMEOUT", "600", false);
    SRunner *runner = srunner_create(make_suite());

    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
