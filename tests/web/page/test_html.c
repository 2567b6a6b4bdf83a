/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/random.h"
#include "support/suite.h"
#include "web/page/html.h"
#include "web/written.h"

#include "base/macro.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

static char *escaped(const char *text)
{
    FILE *stream = written_begin();

    html_text(stream, text);
    return written_end();
}

static void check(const char *text, const char *expected)
{
    char *result = escaped(text);

    ck_assert_str_eq(result, expected);
    free(result);
}

START_TEST(test_markup_becomes_text)
{
    check("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;");
    check("\" onload='x' `", "&quot; onload=&#39;x&#39; &#96;");
    check("&lt;", "&amp;lt;");
    check("--><!--", "--&gt;&lt;!--");
    check("]]>", "]]&gt;");
    check("plain: text, 100 %", "plain: text, 100 %");
    check("", "");
}
END_TEST

START_TEST(test_utf8_passes_and_what_is_none_is_replaced)
{
    check("Jürgen 日本 🙂", "Jürgen 日本 🙂");
    check("\xff", REPLACEMENT);
    check("\xc0\xbc", REPLACEMENT REPLACEMENT);                 /* an overlong "<" */
    check("\xe0\x80\xbc", REPLACEMENT REPLACEMENT REPLACEMENT); /* and one longer still */
    check("\xed\xa0\x80", REPLACEMENT REPLACEMENT REPLACEMENT); /* a surrogate */
    check("\xf4\x90\x80\x80", REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT);
    check("\xe2\x82", REPLACEMENT REPLACEMENT); /* ends too early */
    check("\xc3<", REPLACEMENT "&lt;");         /* swallows nothing */
}
END_TEST

START_TEST(test_controls_are_replaced)
{
    check("\x1b[31m", REPLACEMENT "[31m");
    check("a\tb\nc", "a\tb\nc");
    check("\xc2\x9b", REPLACEMENT);
    check("\xe2\x80\xae"
          "gnp.exe",
          REPLACEMENT "gnp.exe");
}
END_TEST

/* Whatever the bytes: no character that HTML gives a meaning to, and every "&" is ours. */
START_TEST(test_no_bytes_get_through)
{
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&#96;"};
    struct random_source source = random_start();

    for (unsigned round = 0; round < 20000; round++) {
        char text[32] = "";
        size_t length = random_between(&source, 0, sizeof(text) - 1);

        for (size_t i = 0; i < length; i++) {
            static const char special[] = "<>&\"'`\xc0\xe0\xf0\x80\xbf\xc2";
            bool is_special = random_between(&source, 0, 1);

            text[i] = is_special ? special[random_between(&source, 0, sizeof(special) - 2)]
                                 : (char)random_between(&source, 1, 255);
        }
        char *result = escaped(text);
        ck_assert_uint_eq(strcspn(result, "<>\"'`\x1b\x7f"), strlen(result));
        for (size_t k = 0; result[k]; k++) {
            bool is_entity = result[k] != '&';

            for (size_t i = 0; i < ELEMENTSOF(entities); i++)
                is_entity |= strncmp(&result[k], entities[i], strlen(entities[i])) == 0;
            ck_assert(is_entity);
        }
        free(result);
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("html");

    ADD_TESTS(suite, "text", test_markup_becomes_text,
              test_utf8_passes_and_what_is_none_is_replaced, test_controls_are_replaced);
    ADD_TESTS(suite, "properties", test_no_bytes_get_through);
    return suite;
}
