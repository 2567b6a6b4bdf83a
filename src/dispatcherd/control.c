#include "dispatcherd/control.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/closer.h"
#include "dispatcherd/control_client.h"
#include "dispatcherd/control_socket.h"
#include "dispatcherd/message_ids.h"
#include "dispatcherd/report.h"
#include "varlink/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Clients at a time. People have one or two, monitoring a few. */
#define CLIENTS_MAX 64

/* Of these for those who are not trusted, and for each user among them: so no user keeps the others
 * out, and all of them together do not keep the administrator out. (PrivateUsers= makes them all
 * look like one.) */
#define STRANGERS_MAX          48
#define CLIENTS_A_STRANGER_MAX 16

/* How long a call may take to arrive; nobody types them. */
#define MESSAGE_LIMIT_USEC (10 * USEC_PER_SEC)

/* How long a reply may take to be read: a client that was stopped loses it, and its place. */
#define READER_LIMIT_USEC (30 * USEC_PER_SEC)

/* Connections that are looked at in a time: a user who connects again and again gets a slow answer,
 * not the processor; and it does not matter that a lack of descriptors is not waited for. */
#define ACCEPT_INTERVAL_USEC (100 * USEC_PER_MSEC)
#define ACCEPT_BURST         50

/* How often it is told that clients cannot be served. */
#define SHORTAGE_INTERVAL_USEC (60 * USEC_PER_SEC)

struct control {
    struct control_settings settings;
    struct control_trust trust;
    struct control_socket socket;
    struct control_client_list clients; /* owned */
    sd_event_source *source;
    uint64_t shortage_told_at; /* CLOCK_MONOTONIC, in microseconds; 0: never */
};

static void on_client_gone(struct control_client *client)
{
    struct control *control = client->owner;

    TAILQ_REMOVE(&control->clients, client, link);
    control_client_free(client);
}

static bool has_place(const struct control *control, const struct control_caller *caller)
{
    const struct control_client *client;
    unsigned n = 0, n_strangers = 0, n_same = 0;

    TAILQ_FOREACH(client, &control->clients, link)
    {
        n++;
        if (client->caller.is_trusted)
            continue;
        n_strangers++;
        if (client->caller.uid == caller->uid)
            n_same++;
    }
    if (n >= CLIENTS_MAX)
        return false;
    return caller->is_trusted || (n_strangers < STRANGERS_MAX && n_same < CLIENTS_A_STRANGER_MAX);
}

static int identify(const struct control *control, int fd, struct control_caller *ret)
{
    struct control_peer peer = {0};

    int r = control->settings.read_peer ? control->settings.read_peer(fd, &peer)
                                        : control_peer_read(fd, &peer);
    if (r < 0)
        return r;
    *ret = (struct control_caller){
        .pid = peer.pid,
        .uid = peer.uid,
        .is_trusted = control_peer_is_trusted(&peer, &control->trust),
    };
    control_peer_clear(&peer);
    return 0;
}

/* A shortage that comes and goes is one shortage. */
static void tell_shortage(struct control *control, int error)
{
    const struct subject subject = {.message_id = MESSAGE_ID_CONTROL_FAILED};
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (control->shortage_told_at > 0 && now < control->shortage_told_at + SHORTAGE_INTERVAL_USEC)
        return;
    control->shortage_told_at = now;
    report(LOG_ERR, &subject, "cannot serve a client of the control socket: %s", strerror(-error));
}

/* What cannot be served, for whatever reason, is closed. */
static int on_connect(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events,
                      void *userdata)
{
    struct control *control = userdata;
    struct control_caller caller;

    _cleanup_fd_ int client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int r = client_fd < 0 ? -errno : identify(control, client_fd, &caller);
    if (r < 0 && r != -EAGAIN && r != -ECONNABORTED && r != -EINTR)
        tell_shortage(control, r);
    if (client_fd < 0)
        return 0;
    if (r < 0 || !has_place(control, &caller)) {
        closer_drain(client_fd);
        return 0;
    }
    struct control_client *client = calloc(1, sizeof(*client));
    if (!client) {
        tell_shortage(control, -ENOMEM);
        return 0;
    }
    *client = (struct control_client){
        .gone = on_client_gone,
        .owner = control,
        .operations = control->settings.operations,
        .userdata = control->settings.userdata,
        .event = control->settings.event,
        .message_limit_usec = control->settings.message_limit_usec,
        .reader_limit_usec = control->settings.reader_limit_usec,
        .fd = take_fd(&client_fd),
        .caller = caller,
    };
    TAILQ_INSERT_TAIL(&control->clients, client, link);
    r = control_client_start(client);
    if (r < 0) {
        tell_shortage(control, r);
        on_client_gone(client);
    }
    return 0;
}

int control_new(const struct control_settings *settings, struct control **ret)
{
    struct control *control = calloc(1, sizeof(*control));

    if (!control)
        return -ENOMEM;
    varlink_memory_start(malloc);
    control->settings = *settings;
    if (control->settings.message_limit_usec == 0)
        control->settings.message_limit_usec = MESSAGE_LIMIT_USEC;
    if (control->settings.reader_limit_usec == 0)
        control->settings.reader_limit_usec = READER_LIMIT_USEC;
    control->trust = control_trust_default();
    control->socket.fd = -1;
    TAILQ_INIT(&control->clients);
    int r = control_socket_open(&control->socket, settings->path);
    if (r >= 0)
        r = sd_event_add_io(settings->event, &control->source, control->socket.fd, EPOLLIN,
                            on_connect, control);
    if (r >= 0)
        r = sd_event_source_set_ratelimit(control->source, ACCEPT_INTERVAL_USEC, ACCEPT_BURST);
    if (r < 0) {
        control_free(control);
        return r;
    }
    *ret = control;
    return 0;
}

void control_free(struct control *control)
{
    struct control_client *client;

    if (!control)
        return;
    while ((client = TAILQ_FIRST(&control->clients)))
        on_client_gone(client);
    sd_event_source_disable_unref(control->source);
    control_socket_close(&control->socket);
    free(control);
}
