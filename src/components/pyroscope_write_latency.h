/* The reference's histogram pyroscope_write_latency, by endpoint and type: "push_downstream" is one request,
 * "push_endpoint" a profile from its arrival until an endpoint accepted or dropped it, "push_total" until all did
 * (endpoint "-"). Seconds. Loop thread.
 */
#pragma once

#include <stdint.h>

enum write_latency_type { WRITE_LATENCY_TOTAL, WRITE_LATENCY_ENDPOINT, WRITE_LATENCY_DOWNSTREAM };

/* `endpoint` is ignored for WRITE_LATENCY_TOTAL. */
void write_latency_observe(const char *component_id, const char *component_path, const char *endpoint,
                           enum write_latency_type type, int64_t ns);

/* One profile on its way to all endpoints: shared by its entries in their queues, observed with the last one. */
struct write_latency;
/* One reference. The texts are borrowed and outlive all references. */
struct write_latency *write_latency_new(const char *component_id, const char *component_path, int64_t (*now_ns)(void));
struct write_latency *write_latency_ref(struct write_latency *l);
void write_latency_unref(struct write_latency *l); /* NULL is allowed */
