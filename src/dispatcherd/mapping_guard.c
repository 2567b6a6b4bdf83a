#include "dispatcherd/mapping_guard.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static bool decides(const struct mapping_set *set)
{
    const struct mapping_table *table = set ? mapping_set_find(set, MAPPING_PORT_ACCESS) : NULL;

    return table && table->n_entries > 0;
}

static const char *fault(const struct mapping_set *set)
{
    if (set->files.n_items == 0)
        return "the file does not exist";
    if (set->is_empty)
        return "the file is empty";
    if (mapping_set_find(set, MAPPING_PORT_ACCESS))
        return MAPPING_PORT_ACCESS " has no entries";
    return "there is no table " MAPPING_PORT_ACCESS;
}

int mapping_guard(const struct mapping_set *in_force, const struct mapping_set *new_set,
                  const char *path, struct problem_list *problems)
{
    if (!decides(in_force) || decides(new_set))
        return 0;
    problem_add(problems, PROBLEM_ERROR, path, 0,
                "%s, and the tables in force stay; to serve everybody from now on, "
                "give " MAPPING_PORT_ACCESS " the entry: * $Y",
                fault(new_set));
    return -EINVAL;
}

/* Nothing in the pattern or the template keeps a client from getting $Y. */
static bool permits_everybody(const struct mapping_entry *entry)
{
    const struct pattern_element *element = entry->pattern.elements;

    if (entry->pattern.n_elements != 1 || element->kind != PATTERN_MANY || element->set)
        return false;
    for (size_t i = 0; i < entry->template.n_elements; i++)
        if (entry->template.elements[i].kind != TEMPLATE_FLAG &&
            entry->template.elements[i].kind != TEMPLATE_TEXT)
            return false;
    return (entry->template.flags & FLAG_OF('Y')) &&
           !(entry->template.flags & (FLAG_OF('N') | FLAG_OF('F')));
}

void mapping_guard_check_limit(const struct config *config, const struct mapping_set *set,
                               struct problem_list *problems)
{
    const struct mapping_table *table = mapping_set_find(set, MAPPING_PORT_ACCESS);
    const struct mapping_entry *last =
        table && table->n_entries > 0 ? &table->entries[table->n_entries - 1] : NULL;

    for (size_t i = 0; last && permits_everybody(last) && i < config->n_services; i++) {
        const struct service_options *service = &config->services[i];
        const struct origin *at = &service->origins[OPTION_MAX_CONNS_PER_ADDRESS];

        if (!service->is_enabled || service->max_conns_per_address == 0)
            continue;
        problem_add(problems, PROBLEM_WARNING, at->file, at->line,
                    "MAX_CONNS_PER_ADDRESS=%u of the service %s limits nobody: the entry at "
                    "%.300s:%u accepts everybody by $Y, which exempts from it; "
                    "conn_throttle,concurrent in an entry before limits all the same",
                    service->max_conns_per_address, service->name, last->file, last->line);
        return;
    }
}

void mapping_guard_check_link(const char *path, struct problem_list *problems)
{
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && stat(path, &st) < 0 && errno == ENOENT)
        problem_add(problems, PROBLEM_WARNING, path, 0,
                    "the link leads to no file, so that everybody is served");
}
