#include "pyroscope/json_load.h"

#include <stdbool.h>
#include <sys/random.h>

/* The library would read a device for it, which the parser process cannot open. */
static void json_load_seed(void)
{
    static bool done;
    size_t seed = 0;
    if (!done && getrandom(&seed, sizeof seed, 0) == sizeof seed)
        json_object_seed(seed);
    done = true;
}

json_t *json_load(struct str text, json_error_t *why)
{
    json_load_seed();
    return json_loadb(text.p, text.n, JSON_ALLOW_NUL, why);
}
