/* The bits of the DEBUG mask. */
#pragma once

#include "protocol/debug.h"
