/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/config/config_hash.h"

#include "base/siphash.h"
#include "base/str.h"
#include "config/option_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Nobody gains by a collision with his own configuration, so the key need not be secret. */
static const struct siphash_key no_key;

static void config_hash_write(uint64_t hash, char text[CONFIG_HASH_MAX])
{
    snprintf(text, CONFIG_HASH_MAX, "%016" PRIx64, hash);
}

/* Everybody may see the hash, and a PARAMETER may hold a password: whoever tries guesses learns
 * eight bits about it. Of 256 changes of a PARAMETER, one is not seen for that. */
static unsigned config_hash_parameters(const struct service_options *service)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < service->parameters.n_items; i++) {
        const char *item = service->parameters.items[i];
        const struct siphash_key key = {{hash, i + 1}};

        hash = siphash(&key, item, strlen(item));
    }
    return (unsigned)(hash & 0xff);
}

/* All that is in force for the service, a line each. Returns 0 if there is no memory. */
static uint64_t config_hash_service(const struct service_options *service)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    uint64_t hash = 0;

    if (!stream)
        return 0;
    fprintf(stream, "[%s] %d\n", service->unit_name, service->is_enabled);
    for (enum option_id id = 0; id < N_OPTIONS; id++) {
        const struct option *option = &option_table[id];

        if ((option->scopes & SCOPE_SERVICE) && id != OPTION_PARAMETER)
            option->type->print(option->name, option_place_const(option, service), stream);
    }
    fprintf(stream, "%u\n", config_hash_parameters(service));
    if (fclose(stream) == 0)
        hash = siphash(&no_key, text, size);
    free(text);
    return hash;
}

static void config_hash_print(enum option_id id, const void *place, FILE *stream)
{
    option_table[id].type->print(option_table[id].name, place, stream);
}

static void config_hash_print_dispatcher(const struct config *config, FILE *stream)
{
    config_hash_print(OPTION_DEBUG, &config->debug, stream);
    config_hash_print(OPTION_DNS_SERVERS, &config->dns_servers, stream);
    config_hash_print(OPTION_FLEET, &config->fleet, stream);
    config_hash_print(OPTION_FLEET_ADDRESSES, &config->fleet_addresses, stream);
    config_hash_print(OPTION_FLEET_WAIT, &config->fleet_wait_msec, stream);
    config_hash_print(OPTION_HISTORICAL_TIME, &config->historical_time_sec, stream);
    config_hash_print(OPTION_LOGFILE, &config->logfile, stream);
    config_hash_print(OPTION_RECORD, &config->record, stream);
}

static int config_hash_compare(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

    return (one > other) - (one < other);
}

void config_hash(const struct config *config, char text[CONFIG_HASH_MAX])
{
    uint64_t *hashes = calloc(config->n_services + 1, sizeof(*hashes));
    char *whole = NULL;
    size_t size = 0;
    FILE *stream = hashes ? open_memstream(&whole, &size) : NULL;
    bool is_whole = stream != NULL;

    text[0] = '\0';
    for (size_t i = 0; is_whole && i < config->n_services; i++) {
        hashes[i] = config_hash_service(&config->services[i]);
        is_whole = hashes[i] != 0;
    }
    if (is_whole) {
        qsort(hashes, config->n_services, sizeof(*hashes), config_hash_compare);
        config_hash_print_dispatcher(config, stream);
        for (size_t i = 0; i < config->n_services; i++)
            fprintf(stream, "%" PRIx64 "\n", hashes[i]);
    }
    if (stream && fclose(stream) == 0 && is_whole)
        config_hash_write(siphash(&no_key, whole, size), text);
    free(whole);
    free(hashes);
}

/* Copies the lines that matter. Returns their length. */
static size_t config_hash_take_lines(const char *from, size_t size, char *to)
{
    size_t n = 0;

    for (size_t i = 0; i < size;) {
        const char *end = memchr(from + i, '\n', size - i);
        size_t length = (end ? (size_t)(end - from) : size) - i, shown = length;

        while (shown > 0 && strchr(STR_BLANKS "\r", from[i + shown - 1]))
            shown--;
        if (shown > 0 && from[i] != '!') {
            memcpy(to + n, from + i, shown);
            n += shown;
            to[n++] = '\n';
        }
        i += length + 1;
    }
    return n;
}

void config_hash_mappings(int fd, char text[CONFIG_HASH_MAX])
{
    struct stat st;

    text[0] = '\0';
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < 0)
        return;
    size_t size = (size_t)st.st_size;
    /* A line without an end gets one. */
    char *lines = malloc(size + 1);
    char *bytes = size > 0 ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    if (lines && bytes != MAP_FAILED)
        config_hash_write(siphash(&no_key, lines, config_hash_take_lines(bytes, size, lines)),
                          text);
    if (bytes && bytes != MAP_FAILED)
        (void)munmap(bytes, size);
    free(lines);
}
