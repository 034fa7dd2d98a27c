#!/usr/bin/env python3
"""What the embedded store takes, and how soon it answers.

JVMs of one service (bench_store.c) push to a store, one after the other and as fast as it takes them: three profiles
each with five sample types together, as an agent pushes them, 15 s of each JVM at a time. The store packs and seals
them. What there is then is repeated in the hours before until it is a week, so that questions about a day and a week
meet as many blocks as there would be; their stacks repeat, too.
"""

import concurrent.futures
import http.client
import json
import os
import sqlite3
import struct
import subprocess
import threading
import time

import lab
from push import field

TYPES = ["process_cpu", "memory", "mutex"]  # by kind
IDS = [["process_cpu:cpu:nanoseconds:cpu:nanoseconds"],  # of their sample types
       [f"memory:alloc_in_new_tlab_{of}:alloc_in_new_tlab_objects:count" for of in ("objects:count", "bytes:bytes")],
       [f"mutex:{what}:contentions:count" for what in ("contentions:count", "delay:nanoseconds")]]
CPU = IDS[0][0]
HOUR = 3600
HEAD = struct.Struct("=IIIqq")  # of a record: JVM, kind, size, totals


def label(name, value):
    return field(1, field(1, name.encode()) + field(2, value.encode()))


def push_body(profiles):
    """Of one JVM: records."""
    return b"".join(field(1, label("__name__", TYPES[kind]) + label("service_name", "shop") +
                          label("pod", f"shop-6d4cf56db6-{jvm:05d}") + field(2, field(1, pprof)))
                    for jvm, kind, pprof, _ in profiles)


def records(stream):
    while True:
        head = stream.read(HEAD.size)
        if len(head) < HEAD.size:
            return
        jvm, kind, size, *totals = HEAD.unpack(head)
        yield jvm, kind, stream.read(size), totals


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def resident(pid):
    """Of a process and its descendants, by pid, in bytes."""
    found, todo = {}, [pid]
    while todo:
        at = todo.pop()
        try:
            with open(f"/proc/{at}/statm") as f:
                found[at] = int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            with open(f"/proc/{at}/task/{at}/children") as f:
                todo += map(int, f.read().split())
        except OSError:
            continue
    return found


def cpu(pid):
    """Seconds of CPU time of a process and its descendants that live."""
    spent = 0
    for at in resident(pid):
        try:
            for task in os.listdir(f"/proc/{at}/task"):
                with open(f"/proc/{at}/task/{task}/schedstat") as f:
                    spent += int(f.read().split()[0])
        except OSError:
            continue
    return spent / 1e9


class Memory:
    """The most that the main process, and all together, had meanwhile."""

    def __init__(self, pid):
        self.pid, self.own, self.all, self.ended = pid, 0, 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.ended.wait(0.02):
            now = resident(self.pid)
            self.own, self.all = max(self.own, now.get(self.pid, 0)), max(self.all, sum(now.values()))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


class Store:
    def __init__(self, bench, args):
        self.bench, self.args, self.port = bench, args, lab.free_port()
        self.database = bench.path("data/store.db")

    def start(self):
        api = lab.free_port()
        self.process = self.bench.start("store", [
            self.args.smolder, "store", f"--path={self.bench.path('data')}", f"--listen=127.0.0.1:{self.port}",
            "--store.max-size=100GiB", "--store.keep=60d", "--store.query-timeout=5m",
            f"--server.http.listen-addr=127.0.0.1:{api}"])

        def answers():
            self.bench.check_alive(self.process)
            try:
                return lab.get(f"http://127.0.0.1:{api}/-/ready")
            except OSError:
                return None

        lab.wait_until(answers, 20, "the store")
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def stop(self):
        self.connection.close()
        self.bench.stop(self.process)

    def post(self, path, body, kind):
        begun = time.monotonic()
        self.connection.request("POST", path, body, {"Content-Type": kind})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise lab.Failed(f"{path}: {answer.status} {text[:200]}")
        return time.monotonic() - begun, text

    def ask(self, call, **what):
        return self.post(f"/querier.v1.QuerierService/{call}", json.dumps(what), "application/json")

    def number(self, sql):
        db = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
        try:
            return db.execute(sql).fetchone()[0]
        finally:
            db.close()

    def bytes(self):
        return (self.number("SELECT page_count FROM pragma_page_count") -
                self.number("SELECT freelist_count FROM pragma_freelist_count")) * self.number(
                    "SELECT page_size FROM pragma_page_size")


def ingest(store, args, begin):
    """Bytes of all profiles, how many, and the totals of each type."""
    making = subprocess.Popen([os.path.abspath(args.profiles), "profiles", str(args.jvms), str(begin),
                               str(args.minutes * 60), str(args.threads)], stdout=subprocess.PIPE)
    times, size, count, together, totals = [], 0, 0, [], {}
    spent = 0.0
    with making.stdout as stream:
        for record in records(stream):
            together.append(record)
            if len(together) < len(TYPES):
                continue
            body = push_body(together)
            took, _ = store.post("/push.v1.PusherService/Push", body, "application/proto")
            size += sum(len(r[2]) for r in together)
            count += len(together)
            for _, kind, _, of in together:
                for name, total in zip(IDS[kind], of):
                    totals[name] = totals.get(name, 0) + total
            spent += took
            times.append((size, took))
            together = []
    if making.wait() != 0:
        raise lab.Failed("bench_store ended early")
    lab.figure("ingest: profiles/s", f"{count / spent:.0f}", "", None,
               f"{size / spent / lab.MIB:.1f} MiB/s, one connection, mean {size / count / 1024:.1f} KiB")
    before = [t for at, t in times if at < 30 * lab.MIB]
    while_packing = [t for at, t in times if at >= 30 * lab.MIB]
    for name, values in (("before the first packing", before), ("while it is packed", while_packing)):
        if values:
            lab.figure(f"push of three, {name}: p50", f"{1000 * percentile(values, 0.5):.1f} ms", "", None,
                       f"p99 {1000 * percentile(values, 0.99):.1f} ms, most {1000 * max(values):.0f} ms, "
                       f"of {len(values)}")
    return size, count, totals


def pack(store, count):
    """Everything that was pushed, by starting anew: ten seconds later the rest is packed and sealed."""
    store.stop()
    store.bench.run([os.path.abspath(store.args.profiles), "age", store.database])
    store.start()
    begun = time.monotonic()
    lab.wait_until(lambda: store.number("SELECT count(*) FROM body") == 0, 900, "packing", 0.5)
    store.stop()
    store.bench.run([os.path.abspath(store.args.profiles), "age", store.database])
    store.start()
    lab.wait_until(lambda: store.number("SELECT count(*) FROM block WHERE sealed = 0") == 0, 900, "sealing", 0.5)
    if store.number("SELECT sum(profiles) FROM block") != count:
        raise lab.Failed("profiles were lost")
    return time.monotonic() - begun


def compare(store, begin, end, totals):
    """What is stored has the totals of what was pushed."""
    store.connection.request("GET", f"/api/types?service=shop&from={begin * 1000}&until={end * 1000}")
    found = {t["id"]: int(t["total"]) for t in json.loads(store.connection.getresponse().read())["types"]}
    if found != totals:
        raise lab.Failed(f"totals of {found}, pushed {totals}")
    lab.figure("totals of types, stored and pushed", "equal", "", None, f"{len(found)} types")


def sizes(store, size, count):
    bytes_now = store.bytes()
    lab.figure("bytes of packed profiles", f"{bytes_now / lab.MIB:.1f} MiB", "<= 1/4 of gzip", bytes_now * 4 <= size,
               f"{bytes_now / size:.3f} of {size / lab.MIB:.0f} MiB, {bytes_now / count:.0f} B a profile")
    for name, sql in (("trees", "SELECT sum(length(tree)) FROM block"), ("rows", "SELECT sum(length(rows)) FROM slice"),
                      ("sums", "SELECT sum(length(sum)) FROM slice"), ("ids", "SELECT sum(length(ids)) FROM slice"),
                      ("columns", "SELECT sum(length(columns)) FROM slice")):
        part = store.number(sql)
        lab.figure(f"of that: {name}", f"{part / lab.MIB:.2f} MiB", "", None, f"{100 * part / bytes_now:.0f} %")


def questions(store, end):
    """First answers, after a start; then the same again."""
    for hours, wanted in ((1, None), (24, 0.3), (168, 1.0)):
        store.stop()
        store.start()
        ask = {"start": (end - hours * HOUR) * 1000, "end": end * 1000, "label_selector": '{service_name="shop"}',
               "profile_typeID": CPU}
        with Memory(store.process.pid) as memory:
            used = cpu(store.process.pid)
            first, text = store.ask("SelectMergeStacktraces", maxNodes=16384, **ask)
            used = cpu(store.process.pid) - used
            used_again = cpu(store.process.pid)
            again, _ = store.ask("SelectMergeStacktraces", maxNodes=16384, **ask)
            used_again = cpu(store.process.pid) - used_again
            series, _ = store.ask("SelectSeries", step=max(15, hours * HOUR / 500), **ask)
        total = json.loads(text)["flamegraph"]["total"]
        lab.figure(f"flame graph of {hours} h, first", f"{1000 * first:.0f} ms",
                   f"< {1000 * wanted:.0f} ms" if wanted else "", first < wanted if wanted else None,
                   f"{1000 * used:.0f} ms of CPU; again {1000 * again:.0f} ms, {1000 * used_again:.0f} ms of CPU; "
                   f"{len(text) / 1024:.0f} KiB; total {int(total) / 1e9:.0f} s")
        lab.figure(f"SelectSeries of {hours} h", f"{1000 * series:.0f} ms", "", None, "")
        lab.figure(f"RSS meanwhile, {hours} h", f"{memory.own / lab.MIB:.1f} MiB", "< 64 MiB",
                   memory.own < 64 * lab.MIB, f"with parser, helper and guard {memory.all / lab.MIB:.1f} MiB")


def clients(store, end, number=8):
    """At once, about a week, each with a range of its own."""
    def ask(i):
        one = http.client.HTTPConnection("127.0.0.1", store.port, timeout=300)
        what = {"start": (end - (168 - i) * HOUR) * 1000, "end": end * 1000,
                "label_selector": '{service_name="shop"}', "profile_typeID": IDS[i % 3][-1], "maxNodes": 16384}
        one.request("POST", "/querier.v1.QuerierService/SelectMergeStacktraces", json.dumps(what),
                    {"Content-Type": "application/json"})
        answer = one.getresponse()
        return answer.status, answer.read()

    begun = time.monotonic()
    with Memory(store.process.pid) as memory, concurrent.futures.ThreadPoolExecutor(number) as pool:
        answers = list(pool.map(ask, range(2 * number)))
    bad = [text[:300] for status, text in answers if status != 200]
    lab.figure(f"RSS while {number} clients ask for a week", f"{memory.own / lab.MIB:.1f} MiB", "< 64 MiB",
               memory.own < 64 * lab.MIB, f"with parser, helper and guard {memory.all / lab.MIB:.1f} MiB, "
               f"{1000 * (time.monotonic() - begun) / len(answers):.0f} ms an answer"
               + (f", {len(bad)} errors: {bad[0]}" if bad else ""))


def measure(args):
    with lab.Lab(args) as bench:
        store = Store(bench, args)
        store.start()
        end = int(time.time()) // HOUR * HOUR - HOUR
        with Memory(store.process.pid) as memory:
            size, count, totals = ingest(store, args, end - args.minutes * 60)
        lab.figure("RSS while pushed and packed", f"{memory.own / lab.MIB:.1f} MiB", "< 64 MiB",
                   memory.own < 64 * lab.MIB, f"with parser, helper and guard {memory.all / lab.MIB:.1f} MiB")
        lab.figure("time to pack and seal the rest", f"{pack(store, count):.0f} s", "", None,
                   "10 s of it waiting, twice")
        compare(store, end - args.minutes * 60, end, totals)
        sizes(store, size, count)
        store.stop()
        bench.run([os.path.abspath(args.profiles), "repeat", store.database, "168"])
        store.start()
        lab.figure("a week of that", f"{store.bytes() / lab.MIB:.0f} MiB", "", None,
                   f"{args.jvms} JVMs, 5 sample types")
        questions(store, end)
        clients(store, end)
        store.stop()


if __name__ == "__main__":
    arguments = lab.parser(__doc__)
    arguments.add_argument("--profiles", default=os.path.join(lab.ROOT, "build", "bench", "bench_store"),
                           help="bench_store (%(default)s)")
    arguments.add_argument("--jvms", type=int, default=20, help="that push (%(default)s)")
    arguments.add_argument("--minutes", type=int, default=24 * 60, help="of profiles, every 15 s (%(default)s)")
    arguments.add_argument("--threads", type=int, default=0, help="labels of samples, each a series (%(default)s)")
    lab.main(measure, arguments)
