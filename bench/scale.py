#!/usr/bin/env python3
"""What the agent costs with 10, 50 and 100 JVMs, how fast it attaches, and for how long nothing is sampled.

The JVMs have little to do (bench/Small.java): what is measured is the cost per JVM. Memory and CPU time are those of
all the agent's processes together: the main process, guard, helper, parser processes and their children. Each round
starts a new agent for each number of JVMs, waits until all are profiled and have been converted once, and measures a
window of --seconds.

- first attach: smolder_attach_seconds, interpolated in its buckets, of one agent before these, for JVMs that nobody has
  attached to, the first number of them at once. It is measured for the first build only.
- attach: the same of all these agents: the profiler is loaded and the attach listener runs already.
- roll-over: smolder_gap_seconds, the time from stop to start, of one more agent with short intervals and roll-overs.
- interval: from the end of one interval to the start of the next one of that JVM, roll-overs included, by the times of
  the profiles at the receiver, of any type: an interval without CPU time has no CPU profile.

With --peer another build of smolder is measured with the same JVMs, in turns; ratios of the medians are printed.
"""

import os
import re
import time

import footprint
import lab

# The last counts a page that several processes share, since a fork, once.
KINDS = ("RSS", "anonymous", "anonymous once")
GAP_INTERVAL, GAP_ROLL_OVER = "5s", "15s"


class Cost:
    """What one build costs with one number of JVMs; one value for each round."""

    def __init__(self):
        self.values = {kind: [] for kind in ("CPU", *KINDS)}
        self.shares = []  # {name of a process: anonymous bytes}
        self.cpu_shares = []  # {name of a process: percent}

    def add(self, usage):
        first, last = usage.samples[0], usage.samples[-1]
        self.values["CPU"].append(100 * (last[2] - first[2]) / (last[0] - first[0]))
        for kind in KINDS:
            self.values[kind].append(lab.median([memory[kind] for _, memory, _ in usage.samples]))
        self.shares.append(shares(usage.pid))
        self.cpu_shares.append(usage.cpu_shares())

    def median(self, kind):
        return lab.median(self.values[kind])


class Build:
    """A program and what was seen of it."""

    def __init__(self, name, program):
        self.name, self.program = name, program
        self.costs = {}  # number of JVMs: Cost
        self.first_attach, self.attach, self.roll_over = {}, {}, {}  # upper bound of a bucket: count
        self.gaps = []  # between CPU profiles, ms


class Usage(footprint.Usage):
    """Also counts shared anonymous pages once, and CPU time by process."""

    def __init__(self, pid):
        super().__init__(pid)
        self.by_name = []  # {name of a process: CPU seconds with ended children}, of each sample

    def sample(self):
        super().sample()
        once, cpu = 0, {}
        for pid in lab.family(self.pid):
            try:
                once += footprint.kib(footprint.fields(f"/proc/{pid}/smaps_rollup").get("Pss_Anon", "0"))
                cpu[name_of(pid)] = cpu.get(name_of(pid), 0) + lab.cpu_seconds_with_children(pid)
            except OSError:
                continue  # it ended meanwhile
        self.samples[-1][1]["anonymous once"] = once
        self.by_name.append(cpu)

    def cpu_shares(self):
        """Percent of a core by name, of what lived throughout."""
        first, last = self.by_name[0], self.by_name[-1]
        seconds = self.samples[-1][0] - self.samples[0][0]
        return {name: 100 * (last[name] - first[name]) / seconds for name in first if name in last}


def name_of(pid):
    with open(f"/proc/{pid}/comm") as f:
        return f.read().strip()


def shares(pid):
    """Anonymous memory by process name."""
    found = {}
    for process in lab.family(pid):
        try:
            name = name_of(process)
            found[name] = found.get(name, 0) + footprint.rollup(process)["anonymous"]
        except OSError:
            continue  # it ended meanwhile
    return found


def add_buckets(text, name, into):
    """Adds the buckets of a histogram, not cumulative."""
    before = 0
    for bound, count in re.findall(rf'^{name}_bucket\{{le="([^"]+)"\}} (\S+)', text, re.M):
        into[float(bound)] = into.get(float(bound), 0) + float(count) - before
        before = float(count)


def quantile(buckets, q):
    """As Prometheus' histogram_quantile, in ms; q = 1 is the bound of the last bucket with anything in it."""
    rank, seen, low = q * sum(buckets.values()), 0, 0
    for bound in sorted(buckets):
        count = buckets[bound]
        if count and seen + count >= rank:
            high = low if bound == float("inf") else bound
            return 1e3 * (low + (high - low) * (rank - seen) / count)
        seen, low = seen + count, bound
    return 0


def rank(values, q):
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


def start_jvms(place, jvms, count):
    for number in range(len(jvms) + 1, count + 1):
        jvms.append(place.jvm(number, "-Xmx16m", "-Xss256k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "Small"))


def start_agent(place, build, receiver, more=""):
    config = place.config("scale.alloy", receiver.url, place.interval, more)
    port = lab.free_port()
    agent = place.start("smolder", [build.program, "run", f"--server.http.listen-addr=127.0.0.1:{port}",
                                    f"--storage.path={place.path('data-' + build.name)}", config])
    agent.url = f"http://127.0.0.1:{port}"
    return agent


def metrics(place, agent):
    place.check_alive(agent)
    try:
        return lab.get(agent.url + "/metrics").decode()
    except OSError:
        return ""  # not listening yet


def wait_profiled(place, agent, jvms):
    """Until every JVM is profiled, and one was converted since."""
    def all_profiled():
        text = metrics(place, agent)
        return sum(lab.metric(text, f'smolder_sessions{{state="{state}"}}')
                   for state in ("profiling", "degraded")) >= len(jvms)

    def all_converted():
        return lab.metric(metrics(place, agent), "smolder_pushes_total") > pushed

    lab.wait_until(all_profiled, 60 + 2 * len(jvms), f"profiles of {len(jvms)} JVMs", 0.5)
    pushed = lab.metric(metrics(place, agent), "smolder_pushes_total")
    lab.wait_until(all_converted, 120, "a push", 0.5)


def measure_first_attach(place, build, receiver, jvms):
    agent = start_agent(place, build, receiver)
    wait_profiled(place, agent, jvms)
    add_buckets(metrics(place, agent), "smolder_attach_seconds", build.first_attach)
    place.stop(agent)


def measure_cost(args, place, build, receiver, jvms):
    agent = start_agent(place, build, receiver)
    wait_profiled(place, agent, jvms)
    usage = Usage(agent.pid)
    end = time.monotonic() + args.seconds
    usage.sample()
    while time.monotonic() < end:
        time.sleep(args.every)
        place.check_alive(agent)
        usage.sample()
    build.costs.setdefault(len(jvms), Cost()).add(usage)
    add_buckets(metrics(place, agent), "smolder_attach_seconds", build.attach)
    place.stop(agent)


def measure_gaps(args, place, build, receiver, jvms):
    place.interval = GAP_INTERVAL
    before = len(receiver.profiles() or [])
    agent = start_agent(place, build, receiver, f'roll_over = "{GAP_ROLL_OVER}"')
    wait_profiled(place, agent, jvms)
    end = time.monotonic() + args.gap_seconds
    while time.monotonic() < end:
        time.sleep(1)
        place.check_alive(agent)
    add_buckets(metrics(place, agent), "smolder_gap_seconds", build.roll_over)
    spans = {}
    for p in (receiver.profiles() or [])[before:]:
        begin = p["time_nanos"]
        spans.setdefault(p["labels"]["service_name"], set()).add((begin, begin + p["duration_nanos"]))
    place.stop(agent)
    place.interval = args.interval
    for of_jvm in map(sorted, spans.values()):
        build.gaps += [(b[0] - a[1]) / 1e6 for a, b in zip(of_jvm, of_jvm[1:])]


def report_cost(build, count):
    cost = build.costs[count]
    rounds = len(cost.values["CPU"])
    spread = ", ".join(f"{value:.3f}" for value in sorted(cost.values["CPU"]))
    lab.figure(f"{build.name}: {count} JVMs: CPU", f"{cost.median('CPU'):.3f} %", "", None,
               f"of a core, median of {rounds}: {spread}; " +
               ", ".join(f"{name} {value:.3f}" for name, value in sorted(cost.cpu_shares[-1].items())))
    parts = cost.shares[-1]
    for kind in KINDS:
        note = ", ".join(f"{name} {parts[name] / lab.MIB:.1f}" for name in sorted(parts)) if kind == "anonymous" else ""
        lab.figure(f"{build.name}: {count} JVMs: {kind}", f"{cost.median(kind) / lab.MIB:.1f} MB", "", None, note)


def report_times(build):
    def line(what, values, count, wanted=None):
        low, high, most = values
        lab.figure(f"{build.name}: {what} p50", f"{low:.2f} ms", "", None, f"of {count}")
        lab.figure(f"{build.name}: {what} p99", f"{high:.2f} ms", f"{wanted} ms or less" if wanted else "",
                   high <= wanted if wanted else None)
        lab.figure(f"{build.name}: {what} max", f"{most:.2f} ms", "", None)

    if sum(build.first_attach.values()):
        line("first attach", [quantile(build.first_attach, q) for q in (0.5, 0.99, 1)],
             int(sum(build.first_attach.values())))
    if sum(build.attach.values()):
        line("attach", [quantile(build.attach, q) for q in (0.5, 0.99, 1)], int(sum(build.attach.values())))
    if sum(build.roll_over.values()):
        line("roll-over", [quantile(build.roll_over, q) for q in (0.5, 0.99, 1)], int(sum(build.roll_over.values())),
             10)
    if build.gaps:
        gaps = [max(0, gap) for gap in build.gaps]
        line("gap of an interval", [rank(gaps, 0.5), rank(gaps, 0.99), max(gaps)], len(gaps), 10)


def report_ratios(ours, peer):
    for count in ours.costs:
        for kind in ("CPU", *KINDS):
            a, b = ours.costs[count].median(kind), peer.costs[count].median(kind)
            lab.figure(f"{ours.name} / {peer.name}: {count} JVMs: {kind}", f"{a / b:.3f}" if b else "-", "", None)


def measure(args):
    builds = [Build("smolder", args.smolder)] + ([Build("peer", os.path.abspath(args.peer))] if args.peer else [])
    with lab.Lab(args) as place:
        place.compile("bench/Small.java")
        place.interval = args.interval
        _, receiver = place.receiver()
        jvms = []
        for count in args.jvms:
            start_jvms(place, jvms, count)
            if not builds[0].first_attach:  # later some have the profiler already
                measure_first_attach(place, builds[0], receiver, jvms)
            for number in range(args.rounds):
                for build in builds if number % 2 == 0 else reversed(builds):
                    measure_cost(args, place, build, receiver, jvms)
        for build in builds:
            measure_gaps(args, place, build, receiver, jvms)
        receiver.check()
    for build in builds:
        for count in args.jvms:
            report_cost(build, count)
        report_times(build)
    if args.peer:
        report_ratios(*builds)


if __name__ == "__main__":
    parser = lab.parser(__doc__)
    parser.add_argument("--jvms", type=int, nargs="+", default=[10, 50, 100], metavar="N", help="(10 50 100)")
    parser.add_argument("--seconds", type=float, default=120, help="length of each window (%(default)s)")
    parser.add_argument("--gap-seconds", type=float, default=90, help="length of the one with roll-overs (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of each number of JVMs (%(default)s)")
    parser.add_argument("--every", type=float, default=2, help="seconds between samples (%(default)s)")
    parser.add_argument("--interval", default="15s", help="of pyroscope.java (%(default)s)")
    parser.add_argument("--peer", metavar="PATH", help="another build of smolder to compare with")
    lab.main(measure, parser)
