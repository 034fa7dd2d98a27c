"""Recordings of Datadog's profiler: made here, and read as the JDK's own parser reads them."""
import collections
import json
import math
import re
import signal
import struct
import subprocess

from forged import COMMON, NOON, PROFILER, RUNNABLE, SLEEPING, STACK, THREAD, Recording
from lab import check, classes, equal, maven_jar, need_java, test, wait_for
from test_convert import collapsed, convert

VERSION = "1.40.0"  # of dd-java-agent
SETTINGS = ("profiling.enabled profiling.start-force-first profiling.ddprof.enabled profiling.ddprof.cpu.enabled "
            "profiling.ddprof.wall.enabled profiling.ddprof.alloc.enabled profiling.ddprof.liveheap.enabled").split()
OFF = ("profiling.ddprof.wall.context.filter profiling.ddprof.wall.collapsing instrumentation.telemetry.enabled "
       "remote_config.enabled").split()
KINDS = {"CPU": "datadog.ExecutionSample", "wall": "datadog.MethodSample", "alloc": "datadog.ObjectSample",
         "live": "datadog.HeapLiveObject", "config": "datadog.DatadogProfilerConfig"}
MS = 10**6

# The types that such a chunk has in place of the usual ones.
TYPES = """
141 datadog.ExecutionSample startTime:11 eventThread:22* stackTrace:26* state:25* mode:11 weight:11 spanId:11
142 datadog.MethodSample startTime:11 eventThread:22* stackTrace:26* state:25* mode:11 weight:11 spanId:11
143 datadog.ObjectSample startTime:11 eventThread:22* stackTrace:26* objectClass:21* size:11 weight:10 spanId:11
145 datadog.HeapLiveObject startTime:11 eventThread:22* stackTrace:26* objectClass:21* age:11 size:11 weight:10 \
spanId:11
146 datadog.DatadogProfilerConfig startTime:11 duration:11 eventThread:22* cpuInterval:11 wallInterval:11
""".strip()
LEAF = "app/A.main;app/A.leaf"


def datadog(cpu_ms, wall_ms, **kw):
    """A chunk of it, with its intervals."""
    r = Recording(**kw)
    r.types = "\n".join((COMMON, PROFILER, TYPES))
    return r.setting("interval", "4724448").event(146, 0, THREAD, cpu_ms, wall_ms)


@test
def convert_weighs_samples_of_datadog(lab):
    """Times are weight times interval, objects as many as their weight; intervals are those of the chunk."""
    first, second = datadog(20, 50), datadog(5, 100, start=NOON + 10 * 10**9)
    for r in (first, second):
        r.event(141, THREAD, STACK, RUNNABLE, 0, 1, 0xABC).event(141, THREAD, STACK, RUNNABLE, 0, 3, 0)
        r.event(142, THREAD, STACK, SLEEPING, 0, 7, 0).event(142, THREAD, STACK, RUNNABLE, 0, 1, 0)
        r.event(143, THREAD, STACK, 1, 48, struct.pack(">f", 5461.75), 0)
        r.event(145, THREAD, STACK, 1, 26, 40, struct.pack(">f", 6554.125), 0)
    path = lab.dir / "dd.jfr"
    path.write_bytes(first.bytes() + second.bytes())
    for kind, value in (("cpu", 4 * 25 * MS), ("wall", 8 * 150 * MS), ("alloc_sample_objects", 2 * 5462),
                        ("alloc_sample_bytes", 2 * 262164), ("live", 2 * 6554), ("live_bytes", 2 * 262165)):
        equal(collapsed(lab, path, f"--type={kind}"), {LEAF: value}, kind)
    equal(collapsed(lab, path, "--type=wall", "--state=sleep"), {LEAF: 7 * 150 * MS}, "wall time of a state")
    equal(collapsed(lab, path, "--type=wall", "--group-by=state"),
          {"[sleeping];" + LEAF: 7 * 150 * MS, "[runnable];" + LEAF: 150 * MS}, "states")
    equal(collapsed(lab, path, "--group-by=profile_id"), {LEAF: 75 * MS, "[0000000000000abc];" + LEAF: 25 * MS},
          "span IDs")
    equal(collapsed(lab, path, "--type=live_bytes", "--class-frames"), {LEAF + ";app.A": 2 * 262165}, "classes")
    equal(collapsed(lab, path, "--to=10s"), {LEAF: 80 * MS}, "of the first chunk")
    _, err = convert(lab, path, "--compat=jfr-parser", "--format=text", "--output=-", status=1)
    check("no samples in 2 chunks" in err, err)


def recorded(lab):
    """What dd-java-agent writes of a program; it finds no server, and only looks for one on this host."""
    jar, java = maven_jar("com.datadoghq", "dd-java-agent", VERSION), f"{need_java(17)}/bin/java"
    dumps = lab.dir / "dumps"
    dumps.mkdir()
    options = [f"-Ddd.{name}=true" for name in SETTINGS] + [f"-Ddd.{name}=false" for name in OFF]
    with open(lab.dir / "java.log", "wb") as log:
        program = subprocess.Popen(
            [java, f"-javaagent:{jar}", *options, "-Ddd.profiling.start-delay=0", "-Ddd.profiling.upload.period=5",
             f"-Ddd.profiling.debug.dump_path={dumps}", "-Ddd.trace.agent.url=http://127.0.0.1:9", "-cp",
             str(classes()), "Shop"], stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for("recording", lambda: list(dumps.glob("*.jfr")), 150)
        finally:
            program.send_signal(signal.SIGTERM)
            program.wait(60)
    return sorted(dumps.glob("*.jfr"))


def chunks(data):
    while data:
        size = struct.unpack(">Q", data[8:16])[0]
        yield data[:size]
        data = data[size:]


def padded(n):
    """A varint of five bytes, as the sizes of large events are."""
    return bytes([n >> 7 * i & 0x7F | 0x80 for i in range(4)] + [n >> 28])


def for_the_jdk(chunk):
    """The JDK rejects pools without entries, of which this version writes two in front of the last one; pools are the
    last thing in a chunk."""
    start = struct.unpack(">Q", chunk[16:24])[0]
    at = chunk.rindex(b"\x1f\x05\x00\x03\x05TRACE")
    empty = len(re.search(rb"(?:[\x14\x20]\x00)*$", chunk[at - 4:at]).group())
    count = re.compile(rb"\x01[\x0a-\x0f](?=\x18)").search(chunk, start).end() - 1
    size = len(chunk) - empty
    pools = chunk[start + 5:count] + bytes([chunk[count] - empty // 2]) + chunk[count + 1:at - empty] + chunk[at:]
    return chunk[:8] + struct.pack(">Q", size) + chunk[16:start] + padded(size - start) + pools


def told(java, path):
    """{type: [fields of an event]}, by the JDK."""
    done = subprocess.run([f"{java}/bin/jfr", "print", "--json", "--stack-depth", "1", "--events",
                           ",".join(KINDS.values()), str(path)], capture_output=True, timeout=120)
    check(done.returncode == 0, f"jfr: {done.stderr.decode()[-500:]} {done.stdout.decode()[-500:]}")
    events = collections.defaultdict(list)
    for event in json.loads(done.stdout)["recording"]["events"]:
        events[event["type"]].append(event["values"])
    return events


def weight(event):
    """A float, which JSON has as the shortest decimal number that means it."""
    return struct.unpack("f", struct.pack("f", event["weight"]))[0]


def by(events, key, value):
    sums = collections.Counter()
    for event in events:
        sums[key(event)] += value(event)
    return +sums


def thread(event):
    return "[" + (event["eventThread"]["javaName"] or event["eventThread"]["osName"]) + "]"


def first_frames(stacks):
    sums = collections.Counter()
    for stack, value in stacks.items():
        sums[stack.split(";")[0]] += value
    return sums


@test
def convert_reads_what_datadogs_profiler_writes(lab):
    """Sums of all samples by thread and by state, and of allocated and live objects: as the JDK counts them."""
    java, seen = need_java(17), collections.Counter()
    for file in recorded(lab):
        chunk = next((c for c in chunks(file.read_bytes()) if b"datadog.DatadogProfilerConfig" in c), None)
        check(chunk, f"{file.name}: no chunk of Datadog's profiler")
        path = lab.dir / "chunk.jfr"
        path.write_bytes(for_the_jdk(chunk))
        said = told(java, path)
        events = {kind: said[name] for kind, name in KINDS.items()}
        path.write_bytes(chunk)
        config = events["config"][0]
        interval = {kind: round(float(re.fullmatch(r"PT([0-9.]+)S", config[field])[1]) * 1e9)
                    for kind, field in (("cpu", "cpuInterval"), ("wall", "wallInterval"))}
        by_thread = ["--raw-threads", "--max-threads=100000", "--group-by=thread"]
        for kind, name in (("cpu", "CPU"), ("wall", "wall")):
            if not events[name]:
                continue
            wanted = by(events[name], thread, lambda e: e["weight"] * interval[kind])
            equal(first_frames(collapsed(lab, path, f"--type={kind}", *by_thread)), wanted, f"{name} by thread")
            wanted = by(events[name], lambda e: f"[{e['state'].lower()}]", lambda e: e["weight"] * interval[kind])
            equal(first_frames(collapsed(lab, path, f"--type={kind}", "--group-by=state")), wanted, f"{name} by state")
        for column, of in (("alloc_sample_objects", lambda e: 1), ("alloc_sample_bytes", lambda e: e["size"]),
                           ("live", lambda e: 1), ("live_bytes", lambda e: e["size"])):
            found = events[column.split("_")[0]]
            if not found:
                continue
            wanted = by(found, thread, lambda e: math.floor(weight(e) * of(e) + 0.5))
            equal(first_frames(collapsed(lab, path, f"--type={column}", *by_thread)), wanted, f"{column} by thread")
        seen.update({kind: len(found) for kind, found in events.items()})
        whole = convert(lab, file, "--format=text", "--output=-")[1]
        check(not any(name in whole for name in KINDS.values()), f"left out: {whole}")
    check(all(seen[kind] for kind in KINDS), f"events that were compared: {seen}")
