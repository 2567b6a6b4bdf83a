/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Any bytes to the control socket, from anybody, in pieces of any size: none may do harm. The first
 * byte says who calls, the second how long the pieces are. */
#include "dispatcherd/control/cache.h"
#include "dispatcherd/control_scene.h"
#include "varlink/frames.h"

#include "base/log.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CALL_MAX_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char configuration[] = "[SERVICE=SMTP]\nPORT=25\nIMAGE=smtp\nPARAMETER=x\n"
                                    "[SERVICE=POP3]\nPORT=110\nIMAGE=pop3\n";

/* Made once, and put back to where it was before each run. */
static struct control_scene *fresh_scene(void)
{
    static struct control_scene scene;

    if (scene.n_services == 0) {
        log_set_max_priority(LOG_EMERG);
        scene_init(&scene, configuration);
        for (unsigned i = 0; i < 3; i++)
            scene_add_connection(&scene, 0, scene_add_worker(&scene, 0, i, 100 + (int)i));
        scene_add_connection(&scene, 0, NULL);
    }
    scene.n_reloads = 0;
    for (size_t i = 0; i < scene.n_services; i++)
        scene.services[i]->pool->is_stopping = false;
    return &scene;
}

/* Returns false where the client would be dropped. */
static bool answer_all(struct varlink_frames *frames, struct control_scene *scene,
                       const struct control_caller *caller)
{
    const char *text;
    size_t length, reply_size = 0;
    char *reply;

    while (varlink_frames_next(frames, &text, &length)) {
        if (strlen(text) != length || length > CALL_MAX_BYTES)
            abort();
        if (control_answer(&scene_operations, scene, caller, NULL, text, length, &reply,
                           &reply_size) < 0)
            return false;
        if (reply && strlen(reply) + 1 != reply_size)
            abort();
        if (!caller->is_trusted && (scene->n_reloads > 0 || scene->services[0]->pool->is_stopping))
            abort();
        free(reply);
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct varlink_frames frames = VARLINK_FRAMES_INIT(CALL_MAX_BYTES);

    if (size < 2)
        return 0;
    struct control_scene *scene = fresh_scene();
    struct control_cache cache = {0};
    bool is_trusted = data[0] % 2;
    const struct control_caller caller = {
        .pid = 1,
        .uid = data[0],
        .is_trusted = is_trusted,
        .cache = is_trusted ? NULL : &cache,
    };
    size_t piece = (size_t)data[1] + 1;
    for (size_t at = 2; at < size;) {
        size_t n = size - at < piece ? size - at : piece, room_size;
        char *room;

        if (varlink_frames_room(&frames, &room, &room_size) < 0)
            break;
        if (n > room_size)
            n = room_size;
        memcpy(room, data + at, n);
        varlink_frames_added(&frames, n);
        at += n;
        if (!answer_all(&frames, scene, &caller))
            break;
    }
    varlink_frames_clear(&frames);
    control_cache_clear(&cache);
    return 0;
}
