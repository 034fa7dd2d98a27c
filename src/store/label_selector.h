/* Label selectors: which series are meant.
 *
 *     {service_name="shop", zone!="eu", pod=~"shop-.*", version!~"1\\..*",}
 *
 * The syntax is that of Pyroscope, a vector selector of Prometheus without a range: an optional name before the braces,
 * strings in "…", '…' or `…`, a comma at the end, comments, quoted label names. A missing label has the value "".
 * Expressions are anchored at both ends. A name with four or more colons is a profile type, since clients put one
 * there; an empty text selects everything. Source: spec store-query §3.2; Prometheus' parser.
 *
 * A selector is made and freed on the loop thread (flow/regex.h) and may be matched by one other thread meanwhile.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "flow/regex.h"
#include "store/labels_key.h"

enum { SELECTOR_TEXT_MAX = 64 << 10, SELECTOR_MATCHERS_MAX = 128 };

enum match_op { MATCH_EQUAL, MATCH_NOT_EQUAL, MATCH_REGEX, MATCH_NOT_REGEX };

struct matcher {
    struct str name, value; /* in the selector's arena */
    enum match_op op;
    struct regex *regex; /* one reference; NULL unless the operator needs one */
};

/* All matchers must hold. */
struct label_selector {
    struct matcher *items; /* owned */
    size_t len, cap;
    struct arena arena;
};
#define LABEL_SELECTOR_INIT ((struct label_selector){.arena = ARENA_INIT(4 * SELECTOR_TEXT_MAX)})

/* Adds the matchers of a text to those there are. -EINVAL: "parsing label selector "{a=b}": 1:4: parse error: …". */
must_check int label_selector_add(struct label_selector *s, struct str text, struct err *err);
/* Adds name="value". -EINVAL: too many. */
must_check int label_selector_add_equal(struct label_selector *s, struct str name, struct str value, struct err *err);
void label_selector_done(struct label_selector *s);
#define cleanup_label_selector __attribute__((cleanup(label_selector_done)))

bool label_selector_matches(const struct label_selector *s, const struct label_list *labels);
/* The value a label must have, by the first matcher that says one; "" when none does. */
struct str label_selector_value(const struct label_selector *s, struct str name);
