/* smolder_dropped_profiles_total{reason}: profiles that were collected but not delivered, counted by every component
 * that drops some.
 *
 *     metric_add(&dropped_profiles_total, 1, "convert_queue");
 */
#pragma once

#include "base/metric.h"

extern struct metric_family dropped_profiles_total;
