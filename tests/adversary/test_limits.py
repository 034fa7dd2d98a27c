"""What must not be attached to, or not again."""
import os
import pathlib
import re
import shutil
import signal
import struct
import time

from attack import ALICE, EVE, check_live, fake, flames, innocent, real_library, remove_group, settled, staged, user
from lab import Skip, check, config, equal, test, wait_for

class MemoryGroup:
    """A control group of our own with a limit on memory, of version 1 or 2."""

    def __init__(self, name):
        for base, limit, usage in (("/sys/fs/cgroup", "memory.max", "memory.current"),
                                   ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")):
            self.path = pathlib.Path(base) / f"smolder-{name}-{os.getpid()}"
            self.limit, self.usage = self.path / limit, self.path / usage
            try:
                self.path.mkdir()
            except OSError:
                continue
            if self.limit.exists():
                return
            self.path.rmdir()
        raise Skip("no control group with a limit on memory can be made here")

    def enter(self):
        return ["sh", "-c", f'echo $$ >{self.path}/cgroup.procs; exec "$@"', "enter"]

    def leave_room(self, megabytes):
        self.limit.write_text(str(int(self.usage.read_text()) + (megabytes << 20)))

    def kills(self):
        for name in ("memory.events", "memory.oom_control"):
            if (self.path / name).exists():
                found = re.search(r"^oom_kill (\d+)", (self.path / name).read_text(), re.M)
                return int(found[1]) if found else 0
        return 0

    def remove(self):
        remove_group(self.path)


def crowded(lab, room, what):
    group = MemoryGroup(lab.name[:20])
    try:
        jvm = innocent(lab, wrapper=[*group.enter(), *user(ALICE)],
                       options=["-XX:+AlwaysPreTouch", "-Xms64m", "-XX:TieredStopAtLevel=1"])
        wait_for("the heap in memory", lambda: int(group.usage.read_text()) > 70 << 20, 20)
        time.sleep(1.5)  # the JVM's own start is over: what it takes from now on is what the attach costs
        group.leave_room(room)
        what(group, jvm)
    finally:
        group.remove()


@test
def a_jvm_with_little_room_is_refused_with_the_numbers(lab):
    """10 MiB below its group's limit: not attached, the reason names what is there and what is needed; nothing is
    killed."""
    def what(group, jvm):
        agent = lab.agent(config=config())
        agent.wait_reason(jvm, r"\d+(\.\d+)? ?[MK]i?B.*\d+(\.\d+)? ?[MK]i?B", 15)
        time.sleep(2)
        equal((jvm.alive(), group.kills(), jvm.profiler_runs()), (True, 0, False), "JVM alive, kills, profiler")
    crowded(lab, 10, what)


@test
def a_jvm_with_room_enough_is_profiled(lab):
    """200 MiB below the limit."""
    def what(group, jvm):
        receiver = lab.receiver()
        lab.agent(config=config())
        flames(receiver, jvm, 15)
        equal((jvm.alive(), group.kills()), (True, 0), "JVM alive, kills")
    crowded(lab, 200, what)


def starts(process):
    return len(re.findall(r"^conn .* start,", process.text(), re.M))


def dying(lab, **options):
    """Started anew by its supervisor whenever it dies, as containers are."""
    java = staged(lab, "fakejvm", "java")
    words = " ".join(f"{k}={v}" for k, v in options.items())
    return lab.run([*user(), "sh", "-c", f"while :; do {java} lib={real_library()} {words}; sleep 0.3; done"],
                   name="dying")


@test
def a_jvm_that_dies_of_the_attach_is_not_attached_again(lab):
    """It crashes 0.8 s after each attach: one try, an error in the log, none after a restart of the agent; another JVM
    is profiled."""
    receiver = lab.receiver()
    target = dying(lab, die=800)
    agent = lab.agent(config=config())
    wait_for("attach", lambda: starts(target) >= 1, 20)
    wait_for("it to be started anew", lambda: target.text().count("ready") >= 2, 20)
    time.sleep(5)  # as long as it takes to try again
    equal(starts(target), 1, "attaches")
    equal(len(agent.lines("level=error.*(ended|died|dies|attach)")), 1, "errors in the log")
    jvm = innocent(lab)
    flames(receiver, jvm, 15)
    agent.stop()
    again = lab.agent(config=config())
    time.sleep(4)
    equal(starts(target), 1, "attaches after a restart of the agent")
    check_live(again, 0.3)


@test
def a_jvm_that_is_killed_after_the_attach_is_not_attached_again(lab):
    """SIGKILL is what the OOM killer sends, also where its cgroup cannot be seen."""
    target = dying(lab, die=800, by=9)
    lab.agent(config=config())
    wait_for("attach", lambda: starts(target) >= 1, 20)
    time.sleep(5)  # as long as it takes to be attached to several times
    equal(starts(target), 1, "attaches")


@test
def a_jvm_that_ends_by_itself_is_attached_again(lab):
    """A batch job that is done 0.8 s after the attach, whenever it is started."""
    target = dying(lab, die=800, by=0)
    lab.agent(config=config())
    wait_for("third attach", lambda: starts(target) >= 3, 25)


@test
def a_jvm_that_is_killed_long_after_is_attached_again(lab):
    """A JVM that crashed for reasons of its own a while after the attach comes back: it is profiled again."""
    target = dying(lab, die=11500)
    lab.agent(config=config())
    wait_for("second attach", lambda: starts(target) >= 2, 25)


@test
def a_users_crashes_cost_no_other_user(lab):
    """Someone runs the same program with the same JVM as others do and crashes it at each attach, on purpose: theirs is
    profiled all the same, now and after a restart of the agent."""
    agent = lab.agent(config=config())
    for _ in range(2):
        own = innocent(lab, EVE)
        lab.jvms.remove(own)
        reason = lambda: agent.jvms().get(own.inner, {}).get("reason", "")
        wait_for("attach or refusal", lambda: own.profiler_runs() or reason().startswith("a JVM like"), 15)
        own.signal(signal.SIGSEGV)
        own.popen.wait(20)
    receiver = lab.receiver()
    jvm = innocent(lab)
    flames(receiver, jvm, 15)
    agent.stop()
    receiver.forget()
    lab.agent(config=config())
    flames(receiver, jvm, 15)


def with_machine(lab, **fields):
    """A copy of libjvm.so whose ELF header says something else."""
    path = lab.dir / "lib" / "server" / "libjvm.so"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(real_library(), path)
    with open(path, "r+b") as f:
        if "bits" in fields:
            f.seek(4)
            f.write(bytes([fields["bits"]]))
        if "machine" in fields:
            f.seek(18)
            f.write(struct.pack("<H", fields["machine"]))
    return path


def refused_unasked(lab, pattern, **options):
    agent = lab.agent(config=config())
    target = fake(lab, early=0, **options)
    agent.wait_reason(target, pattern, 15)
    time.sleep(1.5)  # the next try
    equal((target.quits(), target.connections()), (0, []), "signals and connections")


@test
def a_jvm_of_32_bits_is_refused_unasked(lab):
    """The mapped libjvm.so is a 32-bit one: no signal, no connection, a reason."""
    refused_unasked(lab, "(?i)32.?bit|class|ELF", lib=with_machine(lab, bits=1))


@test
def a_jvm_of_another_machine_is_refused_unasked(lab):
    """The mapped libjvm.so is for another processor, as under emulation."""
    refused_unasked(lab, "(?i)machine|processor|architecture|aarch64|arm64|ELF|emulat",
                    lib=with_machine(lab, machine=183))


@test
def a_libjvm_that_is_none_is_refused_unasked(lab):
    """The mapped file is empty but for zeros, a truncated header, or text."""
    for name, data in (("zeros", bytes(4096)), ("text", b"not a library\n" * 400),
                       ("short", b"\x7fELF\x02\x01\x01" + bytes(4089))):
        path = lab.dir / name / "libjvm.so"
        path.parent.mkdir()
        path.write_bytes(data)
    agent = lab.agent(config=config())
    targets = [fake(lab, early=0, mode="nosocket", lib=lab.dir / name / "libjvm.so")
               for name in ("zeros", "text", "short")]
    for target in targets:
        entry = settled(agent, target)
        check(entry.get("reason"), f"no reason: {entry}")
        equal((target.quits(), target.connections()), (0, []), "signals and connections")
    check_live(agent, 0.3)
