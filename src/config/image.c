#include "config/image.h"

#include "base/macro.h"

#include <stddef.h>
#include <string.h>

/* tcp_smtp_server(8) */
static const char *const without_tls[] = {"tcp_smtp_server"};

const char *image_name(const char *image)
{
    const char *slash = strrchr(image, '/');

    return slash ? slash + 1 : image;
}

bool image_lacks_tls(const char *image)
{
    for (size_t i = 0; i < ELEMENTSOF(without_tls); i++)
        if (strcmp(image_name(image), without_tls[i]) == 0)
            return true;
    return false;
}
