/* Searches a whole flame graph by function name, for the search box of the page, which has only the largest frames.
 * Any thread.
 */
#pragma once

#include "api/page/name_match.h"

/* What stacks beneath `at` have that contain a function searched for; each counts once. After flame_finish(). */
int64_t flame_search(const struct flame *f, uint32_t at, const struct name_matches *search);
