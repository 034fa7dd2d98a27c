#!/usr/bin/env python3
"""What a refresh of discovery.process costs: CPU time of all of the agent's processes, by process of the host.

No process is a JVM and none changes. Three hosts: the processes are idle; they wake up between two refreshes; they wake
up, and all labels are read, because nothing is known of what reads them. The time includes the agent's other work, such
as its look at the process table once a second.
"""

import os
import pathlib
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


def run(bench, args, count, variant):
    name, awake, rest, limit = variant
    many = populate(bench, args, count, awake)
    process = bench.agent(config(bench, rest))
    lab.wait_until(lambda: "smolder is running" in bench.log("smolder"), 30, "the agent")
    time.sleep(args.settle)  # new processes are looked at more often
    first, begun = cpu(process), time.monotonic()
    time.sleep(args.seconds)
    refreshes = (time.monotonic() - begun) / REFRESH
    spent = cpu(process) - first
    bench.check_alive(process)
    each = spent * 1e6 / refreshes / count
    lab.figure(f"{count} processes, {name}", f"{each:.1f} µs", f"{limit} µs or less" if limit else "",
               each <= limit if limit else None, f"a process and refresh; {1e3 * spent / refreshes:.1f} ms a refresh")
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
