/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/inetd/command.h"

#include "base/macro.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One word while it is read. */
struct word {
    char *text; /* as long as the line at least, and four bytes more */
    size_t length;
    bool is_begun;
    bool is_quoted; /* at least one character of it was quoted or escaped */
};

static int fault(char *hint, const char *format, ...) _printf_(2, 3);

static int fault(char *hint, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(hint, COMMAND_HINT_MAX, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

static size_t put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length; --i > 0; c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)((0xf0 << (4 - length)) | c);
    return length;
}

/* Digits of an escape: exactly `n` of the base. Returns false for anything else, and for NUL. */
static bool read_code(const char *digits, size_t n, unsigned base, uint32_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < n; i++) {
        int c = tolower((unsigned char)digits[i]);
        unsigned value = isdigit(c)    ? (unsigned)(c - '0')
                         : isxdigit(c) ? (unsigned)(c - 'a') + 10
                                       : 99;

        if (value >= base)
            return false;
        *ret = *ret * base + value;
    }
    return *ret > 0 && *ret <= 0x10ffff && !(*ret >= 0xd800 && *ret < 0xe000);
}

/* \xHH, \NNN, \uHHHH and \UHHHHHHHH, at the character after the backslash. Returns how many
 * characters it has, or 0 if it is none. */
static size_t read_number_escape(const char *c, struct word *word)
{
    bool is_octal = *c >= '0' && *c <= '7';
    size_t n = is_octal ? 3 : *c == 'x' ? 2 : *c == 'u' ? 4 : *c == 'U' ? 8 : 0;
    uint32_t code;

    if (n == 0 || !read_code(is_octal ? c : c + 1, n, is_octal ? 8 : 16, &code))
        return 0;
    if ((is_octal || *c == 'x') && code > 0xff)
        return 0;
    if (is_octal || *c == 'x')
        word->text[word->length++] = (char)code; /* a byte, not a character */
    else
        word->length += put_utf8(word->text + word->length, code);
    return is_octal ? n : n + 1;
}

/* At the character after a backslash. */
static size_t read_escape(const char *c, struct word *word)
{
    static const char plain[] = "abfnrtvs\\\"';";
    static const char meant[] = "\a\b\f\n\r\t\v \\\"';";
    const char *found = *c ? strchr(plain, *c) : NULL;

    word->is_begun = word->is_quoted = true;
    if (!found)
        return read_number_escape(c, word);
    word->text[word->length++] = meant[found - plain];
    return 1;
}

/* Reads to the end of one word. Moves *line past it. */
static int read_word(const char **line, struct word *word, char *hint)
{
    const char *c = *line;
    char quote = 0;

    for (; *c && (quote || !isspace((unsigned char)*c)); c++) {
        if (*c == '\\') {
            size_t n = read_escape(c + 1, word);

            if (n == 0)
                return fault(hint,
                             "'%.12s' is not an escape of systemd.service(5); a backslash is "
                             "written as \\\\",
                             c);
            c += n;
        } else if (quote ? *c == quote : (*c == '"' || *c == '\'')) {
            quote = quote ? 0 : *c;
            word->is_begun = word->is_quoted = true;
        } else {
            word->text[word->length++] = *c;
            word->is_begun = true;
        }
    }
    word->text[word->length] = '\0';
    *line = c;
    return quote ? fault(hint, "the quotation mark %c is not closed", quote) : 0;
}

static int check_specifiers(const char *text, char *hint)
{
    for (const char *c = text; (c = strchr(c, '%')); c += 2)
        if (!c[1] || !strchr("apilnc%", c[1]))
            return fault(
                hint,
                "'%.2s' is not a specifier; there are %%a and %%p (the client's address and "
                "port), %%i and %%l (ours), %%n (service), %%c (connection) and %%%%",
                c);
    return 0;
}

/* What people write who think of a shell. */
static bool is_of_a_shell(const struct word *word)
{
    static const char *const words[] = {"|", "||", "&", "&&", ";"};

    if (word->is_quoted)
        return false;
    for (size_t i = 0; i < ELEMENTSOF(words); i++)
        if (strcmp(word->text, words[i]) == 0)
            return true;
    return word->text[0] == '>' || word->text[0] == '<' || strncmp(word->text, "2>", 2) == 0;
}

static int check_program(const struct word *word, char *hint)
{
    const char *path = word->text;

    if (*path && strchr("@-:+!|", *path))
        return fault(hint,
                     "the prefix '%c' of ExecStart= has no meaning here; the first word is "
                     "the program's path",
                     *path);
    if (*path != '/')
        return fault(hint, "the first word must be the program's absolute path, not '%.60s'", path);
    if (strchr(path, '%'))
        return fault(hint, "the program's path cannot depend on the connection");
    return 0;
}

static int take_word(struct command *command, const struct word *word, char *hint)
{
    int r = command->words.n_items == 0 ? check_program(word, hint) : 0;

    if (r == 0 && is_of_a_shell(word))
        r = fault(hint,
                  "'%.20s' would be for a shell, and none is run; write it as "
                  "COMMAND=/bin/sh -c '...', or in quotation marks",
                  word->text);
    if (r == 0)
        r = check_specifiers(word->text, hint);
    return r == 0 ? str_list_append(&command->words, word->text) : r;
}

int command_parse(const char *line, struct command *ret, char hint[COMMAND_HINT_MAX])
{
    struct command command = {0};
    _cleanup_str_ char *text = malloc(strlen(line) + 5);
    int r = text ? 0 : -ENOMEM;

    while (r == 0) {
        struct word word = {.text = text};

        line += strspn(line, " \t\r\n");
        if (!*line)
            break;
        r = read_word(&line, &word, hint);
        if (r == 0 && word.is_begun)
            r = take_word(&command, &word, hint);
    }
    if (r == 0 && command.words.n_items == 0)
        r = fault(hint, "must be a program's path and its arguments");
    if (r < 0)
        command_clear(&command);
    else
        *ret = command;
    return r;
}

void command_clear(struct command *command)
{
    str_list_clear(&command->words);
}

/* Writes what the specifier stands for, at most 64 bytes. Returns the length. */
static size_t write_specifier(char *to, char specifier, const struct command_facts *facts)
{
    enum {
        SIZE = 64
    };
    int n = 0;

    switch (specifier) {
    case 'a':
        n = snprintf(to, SIZE, "%s", facts->client_host);
        break;
    case 'i':
        n = snprintf(to, SIZE, "%s", facts->local_host);
        break;
    case 'n':
        n = snprintf(to, SIZE, "%s", facts->service);
        break;
    case 'c':
        n = snprintf(to, SIZE, "%s", facts->connection_id);
        break;
    case 'p':
        n = snprintf(to, SIZE, "%u", facts->client_port);
        break;
    case 'l':
        n = snprintf(to, SIZE, "%u", facts->local_port);
        break;
    default:
        n = snprintf(to, SIZE, "%%");
    }
    return n < SIZE ? (size_t)n : SIZE - 1;
}

static size_t room_for(const char *word)
{
    size_t n = strlen(word) + 1;

    for (; (word = strchr(word, '%')); word += 2)
        n += 64;
    return n;
}

static char *write_word(char *to, const char *word, const struct command_facts *facts)
{
    for (; *word; word++)
        if (*word == '%')
            to += write_specifier(to, *++word, facts);
        else
            *to++ = *word;
    *to++ = '\0';
    return to;
}

char **command_expand(const struct command *command, const struct command_facts *facts)
{
    size_t n_words = command->words.n_items, n_bytes = (n_words + 1) * sizeof(char *);

    for (size_t i = 0; i < n_words; i++)
        n_bytes += room_for(command->words.items[i]);
    char **arguments = malloc(n_bytes);
    if (!arguments)
        return NULL;
    char *to = (char *)(arguments + n_words + 1);
    for (size_t i = 0; i < n_words; i++) {
        arguments[i] = to;
        to = write_word(to, command->words.items[i], facts);
    }
    arguments[n_words] = NULL;
    return arguments;
}
