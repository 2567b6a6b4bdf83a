#include "dispatcherd/units_due.h"

#include "base/fd.h"
#include "generator/environment.h"
#include "generator/units.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where systemd has generators write (systemd.generator(7)). */
#define GENERATED_DIR "/run/systemd/generator"

/* A unit file is some 3 kB long. */
#define UNIT_FILE_MAX 65536

enum difference {
    SAME,
    CHANGED,
    MISSING,
};

static enum difference compare(const struct unit_list *units, const char *path)
{
    const struct unit_file *wanted = unit_list_find(units, path);
    char name[PATH_MAX];
    _cleanup_str_ char *text = malloc(UNIT_FILE_MAX);

    if (!wanted || !text)
        return SAME;
    snprintf(name, sizeof(name), "%s/%s", GENERATED_DIR, path);
    _cleanup_fd_ int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return MISSING;
    ssize_t n = read(fd, text, UNIT_FILE_MAX);
    return n == (ssize_t)strlen(wanted->text) && memcmp(text, wanted->text, (size_t)n) == 0
               ? SAME
               : CHANGED;
}

static enum difference compare_unit(const struct unit_list *units,
                                    const struct service_options *service, const char *suffix)
{
    char path[NAME_MAX + 1];

    snprintf(path, sizeof(path), "dispatcherd-%s%s", service->unit_name, suffix);
    return compare(units, path);
}

/* Returns whether something is due for the service. */
static bool check_service(const struct unit_list *units, const struct service_options *service,
                          struct problem_list *problems)
{
    enum difference socket = compare_unit(units, service, ".socket");
    enum difference tls = compare_unit(units, service, "-tls.socket");
    enum difference starter = compare_unit(units, service, "-worker.socket");
    enum difference worker = compare_unit(units, service, "-worker@.service");
    const struct origin *origin = &service->origin;

    if (socket == MISSING || tls == MISSING || starter != SAME || worker == MISSING)
        problem_add(problems, PROBLEM_WARNING, origin->file, origin->line,
                    "systemd does not know all units of %s yet; to follow: systemctl "
                    "daemon-reload && systemctl restart dispatcherd",
                    service->name);
    else if (socket == CHANGED || tls == CHANGED)
        problem_add(
            problems, PROBLEM_WARNING, origin->file, origin->line,
            "the sockets of %s are not yet what is written here; to follow: systemctl "
            "daemon-reload && systemctl restart dispatcherd.service dispatcherd-%s%s.socket",
            service->name, service->unit_name,
            socket == SAME ? "-tls" : (tls == SAME ? "" : "{,-tls}"));
    else if (worker == CHANGED)
        problem_add(problems, PROBLEM_WARNING, origin->file, origin->line,
                    "systemd still starts workers of %s as before; to follow: systemctl "
                    "daemon-reload && dispatcherctl restart %s",
                    service->name, service->name);
    else
        return false;
    return true;
}

static bool generator_ran_from(const char *config_file)
{
    return strcmp(config_file, CONFIG_DIR "/dispatcher.cnf") == 0 &&
           access(GENERATED_DIR "/" UNIT_DAEMON ".d", F_OK) == 0;
}

int units_due(const struct config *config, const char *config_file, struct problem_list *problems)
{
    const struct unit_environment environment = unit_environment_here(config_file);
    struct problem_list of_units = {0}; /* the generator's own business */
    struct unit_list units = {0};
    int n = 0;

    if (!generator_ran_from(config_file))
        return 0;
    int r = units_make(config, &environment, &of_units, &units);
    problem_list_clear(&of_units);
    if (r < 0)
        return r;
    for (size_t i = 0; i < config->n_services; i++)
        if (config->services[i].is_enabled)
            n += check_service(&units, &config->services[i], problems);
    unit_list_clear(&units);
    return n;
}
