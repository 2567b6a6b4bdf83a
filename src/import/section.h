/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A section of the original's dispatcher.cnf while it is translated, or the lines before the first
 * one. It is collected before it is written: without its program all of it becomes a comment. */
#pragma once

#include "base/macro.h"
#include "config/option_table.h"
#include "import/forms.h"

/* One line of the result. */
struct output {
    char *text;                  /* owned */
    const struct option *option; /* NULL: a comment */
};

struct section {
    char *name; /* owned; NULL: for the lines before the first section */
    struct output *lines;
    size_t n_lines;
    char *missing; /* owned: its program, if this host does not have it; NULL: it has */
    bool has_image;
    bool has_smtp;    /* its program is our mail receiver, which needs a certificate for TLS */
    unsigned n_lists; /* of DNS lists */
};

/* Whether it is the Dispatcher's own. */
bool section_is_dispatcher(const struct section *section);

/* Adds a comment. */
void section_note(struct importing *importing, struct section *section, const char *format, ...)
    _printf_(3, 4);

/* Sets its program, as the value of the option IMAGE. */
void section_take_image(struct importing *importing, struct section *section,
                        const struct option *option, const char *value);

/* Reads a line of the section, which is neither a comment nor a section line. */
void section_take_line(struct importing *importing, struct section *section, char *text);

/* Writes it to the result. */
void section_write(struct importing *importing, const struct section *section);

/* Frees all that it owns; it is all zero afterwards. */
void section_clear(struct section *section);
