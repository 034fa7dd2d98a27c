/* Metrics of the store, counted on the loop; see store/store.h. */
#pragma once

#include "base/metric.h"

extern struct metric_family store_pushes_total, store_deleted_total, store_bytes, store_oldest_seconds, store_blocks,
    store_packed_total, store_pack_seconds_total, store_damaged_total, store_cache_bytes, store_cache_lookups_total;
