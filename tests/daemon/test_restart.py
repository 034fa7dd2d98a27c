"""An agent that is killed, and the next one."""
import os
import signal
import time

from lab import check, config, equal, helpers_of, test, wait_for, within


def kill_hard(agent):
    agent.signal(signal.SIGKILL)
    equal(agent.wait(5), -signal.SIGKILL, "exit status")


def ours(lab):
    """Processes of the agent in the machine, by its own numbers."""
    links = lab.machine.path("/proc").glob("[0-9]*/exe")
    return [p.parent.name for p in links if os.path.basename(link_of(p)) == "smolder"]


def link_of(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


def holes(profiles):
    """Milliseconds between one profile and the next; negative: they overlap."""
    ps = sorted(profiles, key=lambda p: p["time_nanos"])
    return [(b["time_nanos"] - a["time_nanos"] - a["duration_nanos"]) / 1e6 for a, b in zip(ps, ps[1:])]


@test(weight=0)
def killed_agent_leaves_nothing(lab):
    """No file, and no profiler past its timeout: roll_over, two intervals and a minute."""
    receiver = lab.receiver()
    jvm = lab.jvm()
    agent = lab.agent(config=config('interval = "1s"\nroll_over = "10s"'))
    receiver.wait(1, type="process_cpu")
    check(len(ours(lab)) >= 2, f"not even two processes of the agent: {ours(lab)}")
    kill_hard(agent)
    begun = time.monotonic()
    wait_for("end of the helper", lambda: not ours(lab), 15)
    check(jvm.profiler_runs(), "the profiler stopped with the agent")
    check(all(r.endswith(" (deleted)") for r in jvm.recordings()), f"a recording with a name: {jvm.recordings()}")
    equal([n for n in jvm.temporaries() if not n.startswith("grafana-agent-asprof-")], [], "left in /tmp")
    equal(list(lab.machine.path("/dev/shm").iterdir()), [], "left in /dev/shm")
    wait_for("end of the profiler", lambda: not jvm.profiler_runs(), 90, 0.5)
    within(time.monotonic() - begun, 55, 85, "seconds until the profiler stopped by itself")
    equal(jvm.recordings(), [], "open recordings")
    # And the next agent starts as if nothing had been.
    receiver.forget()
    lab.agent(config=config())
    receiver.wait_stack("Shop.bake", type="process_cpu")


@test
def restarted_agent_takes_over(lab):
    receiver = lab.receiver()
    jvm = lab.jvm()
    text = config('interval = "5s"')
    agent = lab.agent(config=text)
    receiver.wait(1, type="process_cpu")
    time.sleep(2)  # some of the next interval, which must not be lost
    kill_hard(agent)
    time.sleep(1)
    lab.agent(config=text)
    receiver.wait(4, type="process_cpu")
    profiles = receiver.profiles(type="process_cpu")
    worst = holes(profiles)
    check(all(-10 <= h <= 300 for h in worst), f"milliseconds between profiles: {worst}")
    equal(len(jvm.recordings()), 1, "open recordings")
    receiver.check_valid()


@test
def two_agents_do_not_fight_over_a_jvm(lab):
    """The second one waits, says so, and takes over when the first is gone."""
    receiver = lab.receiver()
    jvm = lab.jvm()
    text = config(write='external_labels = {"agent" = "WHICH"}')
    first = lab.agent(config=text.replace("WHICH", "first"))
    receiver.wait(1, type="process_cpu", agent="first")
    (lab.dir / "second").mkdir()
    second = lab.agent("--server.http.listen-addr=127.0.0.1:12346", "--storage.path=" + str(lab.dir / "second"),
                       config=text.replace("WHICH", "second"))
    second.wait_log("not profiling.*another smolder is profiling this JVM")
    count = len(receiver.profiles(type="process_cpu", agent="first"))
    receiver.wait(count + 3, type="process_cpu", agent="first", seconds=10)
    equal(first.metric("smolder_attach_seconds_count"), 1, "attaches of the first")
    equal(first.metric("smolder_chunks_total", result="broken"), 0, "broken chunks")
    kill_hard(first)
    receiver.wait(2, type="process_cpu", agent="second", seconds=30)
    equal(len(jvm.recordings()), 1, "open recordings")
    receiver.check_valid()


@test
def roll_over_loses_milliseconds(lab):
    receiver = lab.receiver()
    jvm = lab.jvm()
    agent = lab.agent(config=config('interval = "5s"\nroll_over = "10s"'))
    wait_for("two roll-overs", lambda: agent.metric("smolder_gap_seconds_count") >= 2, 45, 0.5)
    receiver.wait(5, type="process_cpu")
    worst = holes(receiver.profiles(type="process_cpu"))
    check(all(-10 <= h <= 150 for h in worst), f"milliseconds between profiles: {worst}")
    equal(len(jvm.recordings()), 1, "open recordings")
    equal(agent.metric("smolder_chunks_total", result="broken"), 0, "broken chunks")
    receiver.check_valid()


def helper_of(agent):
    helpers = helpers_of(agent)
    return helpers[0] if len(helpers) == 1 else None


def a_helper_is_replaced(lab, number):
    """Sessions go on with the recordings that the main process holds, and roll over by the new helper."""
    receiver = lab.receiver()
    jvm = lab.jvm()
    agent = lab.agent(config=config('interval = "5s"\nroll_over = "20s"'))
    receiver.wait(1, type="process_cpu")
    helper = wait_for("helper", lambda: helper_of(agent))
    recording = jvm.recordings()
    time.sleep(1.1)  # one that dies at once is not started again at once
    os.kill(helper, number)
    wait_for("another helper", lambda: helper_of(agent) not in (None, helper), 20)
    check(agent.wait_log("helper died or did not answer"), "nothing in the log")
    equal(jvm.recordings(), recording, "recordings right after")
    wait_for("roll-over", lambda: agent.metric("smolder_gap_seconds_count") >= 1, 60, 0.5)
    receiver.wait(6, type="process_cpu", seconds=60)
    worst = holes(receiver.profiles(type="process_cpu"))
    check(all(-10 <= h <= 150 for h in worst), f"milliseconds between profiles: {worst}")
    wait_for("health", lambda: agent.http("GET", "/-/healthy")[0] == 200, 10, 0.2)
    agent.stop()
    check(not jvm.profiler_runs(), "the profiler still runs")


@test
def dead_helper_is_replaced(lab):
    a_helper_is_replaced(lab, signal.SIGKILL)


@test
def stopped_helper_is_replaced(lab):
    a_helper_is_replaced(lab, signal.SIGSTOP)


@test
def not_root(lab):
    """Said at the start; JVMs of the same user are profiled, others get a reason."""
    receiver = lab.receiver()
    user = ["setpriv", "--reuid", "1234", "--regid", "1235", "--clear-groups"]
    own, other = lab.jvm(wrapper=user), lab.jvm()
    (lab.dir / "data").mkdir()
    os.chown(lab.dir / "data", 1234, 1235)
    agent = lab.agent(config=config(), wrapper=user)
    agent.wait_log("not running as root")
    receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(own.inner))
    check(other.alive() and own.alive(), "a JVM ended")
    equal(receiver.profiles(pid=str(other.inner)), [], "profiles of another user's JVM")
