#include "access/decisions.h"

#include "base/str.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

struct decisions {
    uint32_t n_max;
    uint32_t n;    /* in use */
    uint32_t next; /* the place of the next one */
    struct access_decision places[];
};

static size_t size_of(uint32_t n_max)
{
    return sizeof(struct decisions) + (size_t)n_max * sizeof(struct access_decision);
}

int decisions_new(uint32_t n_max, struct decisions **ret)
{
    if (n_max == 0)
        return -EINVAL;
    struct decisions *decisions =
        mmap(NULL, size_of(n_max), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (decisions == MAP_FAILED)
        return -ENOMEM;
    decisions->n_max = n_max;
    *ret = decisions;
    return 0;
}

void decisions_free(struct decisions *decisions)
{
    if (decisions)
        (void)munmap(decisions, size_of(decisions->n_max));
}

static void copy(char *to, size_t size, const char *from)
{
    size_t length = from ? strnlen(from, size - 1) : 0;

    if (length > 0)
        memcpy(to, from, length);
    to[length] = '\0';
}

static void copy_end(char *to, size_t size, const char *from)
{
    size_t length = from ? strlen(from) : 0;

    copy(to, size, length >= size ? from + (length - (size - 1)) : from);
}

/* Without carriage returns, and with a blank for each line end between two lines. */
static void copy_lines(char to[DECISION_TEXT_MAX], const char *from, size_t n_from)
{
    size_t n = 0;

    for (size_t i = 0; i < n_from && n + 1 < DECISION_TEXT_MAX; i++)
        if (from[i] != '\r')
            to[n++] = from[i] == '\n' ? ' ' : from[i];
    while (n > 0 && to[n - 1] == ' ')
        n--;
    to[n] = '\0';
}

void decisions_note(struct decisions *decisions, const struct access_decision_facts *facts)
{
    struct access_decision *decision = &decisions->places[decisions->next];

    decisions->next = (decisions->next + 1) % decisions->n_max;
    if (decisions->n < decisions->n_max)
        decisions->n++;
    decision->at = facts->at;
    decision->connection_id = facts->connection_id;
    decision->client = *facts->client;
    decision->local = *facts->local;
    decision->reason = facts->reason;
    decision->line = facts->line;
    copy(decision->service, sizeof(decision->service), facts->service);
    copy_end(decision->file, sizeof(decision->file), facts->file);
    copy(decision->pattern, sizeof(decision->pattern), facts->pattern);
    copy(decision->zone, sizeof(decision->zone), facts->zone);
    copy(decision->detail, sizeof(decision->detail), facts->detail);
    copy_lines(decision->text, facts->text, facts->n_text);
}

static bool is_about(const struct access_decision *decision, const struct address *client,
                     const char *service)
{
    return decision->client.family == client->family &&
           memcmp(decision->client.bytes, client->bytes, sizeof(client->bytes)) == 0 &&
           (!service || str_equal_nocase(decision->service, service));
}

const struct access_decision *decisions_next(const struct decisions *decisions,
                                             const struct address *client, const char *service,
                                             const struct access_decision *previous)
{
    uint32_t place = previous ? (uint32_t)(previous - decisions->places) : decisions->next;
    /* Places from here back to the oldest, which is the next one to be taken, or the first. */
    uint32_t n_older = (place + decisions->n_max - decisions->next) % decisions->n_max;

    if (!previous)
        n_older = decisions->n;
    else
        n_older -= decisions->n_max - decisions->n;
    for (; n_older > 0; n_older--) {
        place = (place + decisions->n_max - 1) % decisions->n_max;
        if (is_about(&decisions->places[place], client, service))
            return &decisions->places[place];
    }
    return NULL;
}

uint32_t decisions_n(const struct decisions *decisions)
{
    return decisions->n;
}
