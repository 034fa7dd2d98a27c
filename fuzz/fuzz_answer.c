/* What a parser process that was taken over may answer for the store: whatever passes its check can be used. */
#include <stdint.h>
#include <stdlib.h>

#include "store/digest.h"
#include "store/flame_merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_digests(struct str answer, size_t n)
{
    struct err err = {0};
    struct cursor c = cursor_of(answer.p, answer.n);
    if (digest_check(NULL, n, answer, &err) < 0)
        return;
    for (size_t i = 0; i < n && cursor_left(&c); i++) {
        cleanup_digest struct digest d = {0};
        if (digest_read(&c, &d, &err) < 0)
            abort();
    }
}

static void add_tree(struct str answer)
{
    struct err err = {0};
    cleanup_flame struct flame f = {0};
    if (flame_merge_check(NULL, 1, answer, &err) < 0)
        return;
    flame_init(&f, 100, 1 << 16);
    flame_merge_add(&f, NULL, answer);
    flame_finish(&f);
    if (f.nodes[0].total < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct str answer = {(const char *)data + 1, size - 1};
    if (data[0])
        read_digests(answer, data[0]);
    else
        add_tree(answer);
    return 0;
}
