"""Forged recordings: as much of the JFR format as is needed to say what no JVM would."""
import struct
import time

STRING, CLASS, THREAD, STATE, STACK, FRAME, FRAME_TYPE, METHOD, SYMBOL = 20, 21, 22, 25, 26, 27, 24, 28, 32
SAMPLE, SETTING = 101, 110


def varint(n):
    out = bytearray()
    for _ in range(8):
        if n < 0x80:
            out.append(n)
            return bytes(out)
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n & 0xFF)
    return bytes(out)


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return b"\x03" + varint(len(data)) + data


def sized(body):
    """With its own size in front, which counts itself; always in four bytes."""
    n = len(body) + 4
    return bytes([n & 0x7F | 0x80, n >> 7 & 0x7F | 0x80, n >> 14 & 0x7F | 0x80, n >> 21]) + body


class Metadata:
    """Builds the event that describes all types."""

    def __init__(self):
        self.strings, self.classes = {}, []

    def number(self, string):
        return varint(self.strings.setdefault(string, len(self.strings)))

    def element(self, name, attributes, children):
        out = self.number(name) + varint(len(attributes))
        for key, value in attributes:
            out += self.number(key) + self.number(value)
        return out + varint(len(children)) + b"".join(children)

    def add(self, ident, name, *fields):
        """A field is (name, type) or (name, type, "pool") or (name, type, "array")."""
        children = []
        for field, kind, *how in fields:
            attributes = [("name", field), ("class", str(kind))]
            if "pool" in how:
                attributes.append(("constantPool", "true"))
            if "array" in how:
                attributes.append(("dimension", "1"))
            children.append(self.element("field", attributes, []))
        self.classes.append(self.element("class", [("id", str(ident)), ("name", name)], children))

    def event(self):
        root = self.element("root", [], [self.element("metadata", [], self.classes), self.element("region", [], [])])
        table = b"".join(text(s) for s in self.strings)
        return sized(varint(0) + varint(0) + varint(0) + varint(1) + varint(len(self.strings)) + table + root)


def usual_types():
    m = Metadata()
    for ident, name in ((1, "boolean"), (5, "byte"), (7, "int"), (11, "long"), (STRING, "java.lang.String")):
        m.add(ident, name)
    m.add(CLASS, "java.lang.Class", ("name", SYMBOL, "pool"))
    m.add(THREAD, "java.lang.Thread", ("osName", STRING), ("javaName", STRING))
    m.add(FRAME_TYPE, "jdk.types.FrameType", ("description", STRING))
    m.add(STATE, "jdk.types.ThreadState", ("name", STRING))
    m.add(STACK, "jdk.types.StackTrace", ("truncated", 1), ("frames", FRAME, "array"))
    m.add(FRAME, "jdk.types.StackFrame", ("method", METHOD, "pool"), ("lineNumber", 7), ("bytecodeIndex", 7),
          ("type", FRAME_TYPE, "pool"))
    m.add(METHOD, "jdk.types.Method", ("type", CLASS, "pool"), ("name", SYMBOL, "pool"), ("descriptor", SYMBOL, "pool"))
    m.add(SYMBOL, "jdk.types.Symbol", ("string", STRING))
    m.add(SAMPLE, "jdk.ExecutionSample", ("startTime", 11), ("sampledThread", THREAD, "pool"),
          ("stackTrace", STACK, "pool"), ("state", STATE, "pool"), ("spanId", 11))
    m.add(SETTING, "jdk.ActiveSetting", ("startTime", 11), ("id", 11), ("name", STRING), ("value", STRING))
    return m


def chunk(events, pools, start=None, duration=10**9):
    """`pools` is [(type, [(id, bytes)])]; times in nanoseconds, the tick is one."""
    tables = b"".join(varint(t) + varint(len(rows)) + b"".join(varint(i) + data for i, data in rows)
                      for t, rows in pools)
    checkpoint = sized(varint(1) + varint(0) + varint(0) + varint(0) + b"\x01" + varint(len(pools)) + tables)
    meta = usual_types().event()
    pool_at = 68 + len(events)
    meta_at = pool_at + len(checkpoint)
    start = time.time_ns() - duration if start is None else start
    head = b"FLR\0" + struct.pack(">HHQQQQQQQ", 2, 0, meta_at + len(meta), pool_at, meta_at, start, duration, 0, 10**9)
    return head + bytes([0, 0, 0, 1]) + events + checkpoint + meta


def sample(stack, span=0, at=0):
    return sized(varint(SAMPLE) + varint(at) + varint(0) + varint(stack) + varint(1) + varint(span))


def setting(name, value):
    return sized(varint(SETTING) + varint(0) + varint(1) + text(name) + text(value))


RUNNABLE = (STATE, [(1, text("STATE_RUNNABLE"))])


def frame(method, line=0):
    return varint(method) + varint(line) + varint(0) + varint(0)


def named(cls, method, samples=50, settings=(), **kw):
    """A chunk with one stack of one frame."""
    pools = [RUNNABLE, (SYMBOL, [(1, text(cls)), (2, text(method))]), (CLASS, [(1, varint(1))]),
             (METHOD, [(1, varint(1) + varint(2) + varint(0))]), (STACK, [(1, varint(0) + varint(1) + frame(1, 5))])]
    events = b"".join(setting(k, v) for k, v in settings) + sample(1) * samples
    return chunk(events, pools, **kw)


def methods(names, per_stack=1000, cls=b"C", **kw):
    """One method of one class for each name, in stacks of `per_stack` frames, each with one sample."""
    names = list(names)
    stacks = []
    for at in range(0, len(names), per_stack):
        ids = range(at + 1, min(len(names), at + per_stack) + 1)
        stacks.append((len(stacks) + 1, varint(0) + varint(len(ids)) + b"".join(frame(i) for i in ids)))
    pools = [RUNNABLE, (SYMBOL, [(1, text(cls))] + [(i + 2, text(n)) for i, n in enumerate(names)]),
             (CLASS, [(1, varint(1))]),
             (METHOD, [(i + 1, varint(1) + varint(i + 2) + varint(0)) for i in range(len(names))]), (STACK, stacks)]
    return chunk(b"".join(sample(s) for s, _ in stacks), pools, **kw)


def classes(names, per_stack=1000, **kw):
    """The same with one class for each name, of one method each."""
    names = list(names)
    stacks = []
    for at in range(0, len(names), per_stack):
        ids = range(at + 1, min(len(names), at + per_stack) + 1)
        stacks.append((len(stacks) + 1, varint(0) + varint(len(ids)) + b"".join(frame(i) for i in ids)))
    count = range(1, len(names) + 1)
    pools = [RUNNABLE, (SYMBOL, [(1, text("m"))] + [(i + 1, text(n)) for i, n in zip(count, names)]),
             (CLASS, [(i, varint(i + 1)) for i in count]),
             (METHOD, [(i, varint(i) + varint(1) + varint(0)) for i in count]), (STACK, stacks)]
    return chunk(b"".join(sample(s) for s, _ in stacks), pools, **kw)


def distinct(stacks, spans, **kw):
    """`stacks` times `spans` samples, no two alike: few bytes each, and nothing that could be merged."""
    first = 128  # numbers of two bytes, all of one length
    pools = [RUNNABLE, (SYMBOL, [(1, text("C")), (2, text("m"))]), (CLASS, [(1, varint(1))]),
             (METHOD, [(1, varint(1) + varint(2) + varint(0))]),
             (STACK, [(first + i, varint(0) + varint(1) + frame(1, first + i)) for i in range(stacks)])]
    labels = [varint(first + i) for i in range(spans)]
    events = []
    for i in range(stacks):
        head = bytes([9, SAMPLE, 0, 0]) + varint(first + i) + b"\x01"
        events.append(b"".join(head + label for label in labels))
    return chunk(b"".join(events), pools, **kw)
