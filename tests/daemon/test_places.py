"""max_targets: not all JVMs of a host are profiled at once."""
import signal

from lab import check, config, equal, test, wait_for

LIMITED = "as many as max_targets allows"


def profiled(agent):
    return {pid for pid, t in agent.jvms().items() if t["state"] in ("profiling", "degraded")}


def wait_profiled(agent, *jvms):
    wait_for(f"profiling of {[v.inner for v in jvms]} alone", lambda: profiled(agent) == {v.inner for v in jvms}, 60)


def load(lab, agent, number):
    lab.file("config.alloy", config(java=f"max_targets = {number}"))
    equal(agent.reload()[0], 200, "reload")


@test(weight=2)
def those_profiled_stay_and_others_wait(lab):
    receiver = lab.receiver()
    # It keeps no place, though it is the first one.
    refused = lab.jvm(options=["-XX:+DisableAttachMechanism"])
    jvms = [lab.jvm() for _ in range(3)]
    agent = lab.agent(config=config(java="max_targets = 2"))
    agent.wait_state(refused, "refused", 60)
    wait_for("two profiled JVMs", lambda: len(profiled(agent)) == 2, 60)
    before = profiled(agent)
    first, second = (v for v in jvms if v.inner in before)
    third = next(v for v in jvms if v.inner not in before)
    agent.wait_reason(third, LIMITED)
    last = lab.jvm()
    agent.wait_reason(last, LIMITED)
    waiting = agent.jvms()[last.inner]
    equal((waiting["state"], waiting["reason_code"]), ("waiting", "max_targets"), "state of one that waits")
    receiver.wait(4)
    equal(profiled(agent), before, "profiled JVMs")
    check(not [line for line in agent.text().splitlines() if LIMITED in line], "a maximum is no reason for a warning")
    # The one that waited longest is next.
    second.signal(signal.SIGTERM)
    wait_profiled(agent, first, third)
    agent.wait_reason(last, LIMITED)
    # A smaller number ends the newest, a larger one brings the others in.
    load(lab, agent, 1)
    wait_profiled(agent, first)
    agent.wait_reason(third, LIMITED)
    load(lab, agent, 0)
    wait_profiled(agent, first, third, last)
    agent.wait_state(refused, "refused")
    agent.stop()
    receiver.check_valid()
