/* Parses the command line of a Java process. Source: java(1), JDK 8 to 25. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* Bytes of a command line that are read; what is behind them is not looked at. */
enum { JVM_CMDLINE_MAX = 64 << 10 };

/* The main class or jar of a java command line, as /proc/PID/cmdline has it (NUL after each argument), per the
 * launcher's options (java(1)): "com.example.Main", "app" of -jar /srv/app.jar, the class of -m module/class. Falls
 * back to the launcher's base name where it is not "java"; else empty. Borrowed. */
struct str command_line_main(struct str cmdline);

/* The jar of `-jar`, as written there; empty if there is none. Borrowed. */
struct str command_line_jar(struct str cmdline);

/* The options of a java command line, up to the main class; of another program all arguments. A NUL after each.
 * Borrowed. */
struct str command_line_options(struct str cmdline);

/* Cuts the next word of a text as HotSpot splits JAVA_TOOL_OPTIONS and files of flags: at white space; quotes group and
 * vanish. Unquoted in place into `word`, what does not fit is left out. False: there is none. */
bool command_line_word(struct str *rest, char *word, size_t size, struct str *ret);

/* Whether it is one of the `java` launcher: command_line_main() then has not fallen back. */
bool command_line_is_java(struct str cmdline);

/* The same of what the JVM itself says, its property sun.java.command: "com.example.Main" of "shop/com.example.Main
 * arg", "app" of "/srv/app.jar arg". Borrowed. */
struct str command_line_java_command(struct str command);

/* Whether the value of this option of the `java` launcher is the next argument: "-cp". */
bool command_line_takes_argument(struct str option);

/* What stands behind the last slash. Borrowed. */
struct str command_line_base_name(struct str path);
