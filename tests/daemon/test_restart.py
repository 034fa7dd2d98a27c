"""An agent that is killed, and the next one."""
import signal
import time

from lab import check, config, equal, test, wait_for, within


def kill_hard(agent):
    agent.signal(signal.SIGKILL)
    equal(agent.wait(5), -signal.SIGKILL, "exit status")


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
    kill_hard(agent)
    begun = time.monotonic()
    helpers_gone = lambda: not [p for p in lab.machine.path("/proc").glob("[0-9]*") if (p / "comm").read_text() == "smolder\n"]
    wait_for("end of the helper", helpers_gone, 15)
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
