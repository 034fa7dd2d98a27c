#include "pprof/group.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/merge.h"

enum { FRAME_TEXT_MAX = 4096 };

static const struct pprof_label *group_find_label(const struct symbols *s, uint32_t set, uint32_t key)
{
    const struct pprof_labels *labels = &s->label_sets[set];
    for (uint32_t i = 0; i < labels->count; i++) {
        if (labels->labels[i].key == key)
            return &labels->labels[i];
    }
    return NULL;
}

static uint32_t group_frame_of(struct symbols *s, const struct pprof_label *label)
{
    cleanup_buf struct buf text = BUF_INIT(FRAME_TEXT_MAX);
    struct str value = s->strings[label->str], unit = s->strings[label->unit];
    if (label->str)
        buf_printf(&text, "[%.*s]", STR_ARG(value));
    else
        buf_printf(&text, "[%" PRId64 "%s%.*s]", label->num, unit.n ? " " : "", STR_ARG(unit));
    struct pprof_function f = {.name = symbols_string(s, buf_slice(&text))};
    return symbols_location(s, (struct pprof_location){.function = symbols_function(s, f)});
}

int profile_group(struct profile *to, const struct profile *from, struct str key, struct err *err)
{
    struct symbols *s = from->symbols;
    uint32_t wanted = symbols_string(s, key);
    cleanup_free uint32_t *stack = NULL;
    size_t cap = 0;
    int code = profile_merge(to, from, 0, err); /* the head, and all samples at zero, which are written nowhere */
    for (size_t i = 0; code == 0 && i < from->sample_count; i++) {
        uint32_t n = from->samples[i].stack;
        const struct pprof_label *label = group_find_label(s, from->samples[i].labels, wanted);
        if (label) {
            uint32_t count = s->stacks[n].count;
            xgrow(&stack, &cap, (size_t)count + 1, sizeof *stack);
            if (count)
                memcpy(stack, s->stacks[n].locations, count * sizeof *stack);
            stack[count] = group_frame_of(s, label);
            n = stack[count] == SYMBOLS_FULL ? SYMBOLS_FULL : symbols_stack(s, stack, (size_t)count + 1);
        }
        if (!profile_add(to, n, from->samples[i].labels, profile_values(from, i)))
            code = err_set(err, -E2BIG, "the profile has too many stacks");
    }
    return code;
}
