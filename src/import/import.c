/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "import/import.h"

#include "base/macro.h"
#include "import/forms.h"
#include "import/settle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    void (*read)(struct importing *importing, const struct import_source *source);
    void (*finish)(struct importing *importing); /* NULL: nothing is left to do */
} forms[] = {
    [IMPORT_DISPATCHER] = {"dispatcher.cnf", import_dispatcher, import_dispatcher_finish},
    [IMPORT_XINETD] = {"xinetd", import_xinetd, import_xinetd_finish},
    [IMPORT_INETD] = {"inetd", import_inetd, NULL},
    [IMPORT_MASTER_CF] = {"master.cf", import_master_cf, NULL},
};

int import_form_find(const char *name, enum import_form *ret)
{
    for (size_t i = 0; i < ELEMENTSOF(forms); i++)
        if (strcmp(forms[i].name, name) == 0) {
            *ret = (enum import_form)i;
            return 0;
        }
    return -EINVAL;
}

int import_run(enum import_form form, const struct import_host *host,
               const struct import_source sources[], size_t n_sources, struct import_result *ret)
{
    struct importing importing = {.host = host};
    size_t size = 0;

    for (size_t i = 0; i < n_sources; i++)
        size += sources[i].size;
    if (size > IMPORT_MAX_BYTES)
        return -EFBIG;
    int r = importing_start(&importing);
    for (size_t i = 0; i < n_sources && r == 0; i++) {
        import_comment(&importing, "Translated from %s by dispatcherctl import.", sources[i].name);
        forms[form].read(&importing, &sources[i]);
    }
    if (r == 0 && forms[form].finish)
        forms[form].finish(&importing);
    r = importing_end(&importing, r, ret);
    if (r < 0)
        return r;
    unsigned n_services;
    r = import_settle(&ret->config, &n_services);
    if (r < 0) {
        import_result_clear(ret);
        return r;
    }
    ret->n_services -= n_services;
    ret->n_left_out += n_services;
    return 0;
}

void import_result_clear(struct import_result *result)
{
    free(result->config);
    free(result->mappings);
    *result = (struct import_result){0};
}
