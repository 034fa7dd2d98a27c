/* smolder COMMAND [FLAGS] …: dispatches to the sub-command. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/terminal.h"
#include "cli/agent.h"
#include "cli/command.h"
#include "parser/parser_process.h"

static int main_version(int argc, char **argv)
{
    (void)argv;
    if (argc > 0) {
        fputs("smolder version: unexpected argument\n", stderr);
        return EXIT_USAGE;
    }
    puts("smolder " SMOLDER_VERSION);
    return EXIT_OK;
}

static const struct command command_version = {"version", "smolder version", "Print the version.", main_version};

static const struct command *const commands[] = {
    &command_run,      &command_store,     &command_top,     &command_jvms,   &command_discover,
    &command_doctor,   &command_record,    &command_convert, &command_diff,   &command_fmt,
    &command_validate, &command_reference, &command_forgive, &command_version};

/* Terminal columns of UTF-8 text whose characters all take one. */
static int main_text_columns(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static void main_help(FILE *out)
{
    int width = 0;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        const int n = main_text_columns(commands[i]->synopsis);
        width = n > width ? n : width;
    }
    fputs("smolder is a continuous profiler for all JVMs on a Linux host; it pushes pprof to Grafana Pyroscope.\n\n"
          "usage:\n",
          out);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %s%*s  %s\n", commands[i]->synopsis, width - main_text_columns(commands[i]->synopsis), "",
                commands[i]->help);
    fputs("\nSee smolder COMMAND --help. Exit status: 0 success, 1 invalid input, 2 usage error, 3 system error.\n",
          out);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (!*name) {
        main_help(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h")) {
        main_help(stdout);
        return EXIT_OK;
    }
    if (!strcmp(name, "--version"))
        name = "version";
    if (!strcmp(name, "format"))
        name = "fmt"; /* its alias in Alloy */
    if (!strcmp(name, PARSER_COMMAND))
        return agent_parser(argc > 2 ? argv[2] : NULL);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (!strcmp(name, commands[i]->name))
            return commands[i]->run(argc - 2, argv + 2);
    }
    terminal_printf(stderr, "smolder: unknown command \"%s\"; see smolder --help\n", name);
    return EXIT_USAGE;
}
