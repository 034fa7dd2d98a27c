#!/usr/bin/env python3
"""What the agent itself costs: memory, CPU time and size on disk, with five JVMs under load.

The JVMs keep one core busy together, with at least 200 distinct stacks each. Memory and CPU time are those of all the
agent's processes together, with what ended meanwhile: the main process, its privileged helper and their children.

- RSS, PSS, anonymous: sums of /proc/PID/smaps_rollup, sampled; steady is the median of the second half. RSS counts a
  page once per process that maps it, PSS once. A process too short-lived for the sampling is seen in CPU time only.
- VmHWM: the sum of the highest marks the kernel kept for each lasting process.
- CPU time: of every living process and what it waited for, from exec to the end and in the second half.

With --peer another agent that runs the same configuration gets the same load, in new JVMs, after us.
"""

import os
import shlex
import shutil
import time

import lab

JVMS = 5


class Usage:
    """Samples a process and its descendants."""

    def __init__(self, pid):
        self.pid = pid
        self.samples = []  # (monotonic, {RSS, PSS, anonymous: bytes}, CPU seconds)
        self.high_marks = {}  # pid: (bytes, number of samples it was seen in)
        self.mapped = {}  # file: (its size, bytes mapped)

    def sample(self):
        memory = {"RSS": 0, "PSS": 0, "anonymous": 0}
        cpu = 0
        for pid in lab.family(self.pid):
            try:
                for kind, size in rollup(pid).items():
                    memory[kind] += size
                cpu += lab.cpu_seconds_with_children(pid)
                status = fields(f"/proc/{pid}/status")
                self.high_marks[pid] = kib(status.get("VmHWM", "0")), self.high_marks.get(pid, (0, 0))[1] + 1
                self.mapped.update(mapped_files(pid))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile: its parent has its CPU time
        self.samples.append((time.monotonic(), memory, cpu))

    def second_half(self):
        return self.samples[len(self.samples) // 2:]

    def peak(self, kind):
        return max(memory[kind] for _, memory, _ in self.samples)

    def steady(self, kind):
        return lab.median([memory[kind] for _, memory, _ in self.second_half()])

    def high_mark(self):
        """Of those that were there from the first to the last sample: short-lived children come one after the other."""
        return sum(mark for mark, seen in self.high_marks.values() if seen >= 0.9 * len(self.samples))

    def cpu_percent(self, begin):
        """Since the start, at `begin` with nothing used yet."""
        last = self.samples[-1]
        return 100 * last[2] / (last[0] - begin)

    def cpu_percent_steady(self):
        first, last = self.second_half()[0], self.samples[-1]
        return 100 * (last[2] - first[2]) / (last[0] - first[0])


def fields(path):
    with open(path) as f:
        return {name: value.strip() for name, _, value in (line.partition(":") for line in f)}


def kib(text):
    return int(text.split()[0]) * 1024


def rollup(pid):
    found = fields(f"/proc/{pid}/smaps_rollup")
    return {"RSS": kib(found.get("Rss", "0")), "PSS": kib(found.get("Pss", "0")),
            "anonymous": kib(found.get("Anonymous", "0"))}


def mapped_files(pid):
    found = {}
    with open(f"/proc/{pid}/maps") as f:
        for line in f:
            span, _, _, device, _, *path = line.split(maxsplit=5)
            name = path[0].strip() if path else ""
            if name.startswith("/") and device != "00:00" and os.path.isfile(name):
                low, high = (int(part, 16) for part in span.split("-"))
                size, mapped = found.get(name, (os.path.getsize(name), 0))
                found[name] = (size, mapped + high - low)
    return found


class Subject:
    """One agent, measured."""

    def __init__(self, name, usage, began, binary):
        self.name, self.usage, self.began, self.binary = name, usage, began, os.path.realpath(binary)

    def report(self, targets):
        usage = self.usage
        targets = targets or {}

        def memory(kind, how, size):
            limit = targets.get(kind)
            lab.figure(f"{self.name}: {kind} {how}", f"{size / lab.MIB:.1f} MB", f"{limit} MB or less" if limit else "",
                       size <= limit * lab.MIB if limit else None)

        for kind in ("RSS", "anonymous", "PSS"):
            memory(kind, "peak", usage.peak(kind))
            memory(kind, "steady", usage.steady(kind))
        memory("RSS", "VmHWM", usage.high_mark())
        lab.figure(f"{self.name}: CPU", f"{usage.cpu_percent(self.began):.3f} %", "", None,
                   f"of a core, {usage.samples[-1][2]:.2f} s in {usage.samples[-1][0] - self.began:.0f} s from the "
                   f"start on")
        lab.figure(f"{self.name}: CPU steady", f"{usage.cpu_percent_steady():.3f} %", "", None,
                   "of a core, second half")
        libraries = {name: size for name,
                     size in usage.mapped.items() if name != self.binary and ".so" in os.path.basename(name)}
        lab.figure(f"{self.name}: libraries", f"{sum(size for size, _ in libraries.values()) / lab.MIB:.1f} MB", "",
                   None,
                   f"on disk, {sum(mapped for _, mapped in libraries.values()) / lab.MIB:.1f} MB mapped, "
                   f"{len(libraries)} of them")


def start_jvms(args, place):
    place.compile("examples/demo/Demo.java")
    jvms = [place.jvm(i, "Demo", "--threads", "2", "--load", str(args.load / JVMS)) for i in range(1, JVMS + 1)]
    lab.wait_until(lambda: all(lab.cpu_seconds(jvm.pid) > 2 for jvm in jvms), 120,
                   "two seconds of CPU time in each JVM")
    return jvms


def watch(args, place, agent, others):
    usage = Usage(agent.pid)
    end = time.monotonic() + args.seconds
    while time.monotonic() < end:
        time.sleep(args.every)
        for process in (agent, *others):
            place.check_alive(process)
        usage.sample()
    return usage


def least_stacks(receiver):
    return min(len(receiver.stacks(f"jvm-{i}", "process_cpu")) for i in range(1, JVMS + 1))


def measure_pushing(args, name, command_for, binary):
    """`command_for(place, config)` is the agent's command; it pushes to the receiver."""
    with lab.Lab(args) as place:
        pushed, receiver = place.receiver()
        jvms = start_jvms(args, place)
        config = place.config("footprint.alloy", receiver.url, args.interval)
        began = time.monotonic()
        agent = place.start("agent", command_for(place, config))
        usage = watch(args, place, agent, [pushed, *jvms])
        stacks = least_stacks(receiver)
        place.stop(agent)
        receiver.check()
        lab.figure(f"{name}: load", f"{stacks} stacks", "200 or more", stacks >= 200,
                   f"in the JVM with the fewest, {JVMS} JVMs, {args.load} of a core together, interval "
                   f"{args.interval}, {args.seconds:.0f} s")
    return Subject(name, usage, began, binary)


def measure_storing(args):
    """The agent pushes to the store embedded in it."""
    with lab.Lab(args) as place:
        jvms = start_jvms(args, place)
        port = lab.free_port()
        config = place.config("footprint.alloy", f"http://127.0.0.1:{port}", args.interval)
        began = time.monotonic()
        agent = place.agent(config, f"--store.listen=127.0.0.1:{port}")
        usage = watch(args, place, agent, jvms)
        pushes = lab.metric(lab.get(agent.url + "/metrics").decode(), "smolder_pushes_total")
        if not pushes:
            raise lab.Failed("nothing was pushed to the embedded store")
    return Subject("with the store", usage, began, args.smolder)


def report_binary(args):
    with lab.Lab(args) as place:
        stripped = place.path("stripped")
        shutil.copyfile(args.smolder, stripped)
        place.run(["strip", stripped])
        size = os.path.getsize(stripped)
    lab.figure("stripped binary", f"{size / lab.MIB:.2f} MB", "less than 8 MB", size < 8 * lab.MIB)


def report_ratios(ours, peer):
    def ratio(what, a, b, target):
        value = a / b if b else float("inf")
        lab.figure(f"ours / peer: {what}", f"{value:.3f}", f"{target} or less" if target else "",
                   value <= target if target else None,
                   f"one {b / a:.1f}th" if a else "")

    ratio("CPU", ours.usage.cpu_percent(ours.began), peer.usage.cpu_percent(peer.began), 0.2)
    ratio("CPU steady", ours.usage.cpu_percent_steady(), peer.usage.cpu_percent_steady(), 0.2)
    for kind in ("RSS", "anonymous"):
        ratio(f"{kind} steady", ours.usage.steady(kind), peer.usage.steady(kind), None)


def measure(args):
    report_binary(args)
    targets = {"RSS": 20, "anonymous": 6}
    ours = None
    if args.variant in ("push", "both"):
        ours = measure_pushing(args, "pushing", lambda place, config: place.agent_command(config, lab.free_port()),
                               args.smolder)
        ours.report(targets)
    if args.variant in ("store", "both"):
        measure_storing(args).report(targets)
    if args.peer and ours:
        words = shlex.split(args.peer)
        peer = measure_pushing(args, "peer", lambda _, config: [word.replace("{config}", config) for word in words],
                               words[0])
        peer.report(None)
        report_ratios(ours, peer)


if __name__ == "__main__":
    parser = lab.parser(__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="length of each run (%(default)s)")
    parser.add_argument("--every", type=float, default=1, help="seconds between samples (%(default)s)")
    parser.add_argument("--interval", default="15s", help="of pyroscope.java (%(default)s)")
    parser.add_argument("--load", type=float, default=1, help="cores all JVMs use together (%(default)s)")
    parser.add_argument("--variant", choices=["push", "store", "both"], default="both",
                        help="into a receiver, into the embedded store, or one after the other (%(default)s)")
    parser.add_argument("--peer", metavar="'COMMAND {config}'", help="another agent to compare the push variant with")
    lab.main(measure, parser)
