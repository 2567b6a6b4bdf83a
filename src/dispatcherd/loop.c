#include "dispatcherd/loop.h"

#include "base/log.h"

#include <stdint.h>
#include <string.h>

/* Turns in a row. A lack that lasts is not to be waited for here: a successor takes everything
 * over. */
#define FAILURES_MAX 10

int loop_run(sd_event *event)
{
    unsigned n_failures = 0;
    int code = 0;

    while (sd_event_get_state(event) != SD_EVENT_FINISHED) {
        int r = sd_event_run(event, UINT64_MAX);
        if (r >= 0) {
            n_failures = 0;
            continue;
        }
        if (++n_failures == FAILURES_MAX)
            return r;
        log_err("the main loop cannot wait for events: %s; trying again", strerror(-r));
    }
    (void)sd_event_get_exit_code(event, &code);
    return code;
}
