#include "dispatcherd/access.h"

#include <errno.h>
#include <stdlib.h>

static unsigned random_percent(_unused_ void *data)
{
    return arc4random_uniform(100);
}

const struct mapping_hooks access_hooks = {.percent = random_percent};

static int init(struct access *access, sd_event *event)
{
    struct siphash_key key;

    int r = siphash_key_random(&key);
    if (r == 0)
        r = throttle_new(THROTTLE_KEYS_MAX, &key, &access->throttle);
    if (r == 0)
        r = concurrency_new(ACCESS_CONNECTIONS_MAX, &key, &access->concurrency);
    if (r == 0)
        r = rejections_new(event, &access->rejections);
    return r;
}

int access_new(sd_event *event, struct mapping_set *mappings, struct access **ret)
{
    struct access *access = calloc(1, sizeof(*access));

    if (!access)
        return -ENOMEM;
    access->mappings = mapping_set_ref(mappings);
    int r = init(access, event);
    if (r < 0) {
        access_free(access);
        return r;
    }
    *ret = access;
    return 0;
}

void access_free(struct access *access)
{
    if (!access)
        return;
    rejections_free(access->rejections);
    concurrency_free(access->concurrency);
    throttle_free(access->throttle);
    mapping_set_unref(access->mappings);
    free(access->spare);
    free(access);
}

void access_set_mappings(struct access *access, struct mapping_set *mappings)
{
    mapping_set_unref(access->mappings);
    access->mappings = mapping_set_ref(mappings);
}

bool access_has_table(const struct access *access)
{
    return access->mappings && mapping_set_find(access->mappings, MAPPING_PORT_ACCESS);
}

struct mapping_run *access_take_run(struct access *access)
{
    struct mapping_run *run = access->spare;

    access->spare = NULL;
    return run ? run : malloc(sizeof(*run));
}

void access_return_run(struct access *access, struct mapping_run *run)
{
    free(access->spare);
    access->spare = run;
}
