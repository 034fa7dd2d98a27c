/* Exit statuses of the commands that read recordings and write what becomes of them. */
#pragma once

#include <stdbool.h>

/* Whose fault a negative errno is: what was read, what was asked for, or the system; 0 is success. `writing`: the
 * output was being written. A file that is not there is a wrong input, but a place to write to that is not there is the
 * system's answer. */
int command_status_of(int code, bool writing);
