#include "flow/dropped.h"

struct metric_family dropped_profiles_total = {.name = "smolder_dropped_profiles_total",
                                               .help = "Profiles dropped before delivery, by reason.",
                                               .kind = METRIC_COUNTER,
                                               .labels = {"reason"}};
