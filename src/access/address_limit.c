#include "access/address_limit.h"

#define REJECTION "too many connections from your address\r\n"

const char *address_limit_rejection(uint16_t port)
{
    switch (port) {
    case 25:
    case 587:
        /* RFC 5321, 3.8 and 4.2.5; RFC 3463: a temporary failure of the network. */
        return "421 4.7.0 " REJECTION;
    case 110:
        /* RFC 3206: not the password, and not for ever. */
        return "-ERR [SYS/TEMP] " REJECTION;
    case 143:
        return "* BYE [UNAVAILABLE] " REJECTION; /* RFC 5530 */
    default:
        return "";
    }
}
