/* A test program is the parser process, too, when it is executed as one. */
#pragma once

#include <string.h>

#include "parser/parser_process.h"

static inline void parser_main(int argc, char **argv, const struct parser_service *const *services,
                               parser_intruder *intruder)
{
    if (argc == 3 && strcmp(argv[1], PARSER_COMMAND) == 0)
        parser_process_run(argv[2], services, intruder);
}
