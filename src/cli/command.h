/* Sub-commands and their exit statuses. */
#pragma once

/* Exit statuses, the same for every sub-command. */
enum {
    EXIT_OK = 0,
    EXIT_INPUT = 1,  /* invalid input or configuration; a diagnostic is printed */
    EXIT_USAGE = 2,  /* usage error */
    EXIT_SYSTEM = 3, /* system error */
    EXIT_LIMIT = 4,  /* smolder diff: a limit is exceeded */
};

struct command {
    const char *name, *synopsis, *help;
    /* argv without the program's and the command's name. */
    int (*run)(int argc, char **argv);
};

extern const struct command command_run;
extern const struct command command_store;
extern const struct command command_top;
extern const struct command command_convert;
extern const struct command command_diff;
extern const struct command command_fmt;
extern const struct command command_validate;
extern const struct command command_reference;
extern const struct command command_forgive;
extern const struct command command_discover;
extern const struct command command_jvms;
extern const struct command command_doctor;
extern const struct command command_record;
