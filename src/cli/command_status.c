#include "cli/command_status.h"

#include <errno.h>

#include "cli/command.h"

int command_status_of(int code, bool writing)
{
    switch (code) {
    case 0:
        return EXIT_OK;
    case -EINVAL:
        return EXIT_USAGE;
    case -EBADMSG:
    case -EILSEQ:
    case -EFBIG:
    case -E2BIG:
    case -ESRCH:
        return EXIT_INPUT;
    case -ENOENT:
        return writing ? EXIT_SYSTEM : EXIT_INPUT;
    default:
        return EXIT_SYSTEM;
    }
}
