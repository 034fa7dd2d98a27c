#!/usr/bin/env python3
"""How much of a JVM's CPU time arrives at a receiver, and whether consecutive profiles tile time.

Coverage is the CPU time in the profiles the receiver got, divided by utime + stime of /proc/PID/stat over the same
span, from the first profile's time_nanos to the last one's time_nanos + duration_nanos. The profiler rolls over
meanwhile, and the receiver takes its time for each push.

The event `itimer` counts another clock than stat shows: the kernel's ticks that found the process running (ITIMER_PROF,
CPUCLOCK_PROF), where stat is scaled to the scheduler's exact run time. On a crowded machine the two differ by some
percent; the agent weighs its samples by the ratio of both. A second line says how far they were apart: a profiler that
counts ticks shows that.
"""

import bisect
import threading
import time

import lab


class CpuClock(threading.Thread):
    """Reads a process' CPU time often, to know it at any time in between."""

    def __init__(self, pid, every=0.02):
        super().__init__(daemon=True)
        self.pid, self.every = pid, every
        self.times, self.stat, self.ticks = [], [], []
        self.done = threading.Event()

    def run(self):
        tick_clock = ~self.pid << 3  # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_PROF) of linux/posix-timers.h
        while not self.done.wait(self.every):
            try:
                before = time.time_ns()
                stat = lab.cpu_seconds(self.pid)
                ticks = time.clock_gettime(tick_clock)
                after = time.time_ns()
            except OSError:
                return
            self.stat.append(stat)
            self.ticks.append(ticks)
            self.times.append((before + after) // 2)

    def between(self, readings, start, end):
        return self.at(readings, end) - self.at(readings, start)

    def at(self, readings, nanos):
        i = bisect.bisect_left(self.times, nanos)
        if i == 0 or i == len(self.times):
            raise lab.Failed("a profile reaches beyond the time that was watched")
        part = (nanos - self.times[i - 1]) / (self.times[i] - self.times[i - 1])
        return readings[i - 1] + part * (readings[i] - readings[i - 1])


def cpu_profiles(receiver):
    """(start, end, CPU seconds) of each process_cpu profile, in the order of time."""
    found = []
    for p in receiver.profiles():
        if p["labels"].get("__name__") == "process_cpu":
            nanos = p["sums"][p["sample_types"].index("cpu/nanoseconds")]
            found.append((p["time_nanos"], p["time_nanos"] + p["duration_nanos"], nanos / 1e9))
    return sorted(found)


def measure_case(args, threads):
    with lab.Lab(args) as place:
        place.compile("bench/Busy.java")
        _, receiver = place.receiver("--delay", args.delay)
        jvm = place.jvm(threads, "Busy", str(threads))
        clock = CpuClock(jvm.pid)
        clock.start()
        lab.wait_until(lambda: clock.stat and clock.stat[-1] > 2, 60, "two seconds of CPU time in the JVM")
        config = place.config("coverage.alloy", receiver.url, args.interval, f'roll_over = "{args.roll_over}"')
        agent = place.agent(config)
        deadline = time.monotonic() + args.seconds
        while time.monotonic() < deadline:
            place.check_alive(agent)
            place.check_alive(jvm)
            time.sleep(0.5)
        metrics = lab.get(agent.url + "/metrics").decode()
        profiles = cpu_profiles(receiver)
        place.stop(agent)
        clock.done.set()
        clock.join()
        receiver.check()
        report(args, threads, profiles, clock, metrics)


def report(args, threads, profiles, clock, metrics):
    if len(profiles) < 2:
        raise lab.Failed(f"{len(profiles)} CPU profiles arrived")
    name = f"{threads} busy thread{'s' if threads > 1 else ''}"
    start, end = profiles[0][0], profiles[-1][1]
    got = sum(seconds for _, _, seconds in profiles)
    used = clock.between(clock.stat, start, end)
    ticks = clock.between(clock.ticks, start, end)
    coverage = got / used
    rolls = int(lab.metric(metrics, "smolder_gap_seconds_count"))
    lab.figure(f"coverage, {name}", f"{coverage:.4f}", "0.98 to 1.02", 0.98 <= coverage <= 1.02,
               f"{got:.2f} s of {used:.2f} s in {(end - start) / 1e9:.1f} s, {len(profiles)} profiles, {rolls} "
               f"roll-overs, "
               f"interval {args.interval}, {args.delay} a push")
    lab.figure(f"ticks, {name}", f"{ticks / used:.4f}", "", None, f"{ticks:.2f} s, of what stat says")
    steps = [(b[0] - a[1]) / 1e6 for a, b in zip(profiles, profiles[1:])]
    gap, overlap = max(0, max(steps)), max(0, -min(steps))
    lab.figure(f"largest gap, {name}", f"{gap:.2f} ms", "10 ms or less", gap <= 10,
               f"between {len(profiles)} consecutive profiles")
    lab.figure(f"largest overlap, {name}", f"{overlap:.2f} ms", "10 ms or less", overlap <= 10)
    if rolls:
        mean = lab.metric(metrics, "smolder_gap_seconds_sum") / rolls * 1e3
        lab.figure(f"roll-over gap, {name}", f"{mean:.2f} ms", "10 ms or less", mean <= 10,
                   f"mean of {rolls}: stop to start as smolder_gap_seconds bounds it; it lies within a profile or "
                   f"between two")
    if args.verbose:
        for (a, b, seconds), step in zip(profiles, [0, *steps]):
            used, ticks = clock.between(clock.stat, a, b), clock.between(clock.ticks, a, b)
            print(f"    {(a - start) / 1e9:8.3f} s +{(b - a) / 1e9:7.3f} s  {seconds:7.2f} s of {used:7.2f} s: "
                  f"{seconds / used:.4f}"
                  f"  of the ticks {seconds / ticks:.4f}  step {step:.2f} ms")


def measure(args):
    for threads in args.threads:
        measure_case(args, threads)


if __name__ == "__main__":
    parser = lab.parser(__doc__)
    parser.add_argument("--seconds", type=float, default=90, help="length of each case (%(default)s)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N",
                        help="busy threads of each case (1 2)")
    parser.add_argument("--interval", default="15s", help="of pyroscope.java (%(default)s)")
    parser.add_argument("--roll-over", default="35s", help="of pyroscope.java (%(default)s)")
    parser.add_argument("--delay", default="500ms", help="how long the receiver takes for a push (%(default)s)")
    parser.add_argument("--verbose", action="store_true", help="also one line per profile")
    lab.main(measure, parser)
