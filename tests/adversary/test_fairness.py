"""Fairness: one user's targets, however many, cost that user's profiles and nobody else's."""
import re
import time

import jfr
from attack import (MALLORY, PRIVATE_TMP, check_live, check_memory, fake, flames, innocent, mapped,
                    need_user_namespaces, real_library, staged, user)
from lab import check, config, equal, proc_text, test, wait_for

GREEDY = "greedy"  # the service of those targets, which the receiver need not decode


def beside(lab, count, seconds=12, prefix=(), wrapper=None, check_seconds=2, before=0, **options):
    """So many targets of one user, then the JVM of another: it is profiled in time."""
    receiver = lab.receiver()
    receiver.leave_unread(GREEDY)
    agent = lab.agent(config=config(), wrapper=prefix)
    target = fake(lab, wrapper, count=count, ready=False, env={"OTEL_SERVICE_NAME": GREEDY}, **options)
    wait_for("fake JVMs", lambda: len(target.pids) >= count, 30)
    time.sleep(before)
    jvm = innocent(lab)
    flames(receiver, jvm, seconds)
    check_live(agent, check_seconds)
    return agent, target, jvm, receiver


@test(weight=2)
def two_hundred_silent_targets_delay_nobody(lab):
    """200 processes of one user accept and never answer; another user's JVM is profiled within seconds."""
    beside(lab, 200, mode="mute")


@test(weight=2)
def six_hundred_silent_targets_delay_nobody(lab):
    """The same with 600."""
    beside(lab, 600, mode="mute")


@test(weight=2)
def six_hundred_targets_without_socket_delay_nobody(lab):
    """600 processes that handle SIGQUIT and never make a socket."""
    beside(lab, 600, mode="nosocket")


@test
def dripping_flooding_and_babbling_targets_delay_nobody(lab):
    """Answers by the byte, without end, and of random bytes, 50 targets of each."""
    for mode in ("drip", "flood", "garbage"):
        fake(lab, count=16 if mode == "flood" else 50, mode=mode, ready=False)
    beside(lab, 50, mode="full")


@test(weight=2)
def descriptors_run_out_for_the_greedy_only(lab):
    """450 answering targets and a hard limit of 1024 descriptors: the API lives and another user's JVM is profiled."""
    agent, target, jvm, receiver = beside(lab, 450, 20, prefix=["prlimit", "--nofile=1024:1024"], before=3)
    lines = [re.sub(r"pid=\d+", "", line) for line in agent.lines("reason=ok")]
    equal(lines[:1], [], "lines that give no reason")
    count = len(receiver.profiles(type="process_cpu", pid=str(jvm.inner)))
    receiver.wait(count + 3, type="process_cpu", pid=str(jvm.inner), seconds=10)
    agent.stop()


@test
def descriptors_are_raised_to_what_may_be(lab):
    """A soft limit of 256 with a hard one of 8192 is no limit."""
    agent = lab.agent(config=config(), wrapper=["prlimit", "--nofile=256:8192"])
    limit = re.search(r"^Max open files\s+(\d+)", proc_text(agent.pid, "limits"), re.M)[1]
    check(int(limit) > 1024, f"the limit of descriptors is {limit}")


@test
def a_few_descriptors_are_survived(lab):
    """48 descriptors in all: the agent lives, says so, and answers."""
    agent = lab.start_agent(config=config(), wrapper=["prlimit", "--nofile=48:48"]).locate()
    agent.wait_log("smolder is running")
    fake(lab, count=60)
    time.sleep(4)  # two rounds of tries
    check(agent.alive(), "the agent ended")
    check_live(agent, 1, 1)
    agent.stop()


@test(weight=2)
def subordinate_ids_are_one_user(lab):
    """300 targets of one user namespace, each with another of its owner's subordinate ids: still one user's budget."""
    need_user_namespaces(lab)
    beside(lab, 300, wrapper=mapped(f"0 {MALLORY} 1\\n1 100000 1000\\n", PRIVATE_TMP, user()), mode="mute", uids=300)


@test(weight=2)
def ids_of_a_namespace_of_roots_are_one_user(lab):
    """The same where the container runtime made the namespace."""
    need_user_namespaces(lab)
    beside(lab, 300, wrapper=mapped("0 200000 65536\\n", PRIVATE_TMP), mode="mute", uids=300)


@test(weight=2)
def short_lives_in_numbers_delay_nobody(lab):
    """100 processes a second that look like JVMs and end after 0.3 s."""
    java = staged(lab, "fakejvm", "java")
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    loop = (f"while :; do i=0; while [ $i -lt 20 ]; do timeout -s KILL 0.3 {java} lib={real_library()} >/dev/null 2>&1 "
            f"& i=$((i+1)); done; "
            "sleep 0.2; done")
    lab.run([*user(), "sh", "-c", loop])
    jvm = innocent(lab)
    flames(receiver, jvm, 20)
    check_live(agent, 1, 1)


@test
def the_greedy_users_own_jvm_waits_with_a_reason(lab):
    """What is beyond a user's budget is told apart: a reason each, and the first ones are served."""
    agent = lab.agent(config=config())
    target = fake(lab, count=100, mode="mute", ready=False)
    wait_for("100 targets in view", lambda: len(agent.jvms()) >= 100, 20, 0.2)
    wait_for("connections", lambda: len(target.connections()) > 0, 20)
    wait_for("a reason for every target", lambda: all(j.get("reason") or j.get("state") not in ("", None)
                                                    for j in agent.jvms().values()), 20, 0.3)
    check_live(agent, 1)


@test(weight=2)
def recordings_that_are_dear_to_convert_delay_nobody(lab):
    """60 targets of one user whose recordings grow by megabytes of samples that are all different, a second after the
    other: another user's JVM has its profiles in time."""
    path = lab.dir / "dear.jfr"
    path.write_bytes(jfr.distinct(400, 900))
    agent, target, jvm, receiver = beside(lab, 60, 15, records=path, pause=1000, again=1, before=4)
    count = len(receiver.profiles(type="process_cpu", pid=str(jvm.inner)))
    receiver.wait(count + 4, type="process_cpu", pid=str(jvm.inner), seconds=12)
    check_memory(agent, 260)
