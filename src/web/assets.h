/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The page's style and script, compiled into the program: nothing is read from files. */
#pragma once

extern const char asset_style[];
extern const char asset_script[];
