#include "mapping/pattern.h"

#include "mapping/character.h"

#include <assert.h>
#include <string.h>

/* Matching walks through the elements from left to right. Only MANY has a choice, of where to end;
 * `choices` holds one for each that was made. When something further right does not fit, the newest
 * choice is made anew, and when it has none left, the one before.
 *
 * Whether the rest of the pattern fits behind a place does not depend on how that was reached, as
 * long as the pattern has no back match. So each end of each MANY is tried once: `failed` keeps
 * them in mind, and matching takes at most stars x length tries. */

#define STARS_MAX PATTERN_BYTES_MAX
#define WORD_BITS 64
#define WORDS_MAX (PATTERN_INPUT_MAX / WORD_BITS + 1)

struct choice {
    const struct pattern_element *element;
    uint16_t start; /* it may end from here … */
    uint16_t limit; /* … to here */
    uint16_t end;
};

struct matcher {
    const struct pattern *pattern;
    const char *text;
    size_t length;
    struct pattern_field *fields;
    uint64_t steps;
    size_t n_choices;
    size_t n_words; /* of `failed` for each star; 0: not kept */
    struct choice choices[STARS_MAX];
    uint64_t failed[STARS_MAX * WORDS_MAX]; /* only as far as it is used */
};

static bool has(const struct character_set *set, char c)
{
    return !set || character_set_has(set, c);
}

static bool is_equal(const char *folded, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (folded[i] != character_fold(text[i]))
            return false;
    return true;
}

static bool is_equal_nocase(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (character_fold(a[i]) != character_fold(b[i]))
            return false;
    return true;
}

static void save(const struct matcher *m, const struct pattern_element *element, size_t start,
                 size_t length)
{
    if (element->field >= 0)
        m->fields[element->field] = (struct pattern_field){(uint16_t)start, (uint16_t)length};
}

static bool has_address(const struct network *network, const char *text, size_t length)
{
    uint8_t address[16];

    if (network->is_ipv6 ? !network_read_ipv6(text, length, address)
                         : !network_read_ipv4(text, length, address))
        return false;
    return network_contains(network, address);
}

/* An element that can match in one way only. Moves *at behind it. */
static bool pass(struct matcher *m, const struct pattern_element *element, size_t *at)
{
    const char *text = m->text + *at;
    size_t rest = m->length - *at, length = element->length;
    bool fits = false;

    m->steps++;
    switch (element->kind) {
    case PATTERN_TEXT:
        fits = length <= rest && is_equal(element->text, text, length);
        break;
    case PATTERN_ONE:
        length = 1;
        fits = rest > 0 && has(element->set, *text);
        break;
    case PATTERN_BACK:
        length = m->fields[element->number].length;
        m->steps += length;
        fits = length <= rest &&
               is_equal_nocase(m->text + m->fields[element->number].start, text, length);
        break;
    case PATTERN_NETWORK:
        length = network_span(text, rest, element->network->is_ipv6);
        m->steps += length;
        fits = has_address(element->network, text, length);
        break;
    case PATTERN_MANY:
        assert(false);
    }
    if (fits) {
        save(m, element, *at, length);
        *at += length;
    }
    return fits;
}

/* Choices */

static uint64_t *failed_word(struct matcher *m, const struct choice *choice)
{
    return &m->failed[choice->element->star * m->n_words + choice->end / WORD_BITS];
}

/* The choice's end may be worth a try. */
static bool is_candidate(struct matcher *m, const struct choice *choice)
{
    int16_t next = choice->element->next;

    m->steps++;
    if (next == PATTERN_NEXT_END)
        return choice->end == m->length;
    if (next != PATTERN_NEXT_ANY &&
        (choice->end == m->length || (char)next != character_fold(m->text[choice->end])))
        return false;
    return m->n_words == 0 || !(*failed_word(m, choice) >> (choice->end % WORD_BITS) & 1);
}

/* Moves the choice to its next end that is worth a try. Returns false where there is none. */
static bool next_end(struct matcher *m, struct choice *choice)
{
    do {
        if (choice->end == (choice->element->is_lazy ? choice->limit : choice->start))
            return false;
        if (choice->element->is_lazy)
            choice->end++;
        else
            choice->end--;
    } while (!is_candidate(m, choice));
    return true;
}

/* Begins a choice. Returns false where it has nothing to offer. */
static bool choose(struct matcher *m, const struct pattern_element *element, size_t at)
{
    struct choice *choice = &m->choices[m->n_choices];
    size_t limit = element->set ? at : m->length;

    while (limit < m->length && has(element->set, m->text[limit]))
        limit++;
    if (element->set)
        m->steps += limit - at;
    *choice = (struct choice){
        .element = element,
        .start = (uint16_t)at,
        .limit = (uint16_t)limit,
        .end = (uint16_t)(element->is_lazy ? at : limit),
    };
    if (!is_candidate(m, choice) && !next_end(m, choice))
        return false;
    m->n_choices++;
    return true;
}

/* What followed the newest choice did not fit: the next end, of it or of one before. */
static bool choose_again(struct matcher *m)
{
    while (m->n_choices > 0) {
        struct choice *choice = &m->choices[m->n_choices - 1];

        if (m->n_words > 0)
            *failed_word(m, choice) |= UINT64_C(1) << (choice->end % WORD_BITS);
        if (next_end(m, choice))
            return true;
        m->n_choices--;
    }
    return false;
}

static enum pattern_outcome match(struct matcher *m)
{
    const struct pattern_element *element = m->pattern->elements;
    const struct pattern_element *end = element + m->pattern->n_elements;
    size_t at = 0;

    for (;;) {
        bool fits = element == end                  ? at == m->length
                    : element->kind == PATTERN_MANY ? choose(m, element, at)
                                                    : pass(m, element, &at);

        if (m->steps > PATTERN_STEPS_MAX)
            return PATTERN_TOO_HARD;
        if (fits && element == end)
            return PATTERN_MATCHES;
        if (!fits && !choose_again(m))
            return PATTERN_DIFFERS;
        if (!fits || element->kind == PATTERN_MANY) {
            const struct choice *choice = &m->choices[m->n_choices - 1];

            element = choice->element;
            at = choice->end;
            save(m, element, choice->start, (size_t)(choice->end - choice->start));
        }
        element++;
    }
}

enum pattern_outcome pattern_match(const struct pattern *pattern, const char *text, size_t length,
                                   struct pattern_field fields[PATTERN_FIELDS_MAX], uint64_t *steps)
{
    struct matcher m; /* its arrays are filled as far as they are used */

    assert(length <= PATTERN_INPUT_MAX && pattern->n_stars <= STARS_MAX);
    m.pattern = pattern;
    m.text = text;
    m.length = length;
    m.fields = fields;
    m.steps = 0;
    m.n_choices = 0;
    /* One star alone never comes to the same place twice. */
    m.n_words = pattern->n_stars > 1 && !pattern->has_back ? length / WORD_BITS + 1 : 0;
    memset(m.failed, 0, pattern->n_stars * m.n_words * sizeof(m.failed[0]));
    enum pattern_outcome outcome = match(&m);
    *steps += m.steps;
    return outcome;
}
