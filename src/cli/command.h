/* Sub-commands and what they return to the shell. */
#pragma once

/* Exit statuses, the same for every sub-command. */
enum {
    EXIT_FINE = 0,
    EXIT_INPUT = 1,  /* the input or the configuration is wrong; a diagnostic says where */
    EXIT_USAGE = 2,  /* wrong usage */
    EXIT_SYSTEM = 3, /* the system refused */
};

struct command {
    const char *name, *synopsis, *help;
    /* argv without the program's and the command's name. */
    int (*run)(int argc, char **argv);
};

extern const struct command command_run;
extern const struct command command_convert;
extern const struct command command_fmt;
extern const struct command command_validate;
extern const struct command command_reference;
extern const struct command command_forgive;
extern const struct command command_version;
