#!/usr/bin/env python3
"""Many JVMs, and random kills of agent, guard, helper, its children, parsers and JVMs: nothing may be left behind.

usage: tests/daemon/soak_kills.py --smolder PATH [--jvms N] [--seconds N] [--seed N]

An agent whose guard and helper died ends itself, with status 3; it is started again, as a service manager does.

Afterwards every JVM that survived is profiled again; when all is stopped, there is no file of smolder's in any target's
/tmp but the library, no process of smolder's, no recording in a JVM, and the agent has no descriptors that one without
JVMs does not have. Exit status 1 otherwise.
"""
import argparse
import collections
import contextlib
import os
import pathlib
import random
import re
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lab as laboratory
from lab import check, config, descendants, equal, need_java, proc_text, wait_for

USERS = [0, 1001, 1002, 1003]
LIBRARY = re.compile(r"grafana-agent-asprof-(glibc|musl)-")
# Kills of agents among all that are due; those of JVMs take most, as they do in life.
WHOM = ["agent", "guard", "helper", "helper", "child", "child", "parser", "parser", "jvm", "jvm", "jvm", "jvm"]
EXIT_SYSTEM = 3  # no helper, and none can be had
QUIET_S = 10  # without kills of agents at the end, so that the last one has gone through kills of everything else


def small_jvm(lab, uid):
    """One that takes little: what counts is how many there are."""
    java = f"{need_java(17)}/bin/java"
    become = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"] if uid else []
    return lab.jvm(command=[*become, java, "-Xmx16m", "-Xss256k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
                            lab.stage.classes, "Shop", "0.005"], java=java, ready=False)


WORKING = re.compile(r"/(tmp|dev/shm)/\.smolder-[0-9a-f]{32}$")  # of an operation
SWEEP_S = 180


def ended(pid):
    """A zombie: a guard that died is reaped when the agent stops."""
    return "\nState:\tZ" in proc_text(pid, "status")


def ours(machine):
    """The processes of smolder's in a machine: {pid: name}."""
    names = {pid: proc_text(pid, "comm").strip() for pid in descendants(machine.init)}
    names.update({pid: proc_text(pid, "comm").strip() for p in machine.processes for pid in descendants(p.popen.pid)})
    return {pid: name for pid, name in names.items() if name.startswith("smolder") and not ended(pid)}


def parent_of(pid):
    found = re.search(r"^PPid:\s*(\d+)", proc_text(pid, "status"), re.M)
    return int(found.group(1)) if found else 0


def descriptors(agent):
    """What the agent has open, by kind, without connections, which come and go."""
    kinds = collections.Counter()
    for fd in pathlib.Path(f"/proc/{agent.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            kinds[re.sub(r"[0-9a-f]{6,}|\d+", "N", os.readlink(fd))] += 1
    return collections.Counter({kind: n for kind, n in kinds.items() if not kind.startswith("socket:")})


class Killer:
    def __init__(self, lab, count, seed, say):
        self.lab, self.rng, self.say = lab, random.Random(seed), say
        self.killed = collections.Counter()
        self.text = config('interval = "5s"\n  crash_guard = "off"\n  roll_over = "20s"', java='min_age = "0s"')
        self.agent = None
        self.start_agent()
        self.baseline = descriptors(self.agent)
        self.jvms = [small_jvm(lab, USERS[i % len(USERS)]) for i in range(count)]

    def start_agent(self):
        self.agent = self.lab.agent(config=self.text)
        self.guard_killed = False
        wait_for("an answer", self.answers, 30)

    def answers(self):
        with contextlib.suppress(OSError):
            return self.agent.http("GET", "/-/ready")[0] == 200
        return False

    def victims(self, whom):
        """Processes of that kind, wherever they were reparented to."""
        names = ours(self.lab.machine)
        called = {name: [p for p, n in names.items() if n == name]
                  for name in ("smolder-guard", "smolder-priv", "smolder-parser")}
        # What the helper forks has its name.
        helpers = [p for p in called["smolder-priv"] if names.get(parent_of(p)) != "smolder-priv"]
        if whom == "child":
            return [c for h in helpers for c in descendants(h)]
        return {"guard": called["smolder-guard"], "helper": helpers, "parser": called["smolder-parser"]}[whom]

    def kill(self, whom):
        if whom == "agent":
            self.agent.kill()
            self.start_agent()
        elif whom == "jvm":
            i = self.rng.randrange(len(self.jvms))
            self.jvms[i].kill()
            self.lab.jvms.remove(self.jvms[i])
            self.jvms[i] = small_jvm(self.lab, USERS[i % len(USERS)])
        else:
            # A child of the helper lives for milliseconds.
            found = []
            for _ in range(50 if whom == "child" else 1):
                found = found or self.victims(whom)
            if not found:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.rng.choice(found), signal.SIGKILL)
            self.guard_killed |= whom == "guard"
        self.killed[whom] += 1

    def check_agent(self):
        """It runs, or ended because it has neither guard nor helper any more."""
        status = self.agent.popen.poll()
        if status is None:
            return
        check(status == EXIT_SYSTEM and self.guard_killed, f"the agent ended by itself, with status {status}")
        self.killed["agent that ended without helper"] += 1
        self.start_agent()

    def rage(self, seconds):
        begun = told = time.monotonic()
        while (now := time.monotonic()) < begun + seconds:
            whom = self.rng.choice(WHOM)
            if whom != "agent" or now < begun + seconds - QUIET_S:
                self.kill(whom)
            self.check_agent()
            if now > told + 30:
                told = now
                self.say(f"{now - begun:6.0f} s  killed: {dict(self.killed)}")
            time.sleep(self.rng.uniform(0.05, 0.8))

    def unprofiled(self):
        """Those that are not profiled, with what the agent says about them. The last kill may have ended it."""
        self.check_agent()
        known = {}
        with contextlib.suppress(OSError):
            known = self.agent.jvms()
        states = {j.inner: known.get(j.inner, {}) for j in self.jvms}
        return {pid: (s.get("state"), s.get("reason")) for pid, s in states.items() if s.get("state") != "profiling"}

    def check_recovery(self):
        limit = 60 + len(self.jvms)
        begun = time.monotonic()
        while self.unprofiled():
            check(time.monotonic() < begun + limit,
                  f"not profiled {limit} s after the last kill: {list(self.unprofiled().items())[:10]}")
            time.sleep(0.5)
        for jvm in self.jvms:
            check(jvm.alive(), f"JVM {jvm.inner} ended")
            self.check_recording(jvm)
        return time.monotonic() - begun

    def check_recording(self, jvm):
        """One, at a time when it does not roll over."""
        try:
            wait_for("state without roll-over", lambda: len(jvm.recordings()) == 1, 20, 0.1)
        except laboratory.Failure:
            raise laboratory.Failure(f"recordings of JVM {jvm.inner}: {jvm.recordings()}") from None

    def check_descriptors(self):
        """All JVMs but one end: then what was held for them is given back."""
        for jvm in self.jvms[1:]:
            jvm.kill()
            self.lab.jvms.remove(jvm)
        self.jvms = self.jvms[:1]

        def grown():
            return descriptors(self.agent) - self.baseline

        # One session: its process, its recording, its directory, and a descriptor or two of the pool's once it works.
        wait_for("few descriptors", lambda: sum(grown().values()) <= 8, 60, 0.5)
        return dict(grown())

    def check_nothing_left(self):
        self.agent.stop(20)
        jvm = self.jvms[0]
        wait_for("the end of smolder's processes", lambda: not ours(self.lab.machine), 20, 0.2)
        wait_for("the profiler's end", lambda: not jvm.profiler_runs(), 20, 0.2)
        equal(jvm.recordings(), [], "recordings")
        if self.left():
            self.sweep()
        equal(self.left(), [], "files in the targets' directories")

    def left(self):
        """What is in the targets' directories beside the library."""
        jvm = self.jvms[0]
        left = [f"/tmp/{name}" for name in jvm.temporaries() if not LIBRARY.match(name)]
        return left + [f"/dev/shm/{p.name}" for p in jvm.root("/dev/shm").iterdir()]

    def sweep(self):
        """A child that is killed at work leaves its directory. Others may be at work as well, so it goes with the next
        operation for a JVM of that user when it is two minutes old (jvm/attach/target_dir.h)."""
        for path in self.left():
            check(WORKING.match(path), f"{path} is left")
            os.utime(self.jvms[0].root(path), times=(time.time() - SWEEP_S,) * 2, follow_symlinks=False)
        self.jvms += [small_jvm(self.lab, user) for user in USERS]
        self.start_agent()
        wait_for("all profiled once more", lambda: not self.unprofiled(), 60, 0.5)
        self.agent.stop(20)


def run(lab, jvms, seconds, seed, say=lambda text: None):
    """All of it, in a lab of its own. Returns what was killed."""
    lab.receiver()
    killer = Killer(lab, jvms, seed, say)
    wait_for("all profiled", lambda: not killer.unprofiled(), 60 + 2 * jvms, 0.5)
    say(f"{jvms} JVMs are profiled")
    killer.rage(seconds)
    say(f"killed: {dict(killer.killed)}")
    say(f"all profiled again after {killer.check_recovery():.1f} s")
    say(f"descriptors beyond those without JVMs: {killer.check_descriptors()}")
    killer.check_nothing_left()
    return killer.killed


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("--smolder", required=True)
    parser.add_argument("--jvms", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=900)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.monotonic()
    laboratory.run_alone("kills", options.smolder, lambda lab: run(
        lab, options.jvms, options.seconds, options.seed, lambda text: print(text, flush=True)))
    print(f"ok: nothing left behind ({time.monotonic() - begun:.0f} s)")


if __name__ == "__main__":
    main()
