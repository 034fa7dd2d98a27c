#!/usr/bin/env python3
"""How soon after its start the agent samples a JVM that runs already.

From just before the exec of `smolder run` to the time stamp of the first jdk.ExecutionSample in the recording, in a
busy JVM whose attach listener has not started yet: a new JVM in each round. The recording has no name any more, so it
is read through the agent's descriptor of it: with the agent stopped, so that it cannot consume the events first, the
profiler is told to close the chunk; `jfr` of the JDK reads it.
"""

import datetime
import glob
import json
import os
import re
import signal
import socket
import struct
import time

import lab


def threads(pid):
    found = []
    for path in glob.glob(f"/proc/{pid}/task/*/comm"):
        with open(path) as f:
            found.append(f.read().strip())
    return found


def recording(pid):
    """The agent's descriptor of the recording, or None."""
    for path in glob.glob(f"/proc/{pid}/fd/*"):
        try:
            if re.search(r"\.jfr \(deleted\)$", os.readlink(path)) and os.stat(path).st_size > 0:
                return path
        except OSError:
            continue
    return None


def nanos(text):
    """Of a time as `jfr print --json` writes it: 2024-01-16T18:08:55.123456789+01:00."""
    whole, fraction, zone = re.fullmatch(r"([^.]*)(?:\.(\d+))?(Z|[+-].*)", text).groups()
    seconds = datetime.datetime.fromisoformat(whole + ("+00:00" if zone == "Z" else zone)).timestamp()
    return int(seconds) * 1_000_000_000 + int((fraction or "0").ljust(9, "0")[:9])


def copy_first_chunk(source, target):
    with open(source, "rb") as f:
        magic, _, _, size = struct.unpack(">4sHHQ", f.read(16))  # jdk.jfr.internal.consumer.ChunkHeader
        if magic != b"FLR\0" or not 68 < size <= os.fstat(f.fileno()).st_size:
            raise lab.Failed("the recording does not start with a finished chunk")
        f.seek(0)
        with open(target, "wb") as out:
            out.write(f.read(size))


def first_sample(args, place, path):
    jfr = os.path.join(os.path.dirname(args.java), "jfr")
    copy_first_chunk(path, place.path("first.jfr"))
    events = json.loads(place.run([jfr, "print", "--json", "--stack-depth", "1", "--events", "jdk.ExecutionSample",
                                   place.path("first.jfr")]))
    times = [nanos(event["values"]["startTime"]) for event in events["recording"]["events"]]
    return min(times) if times else None


def close_chunk(pid, attach_socket):
    """Asks the profiler for it through the attach listener, which runs by now."""
    with open(f"/proc/{pid}/maps") as f:
        library = re.search(r"/\S*/libasyncProfiler\.so", f.read())
    if not library:
        raise lab.Failed("the JVM has no profiler mapped")
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(attach_socket)
        # Version 1 of HotSpot's attach protocol: a command and three arguments (attachListener_posix.cpp).
        s.sendall(b"\0".join([b"1", b"load", library[0].encode(), b"true", b"dump,jfr", b""]))
        while s.recv(4096):
            pass


def measure_round(args, number, receiver_url, place):
    jvm = place.jvm(number, "Demo", "--threads", "1", "--load", "1")
    lab.wait_until(lambda: lab.cpu_seconds(jvm.pid) > args.busy, 60, f"{args.busy} s of CPU time in the JVM")
    if any(name.startswith("Attach Listener") for name in threads(jvm.pid)):
        raise lab.Failed("the attach listener runs already")
    config = place.config("latency.alloy", receiver_url, "15s")
    began = time.time_ns()
    agent = place.agent(config)
    path = lab.wait_until(lambda: place.check_alive(agent) or recording(agent.pid), 10, "a recording")
    time.sleep(1)  # of samples; the agent cuts its first profile after ten seconds only
    os.kill(agent.pid, signal.SIGSTOP)
    try:
        close_chunk(jvm.pid, f"/tmp/.java_pid{jvm.pid}")
        first = first_sample(args, place, path)
    finally:
        os.kill(agent.pid, signal.SIGCONT)
    if first is None:
        raise lab.Failed("no sample within a second of the profiler's start")
    attach = lab.metric(lab.get(agent.url + "/metrics").decode(), "smolder_attach_seconds_sum")
    place.stop(agent)
    place.stop(jvm)
    return (first - began) / 1e6, attach * 1e3


def measure(args):
    latencies, attaches = [], []
    with lab.Lab(args) as place:
        place.compile("examples/demo/Demo.java")
        for number in range(1, args.rounds + 1):
            latency, attach = measure_round(args, number, f"http://127.0.0.1:{lab.free_port()}", place)
            latencies.append(latency)
            attaches.append(attach)
    middle = lab.median(latencies)
    lab.figure("exec to first sample", f"{middle:.0f} ms", "less than 300 ms", middle < 300,
               f"median of {args.rounds}: {', '.join(f'{latency:.0f}' for latency in sorted(latencies))}")
    lab.figure("attach within it", f"{lab.median(attaches):.0f} ms", "", None, "median of smolder_attach_seconds")


if __name__ == "__main__":
    parser = lab.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="each with a new JVM (%(default)s)")
    parser.add_argument("--busy", type=float, default=2, help="CPU seconds a JVM has used before (%(default)s)")
    lab.main(measure, parser)
