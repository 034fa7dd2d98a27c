#include "components/pyroscope_write_sender_env.h"

static int64_t (*fake_clock_ns)(void);
static double (*fake_jitter)(void);

void sender_fake(int64_t (*now_ns)(void), double (*jitter)(void))
{
    fake_clock_ns = now_ns;
    fake_jitter = jitter;
}

int64_t sender_now_ns(void)
{
    return fake_clock_ns ? fake_clock_ns() : (int64_t)uv_hrtime();
}

int64_t sender_clock_offset_ns(void)
{
    return sender_now_ns() - (int64_t)uv_hrtime();
}

double sender_jitter(void)
{
    if (fake_jitter)
        return fake_jitter();
    uint32_t v = 0;
    if (uv_random(NULL, NULL, &v, sizeof v, 0, NULL) < 0)
        v = (uint32_t)uv_hrtime();
    return (double)v / 4294967296.0;
}

const char *sender_state_name(enum sender_state s)
{
    static const char *const names[] = {[SENDER_IDLE] = "idle",
                                        [SENDER_OK] = "ok",
                                        [SENDER_FAILING] = "failing",
                                        [SENDER_REJECTED] = "rejected",
                                        [SENDER_STOPPED] = "stopped"};
    return names[s];
}
