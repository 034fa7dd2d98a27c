"""Stalls: a target that makes the kernel keep its callers waiting must hold up nothing but its own profiling."""
import os
import signal
import time

import jfr
from attack import (MALLORY, PRIVATE_TMP, check_live, fake, flames, innocent, need_fuse, need_user_namespaces,
                    own_namespaces, staged)
from lab import check, children, config, descendants, equal, helpers_of, test, wait_for


def chunks(lab):
    """Two finished chunks: what is consumed is given back to the file system, for which its lock is needed."""
    path = lab.dir / "two.jfr"
    path.write_bytes(jfr.named("C", "m") * 2)
    return path


def big_tmp(script=""):
    return PRIVATE_TMP.replace("mode=1777", "mode=1777,size=8g") + script


def held_by(lab, script="", count=1, **options):
    """An agent with targets that keep their recordings' locks; it must answer, profile the innocent, and end when
    told."""
    need_user_namespaces(lab)
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    target = fake(lab, own_namespaces(MALLORY, big_tmp(script)), count=count, records=chunks(lab), ready=False,
                  **options)
    wait_for("recording", lambda: target.said("file"), 20)
    jvm = innocent(lab)
    flames(receiver, jvm, 15)
    check_live(agent, 4)
    agent.stop()


@test
def a_recording_held_by_a_silent_page_stops_nothing(lab):
    """write() out of a FUSE page that never comes keeps the recording's lock: the agent answers, and ends on
    SIGTERM."""
    need_fuse(lab)
    held_by(lab, f"mkdir /tmp/f; {staged(lab, 'silentfs')} page /tmp/f", count=60, hold="/tmp/f/x", step=25)


@test
def a_recording_held_at_once_stops_nothing(lab):
    """The lock is taken before the agent has the recording, so that whatever the child does with it waits."""
    need_fuse(lab)
    held_by(lab, f"mkdir /tmp/f; {staged(lab, 'silentfs')} page /tmp/f", hold="/tmp/f/x", delay=300)


@test(weight=2)
def many_held_recordings_stop_nothing(lab):
    """160 processes of one user do that: children of the helper stuck in the kernel count against that user only."""
    need_fuse(lab)
    held_by(lab, f"mkdir /tmp/f; {staged(lab, 'silentfs')} page /tmp/f", count=160, hold="/tmp/f/x", delay=200)


@test(weight=2)
def a_recording_written_by_gigabytes_stops_nothing(lab):
    """No FUSE, only write() calls of two gigabytes, one after the other."""
    held_by(lab, hold="big", pause=200)


@test
def a_stuck_agent_can_be_killed(lab):
    """SIGKILL ends the main process at once while a recording is held."""
    need_fuse(lab)
    need_user_namespaces(lab)
    agent = lab.agent(config=config())
    script = big_tmp(f"mkdir /tmp/f; {staged(lab, 'silentfs')} page /tmp/f")
    target = fake(lab, own_namespaces(MALLORY, script), count=60, records=chunks(lab), hold="/tmp/f/x", step=25)
    wait_for("recording", lambda: target.said("file"), 20)
    time.sleep(2)  # two intervals: what is consumed is given back by now
    agent.signal(signal.SIGKILL)
    wait_for("end of the agent", lambda: not agent.alive(), 3)


def with_silent_memory(lab, **which):
    need_fuse(lab)
    need_user_namespaces(lab)
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    script = PRIVATE_TMP + f"mkdir /tmp/f; {staged(lab, 'silentfs')} page /tmp/f"
    fake(lab, own_namespaces(MALLORY, script), ready=False, count=40, mode="nosocket", **which)
    jvm = innocent(lab)
    flames(receiver, jvm, 20)
    check_live(agent, 2)
    agent.stop()


@test
def command_lines_on_silent_pages_stop_nothing(lab):
    """40 processes whose command line is a FUSE page that never comes; an innocent JVM that starts later is
    profiled."""
    with_silent_memory(lab, argpage="/tmp/f/x")


@test
def environments_on_silent_pages_stop_nothing(lab):
    """The same with the environment."""
    with_silent_memory(lab, envpage="/tmp/f/x")


@test
def targets_that_stop_when_asked_hold_up_nobody(lab):
    """40 targets that stop themselves at the first connection."""
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    fake(lab, count=40, mode="stop")
    jvm = innocent(lab)
    flames(receiver, jvm, 15)
    check_live(agent, 1)


@test
def stopped_targets_hold_up_nobody(lab):
    """20 targets that were stopped before the agent came: each is told apart, an innocent JVM is profiled."""
    targets = fake(lab, count=20)
    for pid in list(descendants(targets.pid)):
        os.kill(pid, signal.SIGSTOP)
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    jvm = innocent(lab)
    flames(receiver, jvm, 15)
    check_live(agent, 1)


def helper_of(agent):
    found = helpers_of(agent)
    equal(len(found), 1, "helpers of the agent")
    return found[0]


def unhealthy(agent):
    try:
        return agent.http("GET", "/-/healthy", timeout=3)[0] == 503
    except OSError:
        return False


def healthy(agent):
    try:
        return agent.http("GET", "/-/healthy", timeout=3)[0] == 200
    except OSError:
        return False


def recovers(lab, harm, notice):
    receiver = lab.receiver()
    jvm = lab.jvm()
    agent = lab.agent(config=config())
    receiver.wait(2, type="process_cpu")
    helper = helper_of(agent)
    harm(helper)
    if notice:
        wait_for("503 of /-/healthy", lambda: unhealthy(agent) or helper_of_or_none(agent) not in (None, helper), 20,
                 0.1)
    wait_for("new helper", lambda: helper_of_or_none(agent) not in (None, helper), 30, 0.2)
    wait_for("health", lambda: healthy(agent), 15, 0.1)
    check_live(agent, 0.5)
    count = len(receiver.profiles(type="process_cpu", pid=str(jvm.inner)))
    receiver.wait(count + 3, type="process_cpu", pid=str(jvm.inner), seconds=10)
    second = innocent(lab)
    flames(receiver, second, 15)
    equal(len(jvm.recordings()), 1, "sessions in the first JVM")
    agent.stop()
    check(not jvm.profiler_runs(), "the profiler of the first JVM still runs")


def helper_of_or_none(agent):
    found = helpers_of(agent)
    return found[0] if len(found) == 1 else None


@test
def a_helper_that_stops_is_noticed_and_replaced(lab):
    """SIGSTOP of the helper: /-/healthy says so, a new one takes over, no session is lost."""
    recovers(lab, lambda pid: os.kill(pid, signal.SIGSTOP), True)


@test
def a_helper_that_is_killed_is_replaced(lab):
    """SIGKILL of the helper: the agent goes on with a new one, no session is lost."""
    recovers(lab, lambda pid: os.kill(pid, signal.SIGKILL), False)


@test
def children_that_are_killed_cost_one_try_each(lab):
    """Children of the helper are killed in the middle of an attach: the agent tries again and leaves nothing that
    grows."""
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    fake(lab, count=4, mode="mute")
    killed, end = 0, time.monotonic() + 6
    while time.monotonic() < end and killed < 12:
        for pid in children(helper_of(agent)):
            try:
                os.kill(pid, signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                pass
        time.sleep(0.1)
    check(killed > 0, "no child was seen")
    jvm = innocent(lab)
    flames(receiver, jvm, 20)
    left = [p.name for p in lab.machine.path("/tmp").iterdir() if p.name.startswith((".smolder-", ".attach_pid"))]
    check(len(left) <= killed + 4, f"{killed} children killed, left behind: {left}")
