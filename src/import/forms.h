/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the readers of all forms share: the result under construction. Private to this folder. */
#pragma once

#include "base/address.h"
#include "base/macro.h"
#include "base/str.h"
#include "import/import.h"

#include <stdio.h>

/* The most sections, including those that are left out. */
#define IMPORT_SERVICES_MAX 256

/* The longest name of a service (dispatcher.cnf(5)). */
#define IMPORT_NAME_MAX 32

struct importing {
    const struct import_host *host;
    /* Streams into memory, whose errors are checked at the end. `tables` is for those that
     * PORT_ACCESS calls. */
    FILE *config, *mappings, *tables;
    char *config_text, *mappings_text, *tables_text;
    size_t config_size, mappings_size, tables_size;
    struct str_list names; /* of all sections so far */
    struct str_list ports; /* "ADDRESS:PORT" of all sections so far */
    unsigned n_services;
    unsigned n_left_out;
    unsigned n_with_access; /* services that have entries of PORT_ACCESS */
    unsigned n_entries;     /* of PORT_ACCESS */
    bool is_error;          /* out of memory */
    void *form;             /* the reader's data; freed by its finish() */
};

int importing_start(struct importing *importing);
int importing_end(struct importing *importing, int error, struct import_result *ret);

/* Writes a line of comment. Bytes that are not printable ASCII become "?". */
void import_comment(struct importing *importing, const char *format, ...) _printf_(2, 3);

/* Makes a name for a section of that in the source: other characters become "-", and a number is
 * added if the name is taken. */
void import_make_name(struct importing *importing, const char *from,
                      char name[IMPORT_NAME_MAX + 1]);

/* Whether a section has that name already. */
bool import_has_name(const struct importing *importing, const char *name);

/* A service of another dispatcher. Texts are the caller's; NULL: not given. */
struct foreign_service {
    const char *name;
    uint16_t port;
    char address[ADDRESS_TEXT_MAX]; /* without brackets; "": all */
    const char *image;              /* "inetd", "pass", "proxy" */
    struct str_list parameters;
    unsigned instances; /* sessions at a time; 0: no limit was given */
    unsigned per_source;
    bool is_disabled;
    struct str_list notes; /* comments to be written above the section */
    struct str_list unit;  /* lines for [Service] of the workers' unit */
    /* Who may connect. */
    struct str_list allowed, denied; /* networks: "192.0.2.0/24", "2001:db8::/32" */
    bool has_allowed;                /* with an empty list: nobody */
    unsigned per_minute;             /* connections of one address; 0: no limit */
};

/* Sets the address, in whatever form it is; "localhost" is 127.0.0.1. Returns false if it is
 * another name. */
bool foreign_service_set_address(struct foreign_service *service, const char *text);

/* Reads "ADDRESS:PORT" or "PORT", the port as a number or a name; `everywhere` stands for all
 * addresses. Returns false after the service was left out with the reason. Changes the field, which
 * the name of the service points into. */
bool import_parse_port(struct importing *importing, char *field, struct foreign_service *service,
                       const char *everywhere);

void foreign_service_clear(struct foreign_service *service);

/* Adds a formatted text to a list. If memory runs out, the import fails. */
void import_add(struct importing *importing, struct str_list *list, const char *format, ...)
    _printf_(3, 4);

/* Writes the section with its entries of PORT_ACCESS. It is left out, with the reason, if its
 * program is missing or its port is taken. */
void import_write_service(struct importing *importing, const struct foreign_service *service);

/* Writes why a service is not translated. */
void import_leave_out(struct importing *importing, const char *name, const char *format, ...)
    _printf_(3, 4);

/* Adds inetd's parameter COMMAND= for a program and its arguments, quoted if necessary. */
void import_add_command(struct importing *importing, struct foreign_service *service,
                        const struct str_list *words);

/* Reads the next line of the text, without its end, into *ret, to be freed. Carriage returns before
 * the end belong to that; NUL bytes become "?". Returns false after the last line. */
struct import_lines {
    const char *at, *end;
    unsigned number; /* number of the last line */
};
bool import_next_line(struct importing *importing, struct import_lines *lines, char **ret);

/* Splits the text at blanks; "" has no words. */
void import_split(struct importing *importing, const char *text, struct str_list *ret);

/* The readers. */
void import_dispatcher(struct importing *importing, const struct import_source *source);
void import_dispatcher_finish(struct importing *importing);
void import_xinetd(struct importing *importing, const struct import_source *source);
void import_xinetd_finish(struct importing *importing);
void import_inetd(struct importing *importing, const struct import_source *source);
void import_master_cf(struct importing *importing, const struct import_source *source);
