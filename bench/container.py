#!/usr/bin/env python3
"""How soon a JVM in a new container is sampled by an agent that runs already.

From just before the first process of the container is started to the time stamp of the first jdk.ExecutionSample, a new
container in each round: mount and PID namespaces and a /tmp of its own. Within that, the agent checks for new processes
once a second, and waits for the `min_age` of pyroscope.java, 1 s. The recording is read as in bench/latency.py.
"""

import os
import random
import signal
import time

import lab
import latency

CONTAINER = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
             'mount --bind "$0" /mnt && mount -t tmpfs -o mode=1777 container /tmp && exec "$@"']
LIMIT_S = 30


def main_process(place, container, java):
    """The JVM in the container, seen from here."""
    def found():
        place.check_alive(container)
        for pid in lab.family(container.pid):
            try:
                if os.path.samefile(f"/proc/{pid}/exe", java):
                    return pid
            except OSError:
                continue  # it ended, or is about to execute
        return None
    return lab.wait_until(found, LIMIT_S, "the JVM of the container", every=0.01)


def measure_round(args, number, agent, place):
    began = time.time_ns()
    container = place.start(f"container-{number}",
                            [*CONTAINER, place.directory, args.java, f"-Dlab={place.token}-{number}", "-cp", "/mnt",
                             "Demo", "--threads", "1", "--load", "1"])
    jvm = main_process(place, container, os.path.realpath(args.java_program))
    path = lab.wait_until(lambda: place.check_alive(agent) or latency.recording(agent.pid), LIMIT_S, "a recording")
    time.sleep(1)  # of samples; the agent cuts its first profile after ten seconds only
    os.kill(agent.pid, signal.SIGSTOP)
    try:
        latency.close_chunk(jvm, f"/proc/{jvm}/root/tmp/.java_pid1")
        first = latency.first_sample(args, place, path)
    finally:
        os.kill(agent.pid, signal.SIGCONT)
    place.stop(container)
    if first is None:
        raise lab.Failed("no sample within a second of the profiler's start")
    lab.wait_until(lambda: not latency.recording(agent.pid), LIMIT_S, "the end of the recording")
    return (first - began) / 1e9


def measure(args):
    with lab.Lab(args) as place:
        place.compile("examples/demo/Demo.java")
        args.java_program = place.run(["sh", "-c", f'readlink -f "$(command -v {args.java})"']).strip()
        agent = place.agent(place.config("container.alloy", f"http://127.0.0.1:{lab.free_port()}", "15s"))
        lab.wait_until(lambda: "smolder is running" in place.log("smolder"), LIMIT_S, "the agent")
        times = []
        for number in range(1, args.rounds + 1):
            time.sleep(1 + random.random())  # anywhere between two checks for new processes
            times.append(measure_round(args, number, agent, place))
    middle = lab.median(times)
    lab.figure("container start to first sample", f"{middle:.2f} s", "less than 3 s", middle < 3,
               f"median of {args.rounds}: {', '.join(f'{t:.2f}' for t in sorted(times))}")


if __name__ == "__main__":
    parser = lab.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="each with a new container (%(default)s)")
    lab.main(measure, parser)
