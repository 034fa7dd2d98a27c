/* A metadata event of any content: read, and every type in it compiled and run over the bytes, as an event would be and
 * as the entries of a pool. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jfr/metadata.h"
#include "jfr/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_BYTES = 5, ARENA_MAX = 4 << 20, TYPES_MAX = 64, ENTRIES = 3 };

static void run(const struct jfr_metadata *m, const struct jfr_type *t, struct arena *arena, const uint8_t *p,
                const uint8_t *end)
{
    static const char *const names[] = {"stackTrace", "eventThread", "name", "startTime"};
    struct jfr_plan event, whole;
    struct jfr_record rec = {0};
    if (jfr_plan_compile(m, t, names, sizeof names / sizeof *names, false, arena, &event, NULL) < 0)
        return;
    const uint8_t *after = jfr_plan_run(&event, p, end, &rec);
    if (after && (after < p || after > end))
        abort();
    if (jfr_plan_compile(m, t, NULL, 0, true, arena, &whole, NULL) < 0)
        return;
    after = jfr_plan_skip(&whole, p, end, ENTRIES, true);
    if (after && (after < p || after > end || (size_t)(after - p) < ENTRIES * (whole.min_size + 1)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The size in front is right, or nothing would be read. */
    const size_t len = SIZE_BYTES + size;
    uint8_t *event = malloc(len);
    if (!event)
        return 0;
    for (unsigned i = 0; i < SIZE_BYTES; i++)
        event[i] = (uint8_t)((len >> (7 * i) & 0x7f) | (i < SIZE_BYTES - 1 ? 0x80 : 0));
    if (size)
        memcpy(event + SIZE_BYTES, data, size);
    struct arena arena = ARENA_INIT(ARENA_MAX);
    struct jfr_metadata m = JFR_METADATA_INIT;
    if (jfr_metadata_read(event, len, 0, &arena, &m, NULL) == 0) {
        for (size_t i = 0; i < m.count && i < TYPES_MAX; i++)
            run(&m, &m.types[i], &arena, event + len / 2, event + len);
    }
    jfr_metadata_done(&m);
    arena_done(&arena);
    free(event);
    return 0;
}
