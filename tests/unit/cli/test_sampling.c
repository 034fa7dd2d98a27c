#include "cli/sampling.h"

#include <stdlib.h>

#include "test.h"

static struct err err;

static char *options(const char *events)
{
    char *ret = NULL;
    err = (struct err){0};
    return sampling_options(events, &ret, &err) == 0 ? ret : NULL;
}

static void check_options(const char *events, const char *wanted)
{
    char *got = options(events);
    CHECK_STR(got ? got : err.text, wanted);
    free(got);
}

static void the_default_is_that_of_the_agent(void)
{
    check_options(SAMPLING_EVENTS, "event=itimer,interval=10ms,alloc=512k,lock=10ms");
}

static void events_may_bring_their_interval(void)
{
    check_options("cpu=5ms,alloc=1m", "event=cpu,interval=5ms,alloc=1m");
    check_options("wall", "wall=50ms");
    check_options("ctimer, nativemem=2m", "event=ctimer,interval=10ms,nativemem=2m");
}

static void what_makes_no_sense_is_named(void)
{
    CHECK(!options("cpu,itimer"));
    CHECK_HAS(err.text, "itimer: only one CPU event");
    CHECK(!options(""));
    CHECK(!options("alloc=banana"));
    CHECK(!options("cpu,,lock"));
    CHECK(!options("cpu=10ms,file=/etc/passwd"));
}

int main(void)
{
    RUN(the_default_is_that_of_the_agent);
    RUN(events_may_bring_their_interval);
    RUN(what_makes_no_sense_is_named);
    return REPORT();
}
