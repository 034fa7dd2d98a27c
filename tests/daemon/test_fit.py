"""JVMs that would not survive being attached to are left alone, and what is done about those that did not."""
import contextlib
import os
import pathlib
import signal
import time

from lab import Skip, check, config, equal, need_java, test, wait_for

MIB = 1 << 20


class Cgroup:
    """A memory cgroup below our own, of either version."""

    def __init__(self):
        lines = [line.split(":", 2) for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines()]
        v1 = [path for _, names, path in lines if "memory" in names.split(",")]
        v2 = [path for number, names, path in lines if number == "0" and not names]
        if v1:
            parent = "/sys/fs/cgroup/memory" + v1[0]
            self.limit, self.usage = "memory.limit_in_bytes", "memory.usage_in_bytes"
        elif v2:
            parent, self.limit, self.usage = "/sys/fs/cgroup" + v2[0], "memory.max", "memory.current"
        else:
            raise Skip("this machine has no memory cgroups")
        self.unlimited = "-1" if v1 else "max"
        self.dir = pathlib.Path(parent) / f"smolder-test-{os.getpid()}-{time.monotonic_ns()}"
        try:
            self.dir.mkdir()
        except OSError as e:
            raise Skip(f"no cgroup of our own: {e}") from None
        if not (self.dir / self.limit).exists():
            self.dir.rmdir()
            raise Skip(f"{parent} does not hand its memory controller down")

    def wrapper(self):
        return ["sh", "-c", f'echo $$ > {self.dir}/cgroup.procs && exec "$@"', "in-cgroup"]

    def leave(self, mib):
        """Sets the limit so that this much is left; None: no limit."""
        text = self.unlimited if mib is None else str(int((self.dir / self.usage).read_text()) + mib * MIB)
        (self.dir / self.limit).write_text(text)

    def remove(self):
        def gone():
            with contextlib.suppress(OSError):
                self.dir.rmdir()
            return not self.dir.exists()
        wait_for("the cgroup's end", gone)


@contextlib.contextmanager
def cgroup(lab):
    group = Cgroup()
    try:
        yield group
    finally:
        for jvm in lab.jvms:
            jvm.kill()
        group.remove()


# All its heap from the start: then what it uses does not move by itself.
STEADY = ["-Xms64m", "-XX:+AlwaysPreTouch", "-XX:TieredStopAtLevel=1"]


def settled(jvm, group):
    """A JVM in a group whose use has come to rest."""
    last = [0]

    def rests():
        used = int((group.dir / group.usage).read_text())
        near, last[0] = abs(used - last[0]) < MIB // 4, used
        return near
    wait_for("rest", rests, 20, 1)
    return jvm


@test
def no_memory_left(lab):
    """Too little for a profiler: refused with the numbers, and looked at again."""
    receiver = lab.receiver()
    with cgroup(lab) as group:
        jvm = settled(lab.jvm(options=STEADY, wrapper=group.wrapper()), group)
        group.leave(10)
        agent = lab.agent(config=config())
        agent.wait_reason(jvm, r"memory limit of the container: (9|10|11) MiB of \d+ MiB left, the profiler needs up "
                               r"to 24 MiB")
        equal(len(agent.lines("not profiling.*memory limit")), 1, "lines about it")
        check(jvm.alive() and not jvm.profiler_runs(), "it was attached to")
        group.leave(None)
        receiver.wait_stack("Shop.bake", type="process_cpu")
        check(jvm.alive(), "the JVM ended")
        agent.stop()


@test
def killed_for_want_of_memory(lab):
    """Without asking for head-room the attach kills it: once, and not its successor, nor after a restart of the
    agent."""
    receiver = lab.receiver()
    text = config(java='memory_headroom = "0"')
    with cgroup(lab) as group:
        jvm = settled(lab.jvm(options=STEADY, wrapper=group.wrapper()), group)
        group.leave(5)
        agent = lab.agent(config=text)
        wait_for("the JVM's end", lambda: not jvm.alive())
        equal(len(agent.wait_log("level=error.*died after an attach.*OOM-killed")), 1, "errors")
        group.leave(None)
        second = lab.jvm(options=STEADY, wrapper=group.wrapper())
        agent.wait_reason(second, "OOM-killed.*smolder forgive")
        agent.stop()
        agent = lab.agent(config=text)
        agent.wait_reason(second, "OOM-killed.*smolder forgive")
        check(not second.profiler_runs(), "it was attached to")
        equal(receiver.profiles(), [], "profiles")
        listed = (lab.dir / "data" / "quarantine").stat()
        equal(listed.st_mode & 0o777, 0o600, "mode of the list")
        status, said = lab.call([lab.smolder, "forgive", f"--storage.path={lab.dir}/data", "Shop"])
        equal((status, "forgiven: Shop" in said), (0, True), f"smolder forgive: {said}")
        receiver.wait_stack("Shop.bake", type="process_cpu")
        agent.stop()


def dies_after_attach(lab, number):
    jvm = lab.jvm()
    jvm.quiet = None
    wait_for("profiler", jvm.profiler_runs)
    jvm.signal(number)
    wait_for("the JVM's end", lambda: not jvm.alive())


@test
def killed_by_a_fault(lab):
    lab.receiver()
    agent = lab.agent(config=config())
    dies_after_attach(lab, signal.SIGABRT)
    equal(len(agent.wait_log("level=error.*killed by SIGABRT")), 1, "errors")
    jvm = lab.jvm()
    agent.wait_reason(jvm, r"Shop.*killed by SIGABRT.*smolder forgive")
    forgive = [lab.smolder, "forgive", f"--storage.path={lab.dir}/data"]
    status, listed = lab.call(forgive)
    check(status == 0 and "Shop" in listed and "killed by SIGABRT" in listed, f"the list: {status} {listed}")
    equal(lab.call([*forgive, "another.Main"])[0], 1, "status for what is not listed")
    equal(lab.call([lab.smolder, "forgive", f"--storage.path={lab.dir}/none", "--all"])[0], 0, "status without a list")
    check(not (lab.dir / "none").exists(), "a folder was made")
    # Another program is another make-up.
    other = lab.jvm(java=lab.jdk_copy() / "bin" / "java")
    agent.wait_state(other, "profiling")
    equal(agent.jvms()[jvm.inner]["state"], "refused", "state of the first make-up")
    equal(agent.jvms()[jvm.inner]["reason_code"], "quarantined", "its code")
    (lab.dir / "config.alloy").write_text(config(java="retry_crashed = true"))
    agent.reload()
    agent.wait_state(jvm, "profiling")
    agent.stop()


@test
def batch_jobs_end_as_they_like(lab):
    lab.receiver()
    agent = lab.agent(config=config())
    # A shell starts what runs in the background with SIGINT ignored, and a JVM leaves it at that.
    ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    for number in (signal.SIGTERM, signal.SIGTERM if ignored else signal.SIGINT, signal.SIGTERM):
        dies_after_attach(lab, number)
    equal(agent.lines("level=error"), [], "errors")
    agent.wait_state(lab.jvm(), "profiling")
    agent.stop()


@test
def one_event_less(lab):
    """An event that is refused costs itself, is said once, and does not hold up a roll-over."""
    receiver = lab.receiver()
    jvm = lab.jvm()
    agent = lab.agent(config=config('interval = "1s"\nevent = "no-such-event"\nroll_over = "10s"'))
    receiver.wait_stack("Shop.wrapParcel", type="memory")
    agent.wait_reason(jvm, "without no-such-event: Unsupported event type")
    wait_for("roll-over", lambda: agent.metric("smolder_gap_seconds_count") >= 1, 30, 0.2)
    equal(agent.jvms()[jvm.inner]["state"], "degraded", "state")
    equal(agent.jvms()[jvm.inner]["reason_code"], "events_missing", "its code")
    equal(len(agent.lines("without no-such-event")), 1, "lines about it")
    agent.stop()


@test
def young_jvms_wait(lab):
    receiver = lab.receiver()
    agent = lab.agent(config=config(java='min_age = "5s"'))
    jvm = lab.jvm()
    agent.wait_reason(jvm, "waiting until it is 5 s old")
    check(not jvm.profiler_runs(), "it was attached to")
    receiver.wait_stack("Shop.bake", type="process_cpu")
    equal(agent.lines("not profiling"), [], "lines about it")
    agent.stop()


@test
def untested_version(lab):
    """A JVM newer than those that were tested is not attached to unless the configuration says so."""
    need_java(28)
    lab.receiver()
    jvm = lab.jvm(version=28)
    agent = lab.agent(config=config())
    agent.wait_reason(jvm, "newer than the tested versions|kills early-access builds")
    check(jvm.alive(), "the JVM ended")
    agent.stop()
