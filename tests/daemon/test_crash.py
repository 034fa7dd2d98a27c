"""The crash guard: which crashes of profiled JVMs stop profiling of JVMs like them, and how it comes back."""
import ctypes
import os
import pathlib
import signal
import time

from lab import check, config, equal, need_java, test, wait_for
from test_fit import STEADY, cgroup, settled

WINDOW_S = 10.5  # after an attach, in which every crash is the profiler's
SYS_TGKILL = {"x86_64": 234, "aarch64": 131}[os.uname().machine]


def outlive(agent, *jvms):
    """Until the last attach is longer ago than the window."""
    for jvm in jvms:
        agent.wait_state(jvm, "profiling")
    time.sleep(WINDOW_S)


def crashes(agent, **labels):
    return agent.metric("smolder_jvm_crashes_total", **labels)


def crash(jvm, number=signal.SIGSEGV, thread=None):
    """HotSpot's words about it are on its output."""
    jvm.quiet = None
    if thread:
        ctypes.CDLL(None).syscall(SYS_TGKILL, jvm.pid, thread, number)
    else:
        jvm.signal(number)
    wait_for("the JVM's end", lambda: not jvm.alive())


def profilers_thread(jvm):
    for task in pathlib.Path(f"/proc/{jvm.pid}/task").iterdir():
        if (task / "comm").read_text().startswith("Async-profiler"):
            return int(task.name)
    raise AssertionError("no thread of the profiler")


@test
def a_crash_of_its_own_stops_nothing(lab):
    """A fault long after the attach that names a library of the JVM's: logged, counted, and its successor is
    profiled."""
    lab.receiver()
    jvm = lab.jvm()
    agent = lab.agent(config=config())
    outlive(agent, jvm)
    crash(jvm)
    told = agent.wait_log("level=warn.*a profiled JVM crashed")
    check("killed by SIGSEGV in lib" in told[0], f"how: {told}")
    check((lab.dir / f"hs_err_pid{jvm.inner}.log").exists(), "no report")
    equal(crashes(agent, cause="fault", verdict="unrelated"), 1, "crashes counted")
    equal(crashes(agent, verdict="profiler"), 0, "crashes of the profiler")
    agent.wait_state(lab.jvm(), "profiling")
    equal(agent.lines("level=error"), [], "errors")
    agent.stop()


@test
def a_program_that_writes_to_address_0(lab):
    """The report is where -XX:ErrorFile says, and names the frame."""
    lab.receiver()
    (lab.dir / "reports").mkdir()
    java = f"{need_java(17)}/bin/java"
    jvm = lab.jvm(command=[java, "-Xmx64m", "-XX:-CreateCoredumpOnCrash",
                           f"-XX:ErrorFile={lab.dir}/reports/%p.txt", "-cp", lab.stage.classes, "Crash",
                           f"{lab.dir}/now"], java=java)
    jvm.quiet = None
    agent = lab.agent(config=config())
    outlive(agent, jvm)
    (lab.dir / "now").touch()
    wait_for("the JVM's end", lambda: not jvm.alive())
    agent.wait_log("a profiled JVM crashed.*killed by SIGSEGV in libjvm.so")
    equal(crashes(agent, cause="fault", verdict="unrelated"), 1, "crashes counted")
    agent.stop()


@test
def a_crash_of_the_profiler_stops_it_everywhere(lab):
    """A fault in the profiler's own thread, long after the attach: another JVM of the workload is let go, also after a
    restart of the agent, until it is forgiven; other workloads go on."""
    receiver = lab.receiver()
    jvm, sibling = lab.jvm(), lab.jvm()
    other = lab.jvm(options=["-Dworkload=other"])
    text = config('interval = "5s"')
    agent = lab.agent(config=text)
    outlive(agent, jvm, sibling, other)
    crash(jvm, thread=profilers_thread(jvm))
    agent.wait_log("level=error.*died after an attach.*killed by SIGSEGV")
    agent.wait_reason(sibling, "Shop.*killed by SIGSEGV.*smolder forgive")
    equal(agent.jvms()[sibling.inner]["state"], "refused", "state of the sibling")
    equal(agent.jvms()[sibling.inner]["reason_code"], "quarantined", "its reason's code")
    wait_for("the profiler's end", lambda: not sibling.profiler_runs())
    check(sibling.alive(), "the sibling ended")
    equal(agent.jvms()[other.inner]["state"], "profiling", "state of another workload")
    equal(crashes(agent, cause="fault", verdict="profiler"), 1, "crashes counted")
    agent.stop()
    agent = lab.agent(config=text)
    agent.wait_reason(sibling, "killed by SIGSEGV.*smolder forgive")
    agent.wait_state(other, "profiling")
    status, said = lab.call([lab.smolder, "forgive", f"--storage.path={lab.dir}/data", "Shop"])
    equal((status, "forgiven: Shop" in said), (0, True), f"smolder forgive: {said}")
    agent.wait_state(sibling, "profiling")
    receiver.wait_stack("Shop.bake", type="process_cpu")
    agent.stop()


@test
def the_guard_can_be_off_or_strict(lab):
    """Per component, and for the whole agent by one flag, which comes first."""
    lab.receiver()
    agent = lab.agent(config=config('crash_guard = "off"'))
    jvm = lab.jvm()
    agent.wait_state(jvm, "profiling")
    crash(jvm)
    agent.wait_log("level=warn.*a profiled JVM crashed.*(at|after) the attach")
    jvm = lab.jvm()
    agent.wait_state(jvm, "profiling")
    agent.stop()
    agent = lab.agent("--java.crash-guard=strict", config=config('crash_guard = "off"'))
    outlive(agent, jvm)
    crash(jvm)
    agent.wait_log("level=error.*killed by SIGSEGV in lib")
    equal(crashes(agent, cause="fault", verdict="unrelated"), 1, "crashes counted")
    jvm = lab.jvm()
    agent.wait_reason(jvm, "quarantined until")
    # What the component says is looked at again when the flag is gone.
    agent.stop()
    agent = lab.agent(config=config('crash_guard = "off"'))
    agent.wait_state(jvm, "profiling")
    agent.stop()


def oom_kill(lab, group):
    """Another process of the group fills what is left: the JVM is the largest, and is killed first."""
    group.leave(5)
    lab.call([*group.wrapper(), "tail", "/dev/zero"])


@test
def an_oom_kill_with_little_left_stops_it(lab):
    """Long after the attach, in a container that never had room for all the profiler may take; not in one that had."""
    lab.receiver()
    with cgroup(lab) as group:
        jvm = settled(lab.jvm(options=STEADY, wrapper=group.wrapper()), group)
        group.leave(300)  # before the attach, at which limits are read
        agent = lab.agent(config=config())
        outlive(agent, jvm)
        oom_kill(lab, group)
        wait_for("the JVM's end", lambda: not jvm.alive())
        agent.wait_log("level=warn.*a profiled JVM crashed.*OOM-killed")
        equal(crashes(agent, cause="oom", verdict="unrelated"), 1, "crashes counted")
        agent.stop()
        group.leave(None)
        jvm = settled(lab.jvm(options=STEADY, wrapper=group.wrapper()), group)
        group.leave(50)
        agent = lab.agent(config=config())
        outlive(agent, jvm)
        oom_kill(lab, group)
        wait_for("the JVM's end", lambda: not jvm.alive())
        agent.wait_log("level=error.*OOM-killed with little memory left")
        equal(crashes(agent, cause="oom", verdict="profiler"), 1, "crashes counted")
        agent.stop()
