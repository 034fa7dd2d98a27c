#include "store/metrics.h"

struct metric_family store_pushes_total = {.name = "smolder_store_pushes_total",
                                           .help = "Pushes to the store, by result.",
                                           .kind = METRIC_COUNTER,
                                           .labels = {"result"}};
struct metric_family store_deleted_total = {.name = "smolder_store_deleted_profiles_total",
                                            .help = "Profiles deleted from the store, by reason: age, size, disk.",
                                            .kind = METRIC_COUNTER,
                                            .labels = {"reason"}};
struct metric_family store_bytes = {
    .name = "smolder_store_bytes", .help = "Bytes of the store's database in use.", .kind = METRIC_GAUGE};
struct metric_family store_oldest_seconds = {.name = "smolder_store_oldest_profile_timestamp_seconds",
                                             .help = "Start of the oldest profile in the store; 0 = there is none.",
                                             .kind = METRIC_GAUGE};
struct metric_family store_blocks = {
    .name = "smolder_store_blocks", .help = "Blocks of the store: an hour of a service each.", .kind = METRIC_GAUGE};
struct metric_family store_packed_total = {.name = "smolder_store_packed_profiles_total",
                                           .help = "Profiles of the store that were packed into blocks.",
                                           .kind = METRIC_COUNTER};
struct metric_family store_pack_seconds_total = {.name = "smolder_store_pack_seconds_total",
                                                 .help = "Time spent on packing and sealing blocks of the store.",
                                                 .kind = METRIC_COUNTER};
struct metric_family store_damaged_total = {
    .name = "smolder_store_damaged_total",
    .help = "Profiles, slices and blocks of the store that were found damaged and are left out.",
    .kind = METRIC_COUNTER};
struct metric_family store_cache_bytes = {
    .name = "smolder_store_cache_bytes", .help = "Bytes of kept answers of blocks.", .kind = METRIC_GAUGE};
struct metric_family store_cache_lookups_total = {
    .name = "smolder_store_cache_lookups_total",
    .help = "Blocks that queries asked for, by whether their answer was kept: hit, miss.",
    .kind = METRIC_COUNTER,
    .labels = {"result"}};
