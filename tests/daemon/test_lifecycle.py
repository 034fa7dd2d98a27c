"""Start, reload, stop, and what comes and goes meanwhile."""
import os
import shutil
import signal
import time

from lab import check, config, cpu_seconds, equal, java_home, test, wait_for, within

DEAD = "http://127.0.0.1:9"  # nobody listens there
NO_SPOOL = "spool {\n      max_bytes = 0\n    }"


@test
def healthy_and_ready(lab):
    agent = lab.agent(config=config())
    equal(agent.http("GET", "/-/ready")[0], 200, "/-/ready")
    equal(agent.http("GET", "/-/healthy")[0], 200, "/-/healthy")
    names = {c["localID"]: c["health"]["state"] for c in agent.components()}
    wanted = ("pyroscope.write.test", "discovery.process.all", "discovery.relabel.java", "pyroscope.java.test")
    equal(names, {name: "healthy" for name in wanted}, "components")
    equal(agent.http("GET", "/api/v0/web/components/no.such")[0], 404, "an unknown component")
    check("smolder" in agent.http("GET", "/")[1], "no page at /")


@test
def metrics(lab):
    """Those of the design, by name, after a profile was pushed."""
    receiver = lab.receiver()
    lab.jvm()
    agent = lab.agent(config=config())
    receiver.wait(2, type="process_cpu")
    receiver.wait_stack("Shop.wrapParcel", type="memory")
    wait_for("pushes", lambda: agent.metric("smolder_pushes_total", result="ok") >= 2)
    equal(agent.metric("smolder_sessions", state="profiling"), 1, "smolder_sessions")
    samples = sum(p["samples"] for p in receiver.profiles(type="process_cpu"))
    check(agent.metric("smolder_samples_total", event="process_cpu") >= samples * 0.5, "smolder_samples_total")
    check(agent.metric("smolder_chunks_total", result="read") >= 1, "smolder_chunks_total")
    check(agent.metric("smolder_jfr_bytes_total") > 1000, "smolder_jfr_bytes_total")
    equal(agent.metric("smolder_attach_seconds_count"), 1, "smolder_attach_seconds_count")
    within(agent.metric("smolder_attach_seconds_sum"), 0.001, 5, "smolder_attach_seconds_sum")
    equal(agent.metric("smolder_gap_seconds_count"), 0, "smolder_gap_seconds_count")
    names = {series.partition("{")[0] for series in agent.metrics()}
    for name in ("smolder_queue_bytes", "smolder_build_info", "smolder_config_last_load_successful",
                 "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
                 "process_start_time_seconds"):
        check(name in names, f"no metric {name}; there are {sorted(names)}")
    text = agent.http("GET", "/metrics")[1]
    check("# TYPE smolder_attach_seconds histogram" in text, "no TYPE line")


@test
def reload_takes_a_good_file_and_refuses_a_bad_one(lab):
    receiver = lab.receiver()
    jvm = lab.jvm()
    agent = lab.agent(config=config())
    receiver.wait_stack("Shop.bake", type="process_cpu")
    # Broken: what runs goes on, and the answer says where the mistake is.
    lab.file("config.alloy", config() + "\nnonsense {\n")
    status, text = agent.reload()
    equal(status, 400, "answer to a broken file")
    check("config.alloy:" in text, f"no place in: {text}")
    lab.file("config.alloy", config() + 'discovery.nope "x" { }')
    equal(agent.reload()[0], 400, "answer to an unknown component")
    equal(agent.metric("smolder_config_last_load_successful"), 0, "smolder_config_last_load_successful")
    equal(agent.metric("smolder_config_load_failures_total"), 2, "smolder_config_load_failures_total")
    count = len(receiver.profiles(type="process_cpu"))
    receiver.wait(count + 2, type="process_cpu", seconds=8)
    equal(agent.metric("smolder_attach_seconds_count"), 1, "attaches after a refused reload")
    equal(agent.http("GET", "/-/healthy")[0], 200, "/-/healthy")
    # SIGHUP with a broken file: as good.
    agent.signal(signal.SIGHUP)
    agent.wait_log("failed to reload config", count=3)
    # Good: labels at once, without starting anything anew.
    lab.file("config.alloy", config(rules='rule {\n replacement = "renamed"\n target_label = "service_name"\n }'))
    status, text = agent.reload()
    equal((status, text.strip()), (200, "config reloaded"), "answer to a good file")
    receiver.wait(1, type="process_cpu", service_name="renamed", seconds=8)
    equal(agent.metric("smolder_attach_seconds_count"), 1, "attaches after new labels")
    equal(agent.metric("smolder_config_last_load_successful"), 1, "smolder_config_last_load_successful")
    # SIGHUP: another event, in force by rolling over.
    lab.file("config.alloy", config('interval = "1s"\nevent = "ctimer"\nalloc = ""'))
    agent.signal(signal.SIGHUP)
    receiver.wait(2, type="process_cpu", jfr_event="ctimer", seconds=10)
    # And none at all: the session ends.
    lab.file("config.alloy", "")
    equal(agent.reload()[0], 200, "answer to an empty file")
    wait_for("end of the profiler", lambda: not jvm.profiler_runs())
    receiver.check_valid()


@test
def stop_pushes_what_was_collected(lab):
    receiver = lab.receiver()
    jvm = lab.jvm()
    agent = lab.agent(config=config('interval = "60s"'))
    agent.wait_state(jvm, "profiling")
    time.sleep(2)
    equal(receiver.profiles(), [], "profiles before the end of the interval")
    within(agent.stop(), 0, 5, "seconds to stop")
    receiver.check_valid()
    cpu = receiver.profiles(type="process_cpu")
    equal(len(cpu), 1, "CPU profiles")
    within(cpu[0]["duration_nanos"] / 1e9, 1.5, 6, "seconds in the profile")
    receiver.wait_stack("Shop.bake", type="process_cpu", seconds=1)
    check(not jvm.profiler_runs() and not jvm.recordings(), "the profiler still runs")


@test
def stop_with_a_dead_endpoint_counts_what_is_lost(lab):
    lab.jvm()
    agent = lab.agent(config=config(url=DEAD, endpoint=NO_SPOOL))
    wait_for("queued profiles", lambda: agent.metric("smolder_queue_bytes") > 0)
    time.sleep(1)
    within(agent.stop(), 0, 10, "seconds to stop")
    lost = agent.lines("profiles lost at shutdown")
    equal(len(lost), 1, f"lines about lost profiles: {lost}")


@test
def stop_with_an_endpoint_that_hangs(lab):
    receiver = lab.receiver(delay="60s")
    jvm = lab.jvm()
    agent = lab.agent(config=config(endpoint=NO_SPOOL))
    wait_for("a push under way", lambda: receiver.stats()["requests"] > 0)
    within(agent.stop(), 0, 10, "seconds to stop")
    equal(len(agent.lines("profiles lost at shutdown")), 1, "lines about lost profiles")
    check(not jvm.profiler_runs(), "the profiler still runs")


@test
def unreachable_endpoint(lab):
    """Retries with waits: no busy loop, one line about it, everything waits in the queue and arrives in the end."""
    lab.jvm()
    agent = lab.agent(config=config(endpoint='max_backoff_period = "2s"\nmax_backoff_retries = 0'))
    wait_for("retries", lambda: agent.metric("smolder_pushes_total", result="retry") >= 2)
    before, begun = cpu_seconds(agent.pid), time.monotonic()
    time.sleep(5)
    used = (cpu_seconds(agent.pid) - before) / (time.monotonic() - begun)
    check(used < 0.25, f"uses {used:.2f} of a core while the endpoint is away")
    within(agent.metric("smolder_pushes_total", result="retry"), 2, 30, "retries")
    check(agent.metric("smolder_queue_bytes") < 32 << 20, "the queue has no bound")
    equal(len(agent.lines("level=(warn|error)")), 1, f"lines about it: {agent.lines('level=(warn|error)')}")
    receiver = lab.receiver()
    receiver.wait(6, type="process_cpu", seconds=15)
    agent.wait_log("pushes succeed again")
    profiles = sorted(receiver.profiles(type="process_cpu"), key=lambda p: p["time_nanos"])
    for a, b in zip(profiles, profiles[1:]):
        gap = (b["time_nanos"] - a["time_nanos"] - a["duration_nanos"]) / 1e6
        within(gap, -10, 100, "milliseconds without a profile across the outage")
    equal(agent.metric("smolder_dropped_profiles_total"), 0, "dropped profiles")


@test
def overloaded_endpoint(lab):
    """429 is tried again, then all arrives."""
    receiver = lab.receiver(status=429)
    lab.jvm()
    agent = lab.agent(config=config(endpoint='max_backoff_period = "1s"\nmax_backoff_retries = 0'))
    wait_for("retries", lambda: agent.metric("smolder_pushes_total", result="retry") >= 2)
    receiver.behave()
    receiver.wait(3, type="process_cpu", seconds=15)
    receiver.check_valid()
    equal(agent.metric("smolder_dropped_profiles_total"), 0, "dropped profiles")


@test
def refusing_endpoint(lab):
    """400 is not tried again: dropped, counted, said."""
    receiver = lab.receiver(status=400)
    lab.jvm()
    agent = lab.agent(config=config())
    wait_for("dropped profiles", lambda: agent.metric("smolder_dropped_profiles_total") >= 2)
    check(agent.metric("smolder_pushes_total", result="rejected") >= 2, "smolder_pushes_total")
    equal(agent.metric("smolder_pushes_total", result="retry"), 0, "retries")
    check(agent.lines("level=(warn|error).*400"), "nothing in the log")
    equal(receiver.profiles(), [], "profiles")


@test
def two_endpoints_do_not_delay_each_other(lab):
    receiver = lab.receiver()
    lab.jvm()
    second = f'}}\n endpoint {{\n url = "{DEAD}"\n headers = {{"X-Scope-OrgID" = "me"}}'
    agent = lab.agent(config=config(endpoint=second, write='external_labels = {"host" = "here"}'))
    receiver.wait(3, type="process_cpu", host="here", seconds=12)
    check(agent.metric("smolder_queue_bytes") > 0, "nothing waits for the dead endpoint")


@test
def request_headers(lab):
    receiver = lab.receiver()
    lab.jvm()
    secret = lab.file("password", "s3cret\n")
    lab.agent(config=config(endpoint=f"""
    headers = {{"X-Scope-OrgID" = "tenant"}}
    basic_auth {{
      username = "me"
      password_file = "{secret}"
    }}"""))
    receiver.wait(1)
    head = receiver.stats()["last_request"]
    equal(head["Authorization"], "Basic bWU6czNjcmV0", "Authorization")
    equal(head["Headers"].get("X-Scope-Orgid"), "tenant", "X-Scope-OrgID")
    check("smolder" in head["UserAgent"], f"User-Agent {head['UserAgent']}")


@test
def new_jvm_is_seen_soon(lab):
    """Within about two seconds, though processes are re-read once a minute."""
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    for version in (17, 25 if java_home(25) else 17):
        time.sleep(1)
        jvm = lab.jvm(version, ready=False)
        begun = time.monotonic()
        wait_for("profiler", jvm.profiler_runs, 10, 0.02)
        within(time.monotonic() - begun, 0, 3.5, f"seconds from the start of java {version} to its profiler's")
        receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner))
        check(jvm.alive(), "the JVM ended")
    equal(len(agent.lines("msg=profiling")), 2, "sessions")


@test
def process_that_becomes_a_jvm(lab):
    """A start script that ends in exec: the same process, seen as something else before."""
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    script = ["sh", "-c", 'sleep 2.5; exec "$@"', "start.sh"]
    begun = time.monotonic()
    jvm = lab.jvm(wrapper=script)
    receiver.wait_stack("Shop.bake", type="process_cpu", seconds=10)
    within(time.monotonic() - begun, 2.5, 9, "seconds to the first profile")
    check(agent.alive() and jvm.alive(), "something ended")


@test
def removed_library(lab):
    """A cleaner of /tmp takes the library away: what runs goes on, rolls over, and the next agent copes as well."""
    receiver = lab.receiver()
    jvm = lab.jvm()
    agent = lab.agent(config=config('interval = "1s"\nroll_over = "10s"'))
    receiver.wait(1, type="process_cpu")
    for folder in lab.machine.path("/tmp").glob("grafana-agent-asprof-*"):
        shutil.rmtree(folder)
    wait_for("roll-over", lambda: agent.metric("smolder_gap_seconds_count") >= 1, 25, 0.2)
    agent.stop()
    for folder in lab.machine.path("/tmp").glob("grafana-agent-asprof-*"):
        shutil.rmtree(folder)
    receiver.forget()
    lab.agent(config=config())
    receiver.wait_stack("Shop.bake", type="process_cpu")
    check(jvm.alive(), "the JVM ended")
    copies = {line.split()[4] for line in (lab.machine.path("/proc") / str(jvm.inner) / "maps").read_text().splitlines()
              if "libasyncProfiler" in line}
    equal(len(copies), 1, "copies of the profiler in the JVM")


@test
def jvms_that_end(lab):
    receiver = lab.receiver()
    killed, ended = lab.jvm(), lab.jvm()
    agent = lab.agent(config=config('interval = "60s"'))
    agent.wait_log("msg=profiling", count=2)
    time.sleep(1.5)
    killed.kill()
    # An orderly end closes the recording: nothing of it is lost.
    ended.signal(signal.SIGTERM)
    ended.wait(10)
    agent.wait_log("process ended", count=2)
    receiver.wait(1, type="process_cpu", pid=str(ended.inner), seconds=5)
    wait_for("end of the sessions", lambda: not agent.jvms())
    receiver.check_valid()
    agent.stop()


@test
def replaced_executable_still_counts(lab):
    """After an upgrade of the JDK the link of its exe says (deleted)."""
    receiver = lab.receiver()
    home = lab.jdk_copy()
    jvm = lab.jvm(java=home / "bin" / "java")
    (home / "bin" / "java").unlink()
    check(os.readlink(f"/proc/{jvm.pid}/exe").endswith(" (deleted)"), "the exe is not deleted")
    lab.agent(config=config())
    receiver.wait_stack("Shop.bake", type="process_cpu")


@test
def per_thread_labels(lab):
    receiver = lab.receiver()
    lab.jvm()
    lab.agent(config=config('interval = "1s"\nper_thread = true'))
    receiver.wait_stack("Shop.bake", type="process_cpu")
    threads = set().union(*(p["sample_labels"].get("thread", []) for p in receiver.profiles(type="process_cpu")))
    check("baker" in threads, f"threads: {sorted(threads)}")
    receiver.wait_stack("Shop.openVault", type="mutex")
    threads = set().union(*(p["sample_labels"].get("thread", []) for p in receiver.profiles(type="mutex")))
    check(threads & {"guard-1", "guard-2"}, f"threads: {sorted(threads)}")
    receiver.check_valid()


@test
def custom_arguments_with_wall(lab):
    """Wall-clock samples weigh their own interval: one thread that sleeps costs a second per second."""
    receiver = lab.receiver()
    lab.jvm()
    lab.agent(config=config("""
    interval = "2s"
    per_thread = true
    custom_arguments = ["-e", "itimer", "-i", "10ms", "--wall", "50ms"]"""))
    receiver.wait(3, type="wall", seconds=20)
    receiver.check_valid()
    profiles = receiver.profiles(type="wall")[1:]
    seconds = sum(p["duration_nanos"] for p in profiles) / 1e9
    equal(profiles[0]["sample_types"], ["wall/nanoseconds"], "sample types")
    equal(profiles[0]["period_type"], "wall/nanoseconds", "period type")
    stacks = receiver.stacks(type="wall")
    everything = sum(p["duration_nanos"] for p in receiver.profiles(type="wall")) / 1e9
    guards = sum(v for s, v in stacks.items() if "Shop.guard" in s.split(";")) / 1e9
    within(guards / everything, 1.4, 2.4, f"seconds of the two guards per second ({seconds:.0f} s)")
    equal({p["labels"]["__name__"] for p in receiver.profiles()} - {"wall"}, {"process_cpu"}, "other profiles")
    equal(receiver.profiles(type="wall")[0]["labels"]["jfr_event"], "itimer", "jfr_event")


@test
def event_wall(lab):
    receiver = lab.receiver()
    lab.jvm()
    lab.agent(config=config('interval = "1s"\nevent = "wall"\nalloc = ""\nlock = ""'))
    receiver.wait(2, type="wall", seconds=15)
    receiver.wait_stack("Shop.guard", type="wall")
    equal({p["labels"]["__name__"] for p in receiver.profiles()}, {"wall", "process_cpu"}, "profiles")
    receiver.check_valid()


@test
def tlab_and_no_cpu(lab):
    receiver = lab.receiver()
    lab.jvm()
    lab.agent(config=config('interval = "1s"\ncpu = false\nalloc = "64k"\ntlab = true\nlock = ""'))
    receiver.wait_stack("Shop.wrapParcel", type="memory")
    equal({p["labels"]["__name__"] for p in receiver.profiles()}, {"memory"}, "profiles")
    receiver.check_valid()


@test
def host_copy_of_the_profiler(lab):
    """`dist`: the operator's own async-profiler."""
    receiver = lab.receiver()
    own = lab.dir / "async-profiler"
    shutil.copytree(lab.layout(), own)
    jvm = lab.jvm()
    agent = lab.agent(config=config(java=f'dist = "{own}"'))
    receiver.wait_stack("Shop.bake", type="process_cpu")
    agent.stop()
    check(jvm.alive(), "the JVM ended")
    agent = lab.agent(config=config(java='dist = "/no/such"'))
    agent.wait_log("/no/such")
    check(agent.alive(), "the agent ended")
