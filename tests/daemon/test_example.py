"""The document's example to the letter, and what arrives at a Pyroscope server from it."""
import re
import time

from lab import ROOT, Skip, check, config, cpu_seconds, equal, java_home, need_java, test, wait_for, within

EXAMPLE = (ROOT / "examples" / "all-java.alloy").read_text()
# __name__ -> sample types, period type, a method that must show up
EXPECTED = {
    "process_cpu": (["cpu/nanoseconds"], "cpu/nanoseconds", "Shop.bake"),
    "memory": (["alloc_in_new_tlab_objects/count", "alloc_in_new_tlab_bytes/bytes"], "space/bytes", "Shop.wrapParcel"),
    "mutex": (["contentions/count", "delay/nanoseconds"], "mutex/count", "Shop.openVault"),
    "block": (["contentions/count", "delay/nanoseconds"], "block/count", "Shop.passTurnstile"),
}


def check_profile(p):
    types, period_type, _ = EXPECTED[p["labels"]["__name__"]]
    equal(p["sample_types"], types, "sample types")
    equal(p["period_type"], period_type, "period type")
    labels = dict(p["labels"])
    check(labels.pop("__name__") in EXPECTED, f"profile type {p['labels']}")
    check(labels.pop("otel.scope.version"), "no scope version")
    equal(labels, {"service_name": "unspecified", "pyroscope_spy": "grafana-agent.java", "jfr_event": "itimer",
                   "__delta__": "false", "otel.scope.name": "com.grafana.alloy/pyroscope.java"}, "labels")
    check(abs(p["time_nanos"] + p["duration_nanos"] - p["received_nanos"]) < 8e9, f"the profile is not of now: {p}")
    equal(p["sample_labels"], {}, "labels of samples")


def example(lab, version):
    need_java(version)
    receiver = lab.receiver()
    jvm = lab.jvm(version)
    agent = lab.agent(config=EXAMPLE)
    before, begun = cpu_seconds(jvm.pid), time.monotonic()
    receiver.wait(4, seconds=20)
    profiles = receiver.profiles()
    burnt, passed = cpu_seconds(jvm.pid) - before, time.monotonic() - begun
    receiver.check_valid()
    equal(sorted(p["labels"]["__name__"] for p in profiles), sorted(EXPECTED), "profiles of the first interval")
    for p in profiles:
        check_profile(p)
        within(p["duration_nanos"] / 1e9, 9, 11.5, "seconds of the first profile")
    sums = {p["labels"]["__name__"]: p["sums"] for p in profiles}
    seconds = profiles[0]["duration_nanos"] / 1e9
    within(sums["process_cpu"][0] / 1e9, 0.5 * burnt * seconds / passed, 1.3 * burnt * seconds / passed, "CPU seconds")
    within(sums["memory"][1] / seconds / 1e6, 10, 80, "allocated MB per second, about 40")
    for name in ("mutex", "block"):
        within(sums[name][1] / 1e9 / seconds, 0.2, 2.1, f"threads waiting ({name})")
        check(sums[name][0] > 10, f"{name}: {sums[name][0]} contentions")
    for name, (_, _, method) in EXPECTED.items():
        receiver.wait_stack(method, type=name, service="unspecified", seconds=1)
    # Root first, and whole but for what the profiler could not walk.
    baked = {s: v for s, v in receiver.stacks(type="process_cpu").items() if "Shop.bake" in s.split(";")}
    whole = sum(v for s, v in baked.items() if re.search(r"(^|;)java/lang/Thread\.run;.*Shop\.work;.*Shop\.bake", s))
    check(whole >= 0.8 * sum(baked.values()), f"stacks: {baked}")
    # What was collected since is pushed at the end, and no time is lost in between.
    time.sleep(2)
    agent.stop()
    last = receiver.profiles(type="process_cpu")
    equal(len(last), 2, "CPU profiles, with the last one")
    gap = last[1]["time_nanos"] - last[0]["time_nanos"] - last[0]["duration_nanos"]
    within(gap / 1e6, -10, 10, "milliseconds between the profiles")
    check(not jvm.profiler_runs(), "the profiler still runs after the agent's end")
    receiver.check_valid()


@test
def example_java17(lab):
    example(lab, 17)


@test
def example_java25(lab):
    example(lab, 25)


@test
def example_two_jvms(lab):
    """Both at once, and nothing else on the machine."""
    receiver = lab.receiver()
    versions = [17, 25 if java_home(25) else 17]
    jvms = [lab.jvm(v) for v in versions]
    agent = lab.agent(config=EXAMPLE)
    agent.wait_log("profiling", count=2)
    receiver.wait(2, type="process_cpu", seconds=30)
    receiver.check_valid()
    for p in receiver.profiles():
        check_profile(p)
    equal(agent.metric("smolder_sessions", state="profiling"), 2, "sessions")
    agent.stop()
    check(not any(j.profiler_runs() for j in jvms), "a profiler still runs")


@test
def other_jdks(lab):
    """Every other release that is at hand: all four profiles, a roll-over, a quiet end."""
    versions = [v for v in (8, 11, 21) if java_home(v)]
    if not versions:
        raise Skip("no JDK 8, 11 or 21 below /usr/lib/jvm or in SMOLDER_JDKS")
    receiver = lab.receiver()
    jvms = [lab.jvm(v) for v in versions]
    agent = lab.agent(config=config('interval = "1s"\nroll_over = "10s"'))
    for jvm in jvms:
        for name, (_, _, method) in EXPECTED.items():
            receiver.wait_stack(method, type=name, pid=str(jvm.inner))
    wait_for("roll-overs", lambda: agent.metric("smolder_gap_seconds_count") >= len(jvms), 25, 0.2)
    agent.stop()
    receiver.check_valid()
    check(not any(j.profiler_runs() for j in jvms), "a profiler still runs")
    check(all(j.alive() for j in jvms), "a JVM ended")
