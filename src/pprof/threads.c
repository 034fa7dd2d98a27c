#include "pprof/threads.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "pprof/normalise.h"

uint32_t thread_names_label(struct thread_names *t, struct symbols *s, struct str name)
{
    buf_reset(&t->name);
    if (!t->raw && normalise(NORMALISE_THREADS, name, &t->name))
        name = buf_slice(&t->name);
    return thread_names_add(t, s, name);
}

uint32_t thread_names_add(struct thread_names *t, struct symbols *s, struct str name)
{
    uint32_t string = symbols_string(s, name);
    if (string == SYMBOLS_FULL)
        return string;
    if (!hash_index_reserve(&t->index))
        return SYMBOLS_FULL;
    uint32_t hash = hash_number(string);
    struct hash_index_slot *slot = hash_index_find(&t->index, hash, t->strings[item] == string);
    if (slot->item)
        return string;
    if (t->count >= (t->max ? t->max : THREADS_MAX))
        return symbols_string(s, STR(THREADS_OTHER));
    xgrow(&t->strings, &t->cap, t->count + 1, sizeof *t->strings);
    t->strings[t->count] = string;
    hash_index_add(&t->index, slot, hash, (uint32_t)t->count++);
    return string;
}

void thread_names_done(struct thread_names *t)
{
    free(t->strings);
    hash_index_done(&t->index);
    buf_done(&t->name);
}
