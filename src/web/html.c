#include "web/html.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes one character of strict UTF-8 (RFC 3629). Returns its length, or 0 where it is none. */
static size_t decode(const unsigned char *s, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

    if (length == 0 || s[0] > 0xf4)
        return 0;
    uint32_t character = length == 1 ? s[0] : s[0] & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (s[i] & 0x3fU);
    }
    if (character < least[length] || character > 0x10ffff ||
        (character >= 0xd800 && character <= 0xdfff))
        return 0;
    *ret = character;
    return length;
}

static bool is_control(uint32_t character)
{
    return (character < ' ' && character != '\n' && character != '\t') ||
           (character >= 0x7f && character < 0xa0) ||      /* C1 */
           (character >= 0x200e && character <= 0x200f) || /* marks of direction */
           (character >= 0x2028 && character <= 0x202e) || /* separators; embeddings */
           (character >= 0x2066 && character <= 0x2069) || /* isolates */
           character == 0x61c || character == 0xfeff || (character & 0xfffe) == 0xfffe;
}

static const char *entity(uint32_t character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '`':
        return "&#96;";
    default:
        return NULL;
    }
}

void html_text(FILE *stream, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    while (*s) {
        uint32_t character;
        size_t length = decode(s, &character);

        if (length == 0 || is_control(character))
            fputs("\xef\xbf\xbd", stream);
        else if (entity(character))
            fputs(entity(character), stream);
        else
            fwrite(s, 1, length, stream);
        s += length > 0 ? length : 1;
    }
}
