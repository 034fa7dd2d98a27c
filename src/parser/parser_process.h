/* The parser process: what runs in a program that was executed for it, at the other end of the main process's socket.
 *
 * It enters its sandbox (parser/sandbox.h), says hello and answers requests (parser/parser_wire.h) until the socket
 * ends. Intervals of several streams may be open at once; each has a conversion service of its own. Other services
 * (parser/parser_service.h) keep nothing from one request to the next.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "parser/parser_service.h"

/* The hidden command by which the main process starts it, and the number of the socket there. */
#define PARSER_COMMAND "parser"
enum { PARSER_SOCKET = 3 };

/* Seen by tests only: called with each chunk or item in the complete sandbox, before it is parsed, as code would be
 * that a recording has taken over the process with. */
typedef void parser_intruder(int sock, const uint8_t *bytes, size_t n);

/* `number` is the argument after the command; `services` ends with NULL. */
_Noreturn void parser_process_run(const char *number, const struct parser_service *const *services,
                                  parser_intruder *intruder);
