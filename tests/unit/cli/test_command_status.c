#include "cli/command_status.h"

#include <errno.h>

#include "cli/command.h"
#include "test.h"

static void a_missing_file_is_an_input_and_a_missing_place_the_systems(void)
{
    CHECK_INT(command_status_of(-ENOENT, false), EXIT_INPUT);
    CHECK_INT(command_status_of(-ENOENT, true), EXIT_SYSTEM);
}

static void what_was_read_and_what_was_asked_for_are_told_apart(void)
{
    static const int inputs[] = {-EBADMSG, -EILSEQ, -EFBIG, -E2BIG, -ESRCH};
    CHECK_INT(command_status_of(0, true), EXIT_OK);
    CHECK_INT(command_status_of(-EINVAL, false), EXIT_USAGE);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        CHECK_INT(command_status_of(inputs[i], i % 2 == 0), EXIT_INPUT);
    CHECK_INT(command_status_of(-ENOSPC, true), EXIT_SYSTEM);
    CHECK_INT(command_status_of(-EIO, false), EXIT_SYSTEM);
}

int main(void)
{
    RUN(a_missing_file_is_an_input_and_a_missing_place_the_systems);
    RUN(what_was_read_and_what_was_asked_for_are_told_apart);
    return REPORT();
}
