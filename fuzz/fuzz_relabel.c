/* Expression, replacement and text, a line each and the rest: what a configuration and the labels of a hostile process
 * can bring together.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "flow/labels.h"
#include "flow/regex.h"
#include "flow/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size}, pattern = {0}, replacement = {0};
    (void)str_split(&rest, '\n', &pattern);
    (void)str_split(&rest, '\n', &replacement);
    cleanup_buf struct buf text = BUF_INIT(1 << 16), out = BUF_INIT(1 << 16);
    text_mend(rest, &text);
    if (!buf_ok(&text))
        return 0;
    if (!str_is_utf8(buf_slice(&text)))
        abort();
    text_lower(rest, &out);
    text_upper(rest, &out);
    struct err err;
    cleanup_regex struct regex *re = NULL;
    if (regex_new(pattern, &re, &err) < 0)
        return 0;
    struct regex_match m;
    if (regex_matches(re, buf_slice(&text), &m))
        regex_expand(re, &m, replacement, &out);
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, replacement, rest);
    struct labels *ls = labels_build(&b, true);
    labels_print(ls, &out);
    labels_unref(ls);
    return 0;
}
