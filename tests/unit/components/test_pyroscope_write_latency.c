#include "components/pyroscope_write_latency.h"

#include "base/buf.h"
#include "base/metric.h"
#include "test.h"

static int64_t now_ns = 1000;

static int64_t clock_of_test(void)
{
    return now_ns;
}

static void a_profile_is_observed_once_all_endpoints_are_done(void)
{
    struct write_latency *l = write_latency_new("pyroscope.write.w", "/", clock_of_test);
    write_latency_unref(write_latency_ref(l));
    now_ns += 2000000000;
    write_latency_unref(l);
    write_latency_unref(NULL);
    write_latency_observe("pyroscope.write.w", "/", "http://a", WRITE_LATENCY_DOWNSTREAM, 20000000);
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    metric_render(&out);
    CHECK_HAS(buf_cstr(&out), "pyroscope_write_latency_sum{component_id=\"pyroscope.write.w\",component_path=\"/\","
                              "endpoint=\"-\",type=\"push_total\"} 2\n");
    CHECK_HAS(buf_cstr(&out), "endpoint=\"http://a\",type=\"push_downstream\",le=\"0.025\"} 1\n");
    CHECK_HAS(buf_cstr(&out), "endpoint=\"http://a\",type=\"push_downstream\",le=\"0.01\"} 0\n");
}

int main(void)
{
    RUN(a_profile_is_observed_once_all_endpoints_are_done);
    return REPORT();
}
