"""Small recordings made to order: one stack app/A.main;app/A.leaf, and the events and settings that a test asks for."""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "adversary"))
from jfr import Metadata, sized, text, varint  # noqa: E402

# A type a line: its id, its name, its fields as name:type, with '*' for a constant pool and "[]" for an array.
COMMON = """
4 boolean
7 int
10 float
11 long
20 java.lang.String
21 java.lang.Class name:31*
22 java.lang.Thread osName:20 javaName:20
24 jdk.types.FrameType description:20
25 jdk.types.ThreadState name:20
26 jdk.types.StackTrace truncated:4 frames:27[]
27 jdk.types.StackFrame method:28* lineNumber:7 bytecodeIndex:7 type:24*
28 jdk.types.Method type:21* name:31* descriptor:31*
31 jdk.types.Symbol string:20
101 jdk.ExecutionSample startTime:11 sampledThread:22* stackTrace:26* state:25*
102 jdk.ObjectAllocationInNewTLAB startTime:11 eventThread:22* stackTrace:26* objectClass:21* allocationSize:11 \
tlabSize:11
104 jdk.JavaMonitorEnter startTime:11 duration:11 eventThread:22* stackTrace:26* monitorClass:21*
105 jdk.ThreadPark startTime:11 duration:11 eventThread:22* stackTrace:26* parkedClass:21*
108 jdk.ActiveSetting startTime:11 id:11 name:20 value:20
""".strip()
PROFILER = """
119 profiler.WallClockSample startTime:11 sampledThread:22* stackTrace:26* state:25* samples:7
120 datadog.ExceptionSample startTime:11 eventThread:22* stackTrace:26* sampled:4 spanId:11
121 datadog.Endpoint startTime:11 endpoint:20
""".strip()
JDK = """
150 jdk.GarbageCollection startTime:11
151 jdk.CPUTimeSample startTime:11 stackTrace:26* eventThread:22* failed:4 samplingPeriod:11 biased:4
152 jdk.NativeMethodSample startTime:11 sampledThread:22* stackTrace:26* state:25*
153 jdk.CPUTimeSamplesLost startTime:11 lostSamples:7 eventThread:22*
""".strip()

EXECUTION, TLAB, LOCK, PARK, SETTING, WALL = 101, 102, 104, 105, 108, 119
EXCEPTION, CPU_TIME, NATIVE_METHOD, LOST = 120, 151, 152, 153
STACK, EMPTY_STACK, NO_STACK = 1, 2, 0
DEFAULT, RUNNABLE, SLEEPING = 1, 2, 3
THREAD = 1
NOON = 1_700_000_000 * 10**9  # 2023-11-14 22:13:20 UTC


def metadata(types):
    m = Metadata()
    for line in types.splitlines():
        ident, name, *fields = line.split()
        described = []
        for field in fields:
            called, _, kind = field.partition(":")
            how = ["array"] if kind.endswith("[]") else ["pool"] if kind.endswith("*") else []
            described.append((called, kind.rstrip("*[]"), *how))
        m.add(ident, name, *described)
    return m.event()


class Recording:
    """One chunk. `jdk`: of the JDK's recorder, else of a profiler in the JVM."""

    def __init__(self, jdk=False, start=NOON, seconds=10, thread="main", version=(2, 0), leaf="leaf"):
        self.types, self.start, self.seconds = COMMON + "\n" + (JDK if jdk else PROFILER), start, seconds
        self.thread, self.version, self.leaf, self.events = thread, version, leaf, b""

    def event(self, kind, *fields, times=1, at=0):
        body = b"".join(f if isinstance(f, bytes) else varint(f) for f in fields)
        self.events += sized(varint(kind) + varint(at) + body) * times
        return self

    def setting(self, name, value, of=EXECUTION):
        return self.event(SETTING, of, text(name), b"\0" if value is None else text(value))

    def execution(self, times=1, stack=STACK, state=DEFAULT, at=0):
        return self.event(EXECUTION, THREAD, stack, state, times=times, at=at)

    def lock(self, ticks):
        return self.event(LOCK, ticks, THREAD, STACK, 1)

    def park(self, ticks):
        return self.event(PARK, ticks, THREAD, STACK, 1)

    def tlab(self, size, stack=STACK):
        return self.event(TLAB, THREAD, stack, 1, 16, size)

    def pools(self):
        frames = [varint(m) + varint(7) + varint(3) + varint(0) for m in (2, 1)]
        return [(25, [(DEFAULT, text("STATE_DEFAULT")), (RUNNABLE, text("STATE_RUNNABLE")),
                      (SLEEPING, text("STATE_SLEEPING"))]),
                (22, [(THREAD, text("java") + text(self.thread))]),
                (31, [(1, text("app/A")), (2, text("main")), (3, text(self.leaf)), (4, text("()V"))]),
                (21, [(1, varint(1))]),
                (28, [(1, varint(1) + varint(2) + varint(4)), (2, varint(1) + varint(3) + varint(4))]),
                (26, [(STACK, varint(0) + varint(2) + b"".join(frames)), (EMPTY_STACK, varint(0) + varint(0))])]

    def bytes(self):
        pools = self.pools()
        tables = b"".join(varint(t) + varint(len(rows)) + b"".join(varint(i) + data for i, data in rows)
                          for t, rows in pools)
        checkpoint = sized(varint(1) + varint(0) + varint(0) + varint(0) + b"\x01" + varint(len(pools)) + tables)
        meta = metadata(self.types)
        pools_at = 68 + len(self.events)
        meta_at = pools_at + len(checkpoint)
        head = b"FLR\0" + struct.pack(">HHQQQQQQQ", *self.version, meta_at + len(meta), pools_at, meta_at, self.start,
                                      self.seconds * 10**9, 0, 10**9)
        return head + bytes([0, 0, 0, 1]) + self.events + checkpoint + meta

    def write(self, path):
        path.write_bytes(self.bytes())
        return path


def jdk(period=None, samples=10, **kw):
    """Of the JDK's recorder, with that period, or without the setting."""
    r = Recording(jdk=True, **kw)
    if period:
        r.setting("period", period)
    return r.execution(samples, state=RUNNABLE)


def profiler(event, samples=10, interval=None, wall=None, **kw):
    """Of async-profiler, with the settings it writes, in its order."""
    r = Recording(**kw).setting("event", event)
    if interval is not None:
        r.setting("interval", str(interval))
    if wall is not None:
        r.setting("wall", str(wall))
    return r.execution(samples) if samples else r
