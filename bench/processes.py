#!/usr/bin/env python3
"""What a refresh of discovery.process costs: CPU time of all of the agent's processes, by process of the host.

No process is a JVM and none changes. Three hosts: the processes are idle; they wake up between two refreshes; they wake
up, and all labels are read, because nothing is known of what reads them. The time includes the agent's other work, such
as its look at the process table once a second.

Then, how long the event loop is busy at a time: requests follow one another, and each waits for what the loop does at
that moment. The longest wait counts as well what the machine gave to others meanwhile. The start has a line of its own:
all processes are new to the agent then.
"""

import contextlib
import http.client
import os
import pathlib
import threading
import time

import lab

SELECTED = """
discovery.relabel "java" {
  targets = discovery.process.all.targets
  rule {
    action        = "keep"
    regex         = ".*/java$"
    source_labels = ["__meta_process_exe"]
  }
}

pyroscope.java "java" {
  targets    = discovery.relabel.java.output
  forward_to = []
}
"""
REFRESH = 1  # seconds
# name, whether they wake up, what reads the targets, µs
VARIANTS = (("idle", False, SELECTED, 5), ("awake", True, SELECTED, None), ("awake, all labels", True, "", None))


def config(bench, rest):
    return bench.write("config.alloy", f"""
discovery.process "all" {{
  refresh_interval = "{REFRESH}s"
}}
{rest}""")


def populate(bench, args, count, awake):
    process = bench.start("many", [args.many, str(count), *(["400"] if awake else [])])

    def there():
        bench.check_alive(process)
        return "processes" in bench.log("many")
    lab.wait_until(there, 60, "the processes")
    return process


def cpu(process):
    return sum(lab.cpu_seconds_with_children(pid) for pid in lab.family(process.pid))


class Waits(threading.Thread):
    """Asks the agent for its health, again and again, and keeps how long each answer took."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.port, self.ends, self.ms = int(process.url.rpartition(":")[2]), threading.Event(), []
        self.start()

    def run(self):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            while not self.ends.wait(0.004):
                begun = time.monotonic()
                connection.request("GET", "/-/healthy")
                connection.getresponse().read()
                self.ms.append(1e3 * (time.monotonic() - begun))

    def figure(self, name):
        self.ends.set()
        self.join()
        if not self.ms:
            raise lab.Failed("the agent did not answer")
        found = sorted(self.ms, reverse=True)
        limit = 50
        lab.figure(f"{name}: longest answer", f"{found[0]:.1f} ms", f"{limit} ms or less", found[0] <= limit,
                   f"tenth {found[min(9, len(found) - 1)]:.1f} ms, half below {found[len(found) // 2]:.2f} ms")


def run(bench, args, count, variant):
    name, awake, rest, limit = variant
    many = populate(bench, args, count, awake)
    process = bench.agent(config(bench, rest))
    lab.wait_until(lambda: "smolder is running" in bench.log("smolder"), 30, "the agent")
    waits = Waits(process)
    time.sleep(args.settle)  # new processes are looked at more often
    waits.figure(f"{count} processes, {name}, start")
    first, begun = cpu(process), time.monotonic()
    time.sleep(args.seconds)
    refreshes = (time.monotonic() - begun) / REFRESH
    spent = cpu(process) - first
    bench.check_alive(process)
    each = spent * 1e6 / refreshes / count
    lab.figure(f"{count} processes, {name}", f"{each:.1f} µs", f"{limit} µs or less" if limit else "",
               each <= limit if limit else None, f"a process and refresh; {1e3 * spent / refreshes:.1f} ms a refresh")
    waits = Waits(process)
    time.sleep(args.seconds / 2)
    bench.check_alive(process)
    waits.figure(f"{count} processes, {name}")
    bench.stop(process)
    bench.stop(many)


def pids_left():
    kernel = pathlib.Path("/proc/sys/kernel")
    return min(int((kernel / name).read_text()) for name in ("pid_max", "threads-max"))


def measure(args):
    args.many = os.path.abspath(args.many)
    with lab.Lab(args) as bench:
        for count in args.processes:
            if count + 2000 > pids_left():
                print(f"{count} processes: not measured, this machine allows {pids_left()}", flush=True)
                continue
            for variant in VARIANTS:
                run(bench, args, count, variant)


if __name__ == "__main__":
    arguments = lab.parser(__doc__)
    arguments.add_argument("--many", required=True, help="the program of bench/many_processes.c")
    arguments.add_argument("--processes", type=int, nargs="+", default=[3000, 30000], help="of the host (%(default)s)")
    arguments.add_argument("--seconds", type=int, default=30, help="of measuring, each (%(default)s)")
    arguments.add_argument("--settle", type=int, default=20, help="seconds before it (%(default)s)")
    lab.main(measure, arguments)
