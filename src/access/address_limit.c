#include "access/address_limit.h"

#define OF_ADDRESS "too many connections from your address\r\n"
#define OF_NETWORK "too many connections from your network\r\n"

/* RFC 5321, 3.8 and 4.2.5; RFC 3463: a temporary failure of the network. */
#define SMTP "421 4.7.0 "

/* RFC 3206: not the password, and not for ever. */
#define POP3 "-ERR [SYS/TEMP] "

#define IMAP "* BYE [UNAVAILABLE] " /* RFC 5530 */

const char *address_limit_rejection(uint16_t port, bool is_network)
{
    switch (port) {
    case 25:
    case 587:
        return is_network ? SMTP OF_NETWORK : SMTP OF_ADDRESS;
    case 110:
        return is_network ? POP3 OF_NETWORK : POP3 OF_ADDRESS;
    case 143:
        return is_network ? IMAP OF_NETWORK : IMAP OF_ADDRESS;
    default:
        return "";
    }
}
