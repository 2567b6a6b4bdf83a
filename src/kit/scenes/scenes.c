/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "kit/scenes/scenes.h"

scene_function *scene_of(enum rule_id id)
{
    static scene_function *const scenes[N_RULES] = {
#define SCENE_ROW(id_, name, section, base, scene, sentence) [RULE_##id_] = scene_##scene,
        RULES(SCENE_ROW)
#undef SCENE_ROW
    };

    return scenes[id];
}
