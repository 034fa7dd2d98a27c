#!/usr/bin/env python3
"""How many profiles one agent pushes, and what its spool takes.

The queue of pyroscope.write in a process of its own (bench_push.c), against the receiver of the tests, which parses
what it gets, and against the embedded store. Each server has a process of its own on the same machine, so it takes CPU
time from the one measured. The spool is that of an endpoint that is down, in a directory of this machine.
"""

import gzip
import os
import time

import lab


def number(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def field(n, payload):
    return number(n << 3 | 2) + number(len(payload)) + payload


def varint(n, value):
    return number(n << 3) + number(value)


def profile(stacks, depth):
    """A CPU profile as of a JVM, gzip-compressed: stacks that share their roots, names of packages and classes."""
    strings, functions, samples = ["", "cpu", "nanoseconds"], [], []
    for i in range(stacks * 2):
        strings.append(f"com/example/shop/service{i % 37}/OrderController{i}.handle{i * 7919 % 1000}")
        functions.append(len(strings) - 1)
    for i in range(stacks):
        frames = [(i * 31 + d * d) % len(functions) + 1 if d < depth // 3 else d + 1 for d in range(depth)]
        samples.append(field(2, field(1, b"".join(map(number, frames))) + field(2, number(10_000_000 * (i % 9 + 1)))))
    return gzip.compress(b"".join([
        field(1, varint(1, 1) + varint(2, 2)), *samples,
        *(field(4, varint(1, i + 1) + field(4, varint(1, i + 1))) for i in range(len(functions))),
        *(field(5, varint(1, i + 1) + varint(2, name)) for i, name in enumerate(functions)),
        *(field(6, s.encode()) for s in strings), varint(9, time.time_ns()),
        varint(10, 15_000_000_000), field(11, varint(1, 1) + varint(2, 2)), varint(12, 10_000_000)]), 6)


def lines(bench, args, *what):
    """{name: (count, seconds, CPU seconds, …)}"""
    printed = bench.run([os.path.abspath(args.push), *map(str, what)])
    return {name: tuple(map(float, rest)) for name, *rest in map(str.split, printed.splitlines())}


def push(bench, args, name, url, path):
    size = os.path.getsize(path)
    for kind, (count, seconds, cpu) in lines(bench, args, "push", url, path, args.seconds).items():
        what = f"{name}, {'a backlog' if kind == 'together' else 'one by one'}"
        lab.figure(f"{what}: profiles/s", f"{count / seconds:.0f}", "", None,
                   f"of {size / 1024:.0f} KiB: {count * size / seconds / lab.MIB:.1f} MiB/s")
        lab.figure(f"{what}: CPU a profile", f"{1e6 * cpu / count:.0f} us", "", None,
                   f"{100 * cpu / seconds:.0f} % of a core; {count / cpu:.0f} profiles/s on a whole one")


def store(bench, args):
    port, api = lab.free_port(), lab.free_port()
    nothing = bench.write("nothing.alloy", 'logging {\n  level = "info"\n}\n')
    process = bench.start("store", [args.smolder, "run", f"--storage.path={bench.path('data')}",
                                    f"--server.http.listen-addr=127.0.0.1:{api}", f"--store.listen=127.0.0.1:{port}",
                                    nothing])

    def answers():
        bench.check_alive(process)
        try:
            return lab.get(f"http://127.0.0.1:{api}/-/ready")
        except OSError:
            return None

    lab.wait_until(answers, 20, "the store")
    return process, f"http://127.0.0.1:{port}"


def measure(args):
    with lab.Lab(args) as bench:
        path = bench.path("profile.pb.gz")
        with open(path, "wb") as f:
            f.write(profile(300, 40))
        process, receiver = bench.receiver()
        push(bench, args, "receiver", receiver.url, path)
        receiver.check()
        bench.stop(process)
        process, url = store(bench, args)
        push(bench, args, "store", url, path)
        bench.stop(process)
        disk = bench.path("disk")
        os.mkdir(disk)
        for kind, (count, seconds, cpu, size) in lines(bench, args, "spool", disk, path, args.mib).items():
            lab.figure(f"spool, {kind}: MiB/s", f"{size / seconds / lab.MIB:.0f}", "", None,
                       f"{1e6 * cpu / count:.0f} us of CPU a profile")


if __name__ == "__main__":
    arguments = lab.parser(__doc__)
    arguments.add_argument("--push", default=os.path.join(lab.ROOT, "build", "bench", "bench_push"),
                           help="bench_push (%(default)s)")
    arguments.add_argument("--seconds", type=int, default=10, help="of pushing, each (%(default)s)")
    arguments.add_argument("--mib", type=int, default=400, help="of profiles through the spool (%(default)s)")
    lab.main(measure, arguments)
