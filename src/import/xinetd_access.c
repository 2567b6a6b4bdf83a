/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "import/xinetd_access.h"

#include "import/foreign_networks.h"

#include <string.h>

static bool has_item(const struct str_list *list, const char *item)
{
    for (size_t i = 0; i < list->n_items; i++)
        if (strcmp(list->items[i], item) == 0)
            return true;
    return false;
}

/* Adds the networks of the words to the list, except for those that are removed, as words or as
 * networks. Returns whether all words are networks, and not names. */
static bool add_words(struct importing *importing, const struct xinetd_attribute *attribute,
                      const struct str_list *removed_words, const struct str_list *removed,
                      struct foreign_service *service, struct str_list *list)
{
    bool is_whole = true;

    for (size_t i = 0; attribute && i < attribute->values.n_items; i++) {
        const char *word = attribute->values.items[i];
        struct str_list networks = {0};

        if (has_item(removed_words, word))
            continue;
        if (!foreign_network_add(importing, word, &networks)) {
            import_add(
                importing, &service->notes,
                "%.40s: %.200s is a name: PORT_ACCESS has addresses and networks only; it is "
                "left out.",
                attribute->name, word);
            is_whole = false;
        }
        for (size_t k = 0; k < networks.n_items; k++)
            if (!has_item(removed, networks.items[k]))
                import_add(importing, list, "%s", networks.items[k]);
        str_list_clear(&networks);
    }
    return is_whole;
}

/* The service's own list replaces that of the defaults, or changes it. Returns whether all of it
 * has been translated. */
static bool add_access(struct importing *importing, const struct xinetd_attribute *own,
                       const struct xinetd_attribute *common, struct foreign_service *service,
                       struct str_list *list)
{
    static const struct str_list none;
    struct str_list removed = {0};
    bool is_whole = true;

    for (size_t i = 0; own && i < own->removed.n_items; i++)
        (void)foreign_network_add(importing, own->removed.items[i], &removed);
    if (!own || own->is_change)
        is_whole =
            add_words(importing, common, own ? &own->removed : &none, &removed, service, list);
    is_whole &= add_words(importing, own, &none, &none, service, list);
    str_list_clear(&removed);
    return is_whole;
}

void xinetd_set_access(struct importing *importing, const struct xinetd *xinetd,
                       const struct xinetd_entry *entry, struct foreign_service *service)
{
    const struct xinetd_attribute *own = xinetd_find(entry, "only_from"),
                                  *common = xinetd_find(&xinetd->defaults, "only_from");

    service->has_allowed = own || common;
    (void)add_access(importing, own, common, service, &service->allowed);
    own = xinetd_find(entry, "no_access");
    common = xinetd_find(&xinetd->defaults, "no_access");
    if (!add_access(importing, own, common, service, &service->denied)) {
        service->is_disabled = true;
        import_add(
            importing, &service->notes,
            "Off, since no_access denies names: deny their addresses, then remove ENABLE=0.");
    }
}
