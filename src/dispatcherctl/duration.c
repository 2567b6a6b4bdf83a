#include "dispatcherctl/duration.h"

#include "base/time.h"

#include <stdio.h>

static void two_units(uint64_t value, unsigned small_in_large, const char *large, const char *small,
                      char text[DURATION_TEXT_MAX])
{
    uint64_t rest = value % small_in_large;

    if (rest > 0)
        snprintf(text, DURATION_TEXT_MAX, "%" PRIu64 "%s %" PRIu64 "%s", value / small_in_large,
                 large, rest, small);
    else
        snprintf(text, DURATION_TEXT_MAX, "%" PRIu64 "%s", value / small_in_large, large);
}

const char *duration_format(uint64_t usec, char text[DURATION_TEXT_MAX])
{
    uint64_t sec = usec / USEC_PER_SEC;

    if (usec > 0 && usec < USEC_PER_MSEC)
        snprintf(text, DURATION_TEXT_MAX, "%" PRIu64 "us", usec);
    else if (sec == 0)
        snprintf(text, DURATION_TEXT_MAX, "%" PRIu64 "ms", usec / USEC_PER_MSEC);
    else if (sec < 60)
        snprintf(text, DURATION_TEXT_MAX, "%" PRIu64 "s", sec);
    else if (sec < 3600)
        two_units(sec, 60, "min", "s", text);
    else if (sec < 86400)
        two_units(sec / 60, 60, "h", "min", text);
    else
        two_units(sec / 3600, 24, "d", "h", text);
    return text;
}
