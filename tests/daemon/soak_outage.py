#!/usr/bin/env python3
"""Outages of every kind, one after the other, in real time: nothing may be lost, and nothing may arrive twice.

usage: tests/daemon/soak_outage.py --smolder PATH [--jvms N] [--seconds N] [--seed N] [--phases NAME…]

429 and 503 for minutes, connections that are reset, half open or slow, streams that are refused, clocks that are set,
kills of the agent, in turns and in any order. What was made within a second of a kill, or while nobody profiles after
it, is not expected; a profile may arrive again, with the same ID, if its answer was lost with the agent or the
connection. Exit status 1 when more is missing or repeated.
"""
import argparse
import itertools
import pathlib
import random
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lab as laboratory
from lab import check, config, equal, wait_for
from outages import Clocks, Front, stored_twice

PHASES = ["status 429", "status 503", "reset", "stall", "refuse", "goaway", "drip", "clock", "kill", "well"]
GAP_S = 5  # between intervals of a second on a busy machine
AROUND_KILL_S = 3  # what was under way
BATCH = 32  # profiles of one request
# Here an answer may be lost, and what it was for is sent again, with the same ID.
MAY_REPEAT = ["kill", "reset"]


class Outages:
    def __init__(self, lab, jvms, seed, say):
        self.lab, self.rng, self.say, self.kills = lab, random.Random(seed), say, []
        self.receiver, self.front, self.clocks = lab.receiver(), Front(lab), Clocks(lab)
        self.jvms = [lab.jvm() for _ in range(jvms)]
        self.text = config(url=self.front.url, endpoint=self.front.endpoint("max_backoff_retries = 1"))
        self.start_agent()

    def start_agent(self):
        self.agent = self.lab.agent(config=self.text, env=self.clocks.env)

    def check_dropped(self):
        equal(self.agent.metric("smolder_dropped_profiles_total"), 0, "dropped profiles")

    def kill(self):
        self.check_dropped()
        self.kills.append([time.time_ns(), 0])
        self.agent.signal(signal.SIGKILL)
        self.agent.wait(20)
        self.start_agent()
        for jvm in self.jvms:
            self.agent.wait_state(jvm, "profiling")
        self.kills[-1][1] = time.time_ns()

    def phase(self, what, seconds):
        """The fault again and again, then a server that takes everything."""
        end = time.monotonic() + seconds
        if what.startswith("status"):
            self.receiver.behave(status=int(what.split()[1]))
        if what == "kill":
            self.receiver.behave(status=503)
            time.sleep(min(2, seconds))
            self.kill()
        while time.monotonic() < end:
            if what == "clock":
                # Ahead and back, never behind that of the JVMs, whose profiles would be from the future.
                wall = self.rng.randint(0, 7200) - self.clocks.ahead[0] // 10**9
                self.clocks.jump(wall=wall, monotonic=self.rng.randint(0, 20))
            elif what in ("reset", "stall", "refuse", "goaway", "drip"):
                self.front.behave(what)
            time.sleep(min(1, seconds))
        self.front.behave("")
        self.receiver.behave(status=0)

    def settle(self):
        """What waits is delivered. The agent makes more all the time."""
        seen = len(self.receiver.profiles())
        wait_for("an empty spool", lambda: self.agent.metric("smolder_spool_bytes") == 0, 300, 0.5)
        wait_for("profiles", lambda: len(self.receiver.profiles()) > seen, 60, 0.5)
        self.check_dropped()

    def is_excused(self, begin, end):
        around = AROUND_KILL_S * 10**9
        return any(begin < done + around and end > at - around for at, done in self.kills)

    def missing(self):
        """Gaps in the times of CPU profiles, in seconds, by JVM."""
        gaps = []
        for jvm in self.jvms:
            times = sorted((p["time_nanos"], p["time_nanos"] + p["duration_nanos"])
                           for p in self.receiver.profiles(pid=str(jvm.inner), type="process_cpu"))
            check(len(times) > 3, f"{len(times)} profiles of JVM {jvm.inner}")
            gaps += [(jvm.inner, (b - a) / 1e9) for (_, a), (b, _) in itertools.pairwise(times)
                     if b - a > GAP_S * 10**9 and not self.is_excused(a, b)]
        return gaps

    def check_repeated(self, what, seconds, before):
        """How many profiles have arrived twice so far."""
        twice = len(stored_twice(self.receiver))
        most = BATCH * (seconds + 1) if what in MAY_REPEAT else 0
        check(twice - before <= most, f"{what}: {twice - before} profiles arrived twice, at most {most} may")
        return twice

    def check_delivered(self):
        equal(self.missing(), [], "gaps in what was delivered")
        self.receiver.check_valid()


def run(lab, jvms, seconds, seed, say=lambda text: None, kinds=PHASES):
    """All of it, in a lab of its own."""
    outages = Outages(lab, jvms, seed, say)
    wait_for("the first profiles", lambda: len(outages.receiver.profiles()) >= 4 * jvms, 60)
    phases, each = list(kinds), max(seconds / len(kinds), 2)
    while each > 150:
        phases, each = phases * 2, each / 2
    outages.rng.shuffle(phases)
    twice = 0
    for what in phases:
        begun = time.monotonic()
        outages.phase(what, each)
        outages.settle()
        twice = outages.check_repeated(what, each, twice)
        say(f"{what}: {each:.0f} s, all delivered after {time.monotonic() - begun - each:.1f} s more; {twice} twice")
    outages.check_delivered()
    say(f"{len(outages.receiver.profiles())} profiles, none missing, {twice} twice, {len(outages.kills)} kills")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("--smolder", required=True)
    parser.add_argument("--jvms", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=900)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phases", nargs="*", choices=PHASES, default=PHASES)
    options = parser.parse_args()
    laboratory.run_alone("outage", options.smolder, lambda lab: run(
        lab, options.jvms, options.seconds, options.seed, lambda text: print(text, flush=True), options.phases))
    print("ok: nothing lost")


if __name__ == "__main__":
    main()
