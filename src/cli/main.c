/* smolder COMMAND [FLAGS] …: finds the sub-command and hands over. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/terminal.h"
#include "cli/agent.h"
#include "cli/command.h"

static int version(int argc, char **argv)
{
    (void)argv;
    if (argc > 0) {
        fputs("smolder version takes no arguments\n", stderr);
        return EXIT_USAGE;
    }
    puts("smolder " SMOLDER_VERSION);
    return EXIT_FINE;
}

const struct command command_version = {"version", "smolder version", "Print the version.", version};

static const struct command *const commands[] = {&command_run,      &command_convert,   &command_fmt,
                                                 &command_validate, &command_reference, &command_forgive,
                                                 &command_version};

static void help(FILE *out)
{
    fputs("smolder profiles every JVM on this host, continuously, and sends pprof to Grafana Pyroscope.\n\nusage:\n",
          out);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-34s %s\n", commands[i]->synopsis, commands[i]->help);
    fputs("\nsmolder COMMAND --help says more. Exit status: 0 fine, 1 the configuration is wrong, 2 wrong usage,\n"
          "3 the system refused.\n",
          out);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (!*name) {
        help(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h")) {
        help(stdout);
        return EXIT_FINE;
    }
    if (!strcmp(name, "--version"))
        name = "version";
    if (!strcmp(name, "format"))
        name = "fmt"; /* the other name it has in Alloy */
    if (!strcmp(name, AGENT_HELPER))
        return agent_helper();
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (!strcmp(name, commands[i]->name))
            return commands[i]->run(argc - 2, argv + 2);
    }
    terminal_printf(stderr, "smolder: unknown command \"%s\"; smolder --help lists them\n", name);
    return EXIT_USAGE;
}
