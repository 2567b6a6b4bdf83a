#include "dispatcherd/check.h"

#include "access/concurrency.h"
#include "access/dns_list.h"
#include "access/proxy_reader.h"
#include "base/time.h"
#include "dispatcherd/access.h"
#include "dispatcherd/check_report.h"
#include "dispatcherd/completion.h"
#include "dispatcherd/context.h"
#include "dispatcherd/hangup.h"
#include "dispatcherd/identity.h"

#include <stdlib.h>
#include <string.h>

enum check_stage {
    CHECK_PROXY,   /* who the client is, where another server brings it to us */
    CHECK_ADDRESS, /* how many connections it has already */
    CHECK_MAPPING, /* PORT_ACCESS */
    CHECK_LISTS,   /* DNS_VERIFY_DOMAIN; not where an entry of PORT_ACCESS has decided */
    CHECK_PASSED,
    CHECK_REFUSED, /* refusal says why */
    CHECK_GONE,    /* the client has left */
};

struct check {
    TAILQ_ENTRY(check) link; /* in service->checks */
    struct connection *connection;
    enum check_stage stage;
    bool is_waiting; /* for somebody's answer */
    bool has_waited;
    struct refusal refusal;
    struct proxy_reader *proxy;        /* owned */
    struct mapping_set *mappings;      /* of the run; one reference */
    struct mapping_run *run;           /* owned */
    struct dns_request *request;       /* owned, until it is answered */
    struct stored_check stored;        /* while it waits for a DNS list */
    sd_event_source *hangup_source;    /* while waiting for another than the client */
    enum statistics_rejection cause;   /* what the last callout that succeeded stands for */
    const struct mapping_entry *entry; /* that decided, the set's; NULL: none has */
};

static void advance(struct check *check);

static struct access *access_of(const struct check *check)
{
    return check->connection->service->context->access;
}

static const struct service_options *options_of(const struct check *check)
{
    return check->connection->service->options;
}

static void refuse(struct check *check, enum statistics_rejection reason, const char *what)
{
    check->refusal.reason = reason;
    check->refusal.what = what;
    check->stage = CHECK_REFUSED;
}

static void answer_is_there(struct check *check)
{
    check->is_waiting = false;
    check->hangup_source = sd_event_source_disable_unref(check->hangup_source);
    advance(check);
}

/* The PROXY header */

static void on_proxy_header(struct proxy_reader *reader, const struct proxy_result *result,
                            void *userdata)
{
    struct check *check = userdata;
    struct connection *connection = check->connection;

    switch (result->outcome) {
    case PROXY_READ:
        if (result->is_proxied) {
            connection->peer = result->peer;
            connection->local = result->local;
        }
        check->stage = CHECK_ADDRESS;
        break;
    case PROXY_CLOSED:
        check->stage = CHECK_GONE;
        break;
    case PROXY_INVALID:
    case PROXY_TIMED_OUT:
    case PROXY_FAILED:
        refuse(check, REJECTED_FOR_PROXY_HEADER, result->fault);
        break;
    }
    proxy_reader_free(reader);
    check->proxy = NULL;
    answer_is_there(check);
}

static void read_proxy_header(struct check *check)
{
    struct connection *connection = check->connection;

    if (!options_of(check)->proxy_protocol || connection->is_readmitted) {
        check->stage = CHECK_ADDRESS;
        return;
    }
    if (!network_list_contains(&options_of(check)->proxy_upstreams, &connection->peer)) {
        refuse(check, REJECTED_FOR_PROXY_HEADER, "it is none of PROXY_UPSTREAMS");
        return;
    }
    int r = proxy_reader_start(connection->service->context->event, connection->fd,
                               PROXY_READER_LIMIT_USEC, on_proxy_header, check, &check->proxy);
    if (r < 0)
        refuse(check, REJECTED_FOR_ERROR, strerror(-r));
    else
        check->is_waiting = true;
}

/* How many connections the address has */

static void count_address(struct check *check)
{
    unsigned limit = options_of(check)->max_conns_per_address;
    uint32_t n = connection_count_address(check->connection);

    check->stage = CHECK_MAPPING;
    if (limit > 0 && n > limit)
        refuse(check, REJECTED_FOR_ADDRESS, "MAX_CONNS_PER_ADDRESS");
}

/* PORT_ACCESS */

static void resume(struct check *check, bool succeeded, const char *text)
{
    if (succeeded)
        check->cause = refusal_cause(check->run->callout.routine);
    mapping_run_resume(check->run, succeeded, text);
}

static void on_callout_answer(_unused_ struct dns_request *request,
                              const struct dns_lists_answer *answer, void *userdata)
{
    struct check *check = userdata;

    check->request = NULL;
    resume(check, answer->is_listed, answer->text);
    answer_is_there(check);
}

static void ask_list(struct check *check)
{
    const struct callout *callout = &check->run->callout;
    const char *const zones[] = {callout->zone};
    struct dns_lists_answer answer = {0};

    int r = dns_lists_ask(access_of(check)->lists, &callout->address, zones, ELEMENTSOF(zones),
                          true, on_callout_answer, check, &check->request, &answer);
    if (r == 0)
        check->is_waiting = true;
    else
        resume(check, r > 0 && answer.is_listed, answer.text);
}

static void answer_callout(struct check *check)
{
    struct access *access = access_of(check);
    const struct callout *callout = &check->run->callout;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    const struct address *address = &callout->address;
    bool is_over;

    switch (callout->routine) {
    case CALLOUT_THROTTLE:
        is_over = throttle_is_over(access->throttle, THROTTLE_PLAIN, address, callout->limit, now);
        resume(check, is_over, NULL);
        break;
    case CALLOUT_THROTTLE_PENALTY:
        is_over =
            throttle_is_over(access->throttle, THROTTLE_PENALTY, address, callout->limit, now);
        resume(check, is_over, NULL);
        break;
    case CALLOUT_CONCURRENT:
        is_over =
            concurrency_lookup(check->connection->service->addresses, address) > callout->limit;
        resume(check, is_over, NULL);
        break;
    case CALLOUT_DNS_LIST:
        ask_list(check);
        break;
    }
}

/* What the run has come to. The texts that a refusal points to are good until the next verdict. */
static void judge(struct check *check)
{
    static struct port_access verdict;

    port_access_judge(check->run, &verdict);
    if (verdict.has_hit_limit)
        check_report_limit(check->connection);
    check_report_notes(check->connection, &verdict, check->cause);
    check->entry = verdict.entry;
    if (verdict.is_rejected) {
        refuse(check, check->cause, NULL);
        check->refusal.entry = verdict.entry;
        check->refusal.text = verdict.reply;
        check->refusal.text_length = verdict.reply_length;
        return;
    }
    connection_set_texts(check->connection, verdict.tag, verdict.log_text);
    check->stage = verdict.is_matched ? CHECK_PASSED : CHECK_LISTS;
}

/* False where there is no table, or nothing that it could be asked. */
static bool begin_run(struct check *check)
{
    const struct connection *connection = check->connection;
    struct access *access = access_of(check);
    char probe[PORT_ACCESS_PROBE_MAX];

    if (!access_has_table(access) ||
        port_access_probe(&connection->local, &connection->peer, probe) < 0)
        return false;
    check->run = access_take_run(access);
    if (!check->run) {
        refuse(check, REJECTED_FOR_ERROR, "there is no memory for its check");
        return true;
    }
    check->mappings = mapping_set_ref(access->mappings);
    check->cause = REJECTED_BY_MAPPING;
    mapping_run_start(check->run, check->mappings, MAPPING_PORT_ACCESS, probe,
                      PORT_ACCESS_INPUT_FLAGS, &access_hooks);
    return true;
}

static void run_mapping(struct check *check)
{
    if (!check->run && !begin_run(check)) {
        check->stage = CHECK_LISTS;
        return;
    }
    while (check->stage == CHECK_MAPPING && !check->is_waiting) {
        if (mapping_run_step(check->run) == MAPPING_CALLOUT)
            answer_callout(check);
        else
            judge(check);
    }
}

/* DNS_VERIFY_DOMAIN */

static void take_lists_answer(struct check *check, const struct dns_lists_answer *answer)
{
    check->stage = CHECK_PASSED;
    if (!answer->is_listed)
        return;
    refuse(check, REJECTED_BY_DNS_LIST, NULL);
    check->refusal.zone = answer->zone;
    check->refusal.text = dns_list_rejection(check->connection->local.port);
    check->refusal.text_length = strlen(check->refusal.text);
}

static void on_lists_answer(_unused_ struct dns_request *request,
                            const struct dns_lists_answer *answer, void *userdata)
{
    struct check *check = userdata;

    check->request = NULL;
    take_lists_answer(check, answer);
    answer_is_there(check);
}

/* Whatever goes wrong here accepts: a list that cannot be asked must not stop the mail. */
static void ask_lists(struct check *check)
{
    const struct str_list *zones = &options_of(check)->dns_verify_domains;
    struct dns_lists_answer answer = {0};
    int r = 1;

    if (zones->n_items > 0)
        r = dns_lists_ask(access_of(check)->lists, &check->connection->peer,
                          (const char *const *)zones->items, zones->n_items, false, on_lists_answer,
                          check, &check->request, &answer);
    if (r == 0)
        check->is_waiting = true;
    else
        take_lists_answer(check, &answer);
}

/* The end */

static void free_check(struct check *check)
{
    checks_store_leave(access_of(check)->checks_store, &check->stored);
    TAILQ_REMOVE(&check->connection->service->checks, check, link);
    sd_event_source_disable_unref(check->hangup_source);
    proxy_reader_free(check->proxy);
    dns_request_cancel(check->request);
    if (check->run)
        access_return_run(access_of(check), check->run);
    mapping_set_unref(check->mappings);
    free(check);
}

static void close_gone(struct check *check)
{
    struct connection *connection = check->connection;

    free_check(check);
    completion_gone(connection, time_now_usec(CLOCK_MONOTONIC));
}

static int on_hangup(_unused_ sd_event_source *source, _unused_ int fd, uint32_t events,
                     void *userdata)
{
    struct check *check = userdata;
    struct service *service = check->connection->service;

    if (!hangup_is_gone(check->connection, events)) {
        (void)sd_event_source_set_io_events(check->hangup_source, 0);
        return 0;
    }
    close_gone(check);
    service_touch(service);
    return 0;
}

/* A client that goes away while others are asked about it needs no place any more. */
static void watch_hangup(struct check *check)
{
    if (!check->proxy && !check->hangup_source)
        (void)sd_event_add_io(check->connection->service->context->event, &check->hangup_source,
                              check->connection->fd, EPOLLRDHUP, on_hangup, check);
}

static void pass(struct connection *connection, uint64_t now)
{
    identity_ask(connection);
    connection_wait(connection, now);
}

static void finish(struct check *check)
{
    struct connection *connection = check->connection;
    struct service *service = connection->service;
    struct refusal refusal = check->refusal;
    /* The refusal's entry is the set's. */
    _cleanup_mapping_set_ _unused_ struct mapping_set *mappings =
        check->mappings ? mapping_set_ref(check->mappings) : NULL;
    const struct mapping_entry *entry = check->entry;
    enum check_stage stage = check->stage;
    bool has_waited = check->has_waited;

    if (stage == CHECK_GONE) {
        close_gone(check);
    } else {
        free_check(check);
        if (stage == CHECK_REFUSED) {
            check_report_refused(connection, &refusal);
            refusal_carry_out(connection, &refusal);
        } else {
            check_report_passed(connection, entry);
            pass(connection, time_now_usec(CLOCK_MONOTONIC));
        }
    }
    /* Otherwise whoever accepted it looks at the pool next. */
    if (has_waited)
        service_touch(service);
}

static void advance(struct check *check)
{
    while (!check->is_waiting)
        switch (check->stage) {
        case CHECK_PROXY:
            read_proxy_header(check);
            break;
        case CHECK_ADDRESS:
            count_address(check);
            break;
        case CHECK_MAPPING:
            run_mapping(check);
            break;
        case CHECK_LISTS:
            ask_lists(check);
            break;
        case CHECK_PASSED:
        case CHECK_REFUSED:
        case CHECK_GONE:
            finish(check);
            return;
        }
    check->has_waited = true;
    watch_hangup(check);
    if (check->request)
        checks_store_enter(access_of(check)->checks_store, &check->stored, check->connection);
}

/* Nothing is asked about the connections of such a service. */
static bool is_open(const struct service *service)
{
    const struct service_options *options = service->options;

    return !options->proxy_protocol && options->max_conns_per_address == 0 &&
           options->dns_verify_domains.n_items == 0 && !access_has_table(service->context->access);
}

void check_begin(struct connection *connection)
{
    struct service *service = connection->service;
    const struct refusal no_memory = {.reason = REJECTED_FOR_ERROR,
                                      .what = "there is no memory for its check"};

    if (is_open(service) && !connection->is_readmitted) {
        pass(connection, connection->accepted_at);
        return;
    }
    struct check *check = calloc(1, sizeof(*check));
    if (!check) {
        check_report_refused(connection, &no_memory);
        refusal_carry_out(connection, &no_memory);
        return;
    }
    check->connection = connection;
    TAILQ_INSERT_TAIL(&service->checks, check, link);
    if (connection->is_readmitted)
        checks_store_adopt(access_of(check)->checks_store, &check->stored, connection);
    advance(check);
}

void checks_leave(struct service *service)
{
    struct check *check = TAILQ_FIRST(&service->checks);

    while (check) {
        struct check *next = TAILQ_NEXT(check, link);
        struct connection *connection = check->connection;

        if (check->request && checks_store_keep(access_of(check)->checks_store, &check->stored)) {
            free_check(check);
            connection_close(connection, time_now_usec(CLOCK_MONOTONIC));
        }
        check = next;
    }
}

void checks_close(struct service *service)
{
    struct check *check;

    while ((check = TAILQ_FIRST(&service->checks)))
        close_gone(check);
}
