/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The scenes: each plays dispatcherd until it is known whether a rule is kept, and returns if it
 * is. If not, it ends the process with one of the verdicts of verdict.h. Several rules may share a
 * scene.
 */
#pragma once

#include "kit/play/play.h"

typedef void scene_function(struct play *play);

#define SCENE(id, name, section, base, scene, sentence) scene_function scene_##scene;
RULES(SCENE)
#undef SCENE

/* The scene of a rule. */
scene_function *scene_of(enum rule_id id);
