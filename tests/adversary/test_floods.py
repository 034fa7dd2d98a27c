"""Floods: recordings and pushes that are cheap to make and dear to take in."""
import sqlite3
import time

import jfr
import push
from attack import check_live, check_memory, fake, flames, innocent, sanitized
from collide import strings
from lab import Skip, check, config, equal, test, wait_for

STORE = "http://127.0.0.1:4040"
CLASS = b"C" * 63  # with a dot, one stripe of the hash
STORE_ARGS = ["--store.listen=127.0.0.1:4040"]


def recording(lab, name, *chunks):
    path = lab.dir / f"{name}.jfr"
    path.write_bytes(b"".join(chunks))
    return path


def converting(lab, path, seconds=60):
    """(seconds, status, output) of `smolder convert`."""
    begun = time.monotonic()
    status, text = lab.call([lab.smolder, "convert", path, f"--output={lab.dir}/{path.stem}.pb.gz"], seconds=seconds)
    return time.monotonic() - begun, status, text


def as_fast(lab, bad, good):
    good, bad = recording(lab, "good", good), recording(lab, "bad", bad)
    usual, status, text = converting(lab, good)
    equal(status, 0, text)
    took, status, text = converting(lab, bad)
    check(took < 5 * usual + 0.5, f"{took:.1f} s instead of {usual:.1f} s")


def plain(names, at=0):
    """As long as those, and as much alike, but of different hashes."""
    return [n[:at] + b"%06d" % i + n[at + 6:] for i, n in enumerate(names)]


@test
def names_of_one_hash_are_converted_as_fast_as_others(lab):
    """24,000 method names that, behind their class, all have one unseeded XXH3: `convert` takes hardly longer."""
    names = [n[64:] for n in strings(24000, CLASS + b".")]
    as_fast(lab, jfr.methods(names, cls=CLASS), jfr.methods(plain(names), cls=CLASS))


@test
def classes_of_one_hash_are_converted_as_fast_as_others(lab):
    """The same with class names."""
    names = list(strings(24000))
    as_fast(lab, jfr.classes(names), jfr.classes(plain(names)))


@test(weight=2)
def recordings_of_one_hash_delay_nobody(lab):
    """Two targets that feed such recordings without end: another user's JVM has its profiles."""
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    path = recording(lab, "bad", jfr.methods([n[64:] for n in strings(30000, CLASS + b".")], cls=CLASS))
    fake(lab, count=2, records=path, pause=1500, again=1)
    jvm = innocent(lab)
    flames(receiver, jvm, 15)
    receiver.wait(5, type="process_cpu", pid=str(jvm.inner), seconds=12)
    check_live(agent, 2)


@test
def a_push_of_one_hash_costs_little(lab):
    """24,000 strings of one hash in a pushed profile: the store takes it, or refuses it, as fast as others; so does the
    query."""
    lab.agent(*STORE_ARGS, config=config())
    names = list(strings(24000, b"", (0, 1, 2, 3, 4)))
    took = {}
    for which, table in (("good", plain(names)), ("bad", names)):
        body = push.request([push.functions(table)], which)
        begun = time.monotonic()
        status, text = lab.machine.http("POST", STORE + push.PATH, body, push.HEADERS, timeout=30)
        took[which] = time.monotonic() - begun
        check(status == 200 or which == "bad" and 400 <= status < 500, f"{which}: {status} {text[:200]}")
    check(took["bad"] < 5 * took["good"] + 0.5, f"pushes: {took}")
    query = "/api/flamegraph?service=bad&type=process_cpu:cpu:nanoseconds:cpu:nanoseconds"
    begun = time.monotonic()
    lab.machine.http("GET", STORE + query, timeout=30)
    check(time.monotonic() - begun < 5 * took["good"] + 1, f"the query took {time.monotonic() - begun:.1f} s")


@test
def unused_strings_of_one_hash_cost_little(lab):
    """The same for a table of strings that nothing refers to."""
    lab.agent(*STORE_ARGS, config=config())
    body = push.request([push.profile(strings(24000, b"", (0, 1, 2, 3, 4)))])
    begun = time.monotonic()
    lab.machine.http("POST", STORE + push.PATH, body, push.HEADERS, timeout=30)
    check(time.monotonic() - begun < 2, f"the push took {time.monotonic() - begun:.1f} s")


@test
def labels_of_one_hash_cost_little(lab):
    """A push whose label values collide, as many as a request may hold."""
    lab.agent(*STORE_ARGS, config=config())
    small = push.profile()
    body = b"".join(push.request([small], "flood", pod=n.decode()) for n in strings(400, b"", (0, 1, 2, 3, 4)))
    begun = time.monotonic()
    lab.machine.http("POST", STORE + push.PATH, body, push.HEADERS, timeout=30)
    check(time.monotonic() - begun < 4, f"the push took {time.monotonic() - begun:.1f} s")


def large_ones(lab):
    """63 MB, which is more than what a chunk should have, and 15 MB, which is not."""
    return ",".join(str(recording(lab, f"large{n}", jfr.distinct(1900, n))) for n in (3700, 900))


@test(weight=2)
def a_chunk_of_distinct_stacks_takes_bounded_memory(lab):
    """Chunks of 63 and of 15 MB in which no two samples are alike: the agent lives within bounds, another JVM is
    profiled."""
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    fake(lab, count=2, records=large_ones(lab), pause=500, again=1)
    jvm = innocent(lab)
    flames(receiver, jvm, 15)
    receiver.wait(8, type="process_cpu", pid=str(jvm.inner), seconds=20)
    check(agent.alive(), "the agent ended")
    check_memory(agent, 260)
    check_live(agent, 1)


@test(weight=2)
def many_chunks_of_distinct_stacks_take_bounded_memory(lab):
    """Chunks of 12 MB, one after the other, all of other stacks, in one long interval: nothing adds up."""
    agent = lab.agent(config=config('interval = "60s"'))
    paths = []
    for i in range(8):
        paths.append(recording(lab, f"distinct{i}", jfr.distinct(1500, 900)))
    fake(lab, count=2, records=",".join(map(str, paths)), pause=300)
    end = time.monotonic() + 12
    while time.monotonic() < end:
        check(agent.alive(), "the agent ended")
        check_memory(agent, 260)
        time.sleep(0.2)
    check_live(agent, 0.5)


@test(weight=2)
def an_agent_without_memory_lives(lab):
    """An address space that such a recording would fill: conversions fail with a reason, the agent stays."""
    if sanitized(lab.smolder):
        raise Skip("AddressSanitizer needs more address space than that")
    receiver = lab.receiver()
    agent = lab.start_agent(config=config(), wrapper=["prlimit", "--as=420000000"]).locate()
    agent.wait_log("smolder is running")
    fake(lab, count=2, records=large_ones(lab), pause=1000, again=1)
    jvm = innocent(lab)
    flames(receiver, jvm, 20)
    time.sleep(4)  # more such chunks
    check(agent.alive(), "the agent ended")
    check_live(agent, 1, 1)
    agent.stop()


def exploding(lab, make, limit):
    """So many chunks of one process must not become more series than the limit."""
    agent = lab.agent(*STORE_ARGS, config=config())
    target = fake(lab, records=recording(lab, "many", *[make(i) for i in range(300)]))
    wait_for("recording", lambda: target.said("file"), 20)
    wait_for("a look at the recording", lambda: sum(v for k, v in agent.metrics().items() if "chunks_total" in k) > 10,
             20, 0.2)
    time.sleep(4)  # until what was read has been pushed
    series = series_count(lab)
    check(series <= limit, f"{series} series from one process")
    check_live(agent, 0.5)


def series_count(lab):
    """Series that reached the database, with the agent running on."""
    path = next((lab.dir / "data").rglob("*.db"))
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute("select count(*) from series").fetchone()[0]


@test
def events_named_by_the_target_do_not_multiply_series(lab):
    """300 chunks, each with an `event` of another name: a handful of series."""
    exploding(lab, lambda i: jfr.named("C", "m", settings=[("event", f"event{i}"), ("interval", "10000000")]), 24)


@test
def times_in_headers_do_not_multiply_intervals(lab):
    """300 chunks whose headers claim times years apart: not a profile for each, but what the wall clock and a backlog
    of one roll-over allow."""
    receiver = lab.receiver()
    agent = lab.agent(config=config('interval = "1s"\nroll_over = "10s"'))
    chunks = [jfr.named("C", "m", start=(10**9 + i * 86400 * 30) * 10**9, duration=10**9 if i % 2 else 10**17)
              for i in range(300)]
    target = fake(lab, records=recording(lab, "times", *chunks))
    wait_for("recording", lambda: target.said("file"), 20)
    time.sleep(5)  # as many intervals as this takes
    got = receiver.profiles(pid=str(target.inner))
    check(len(got) <= 40, f"{len(got)} profiles in five intervals of one process")
    check_live(agent, 0.5)


@test
def times_in_headers_are_no_times_of_profiles(lab):
    """Chunks of the years 2001 and 2200, and of times that are none: no profile is dated like that."""
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    claims = [10**18, 7258118400 * 10**9, 2**63 - 1, 0, 2**64 - 10]
    target = fake(lab, records=recording(lab, "times", *[jfr.named("C", "m", start=t) for t in claims]))
    wait_for("recording", lambda: target.said("file"), 20)
    time.sleep(4)  # as many intervals as this takes
    now = time.time_ns()
    odd = [p["time_nanos"] for p in receiver.profiles(pid=str(target.inner))
           if abs(p["time_nanos"] - now) > 3600 * 10**9]
    equal(odd, [], "times of profiles")
    check_live(agent, 0.3)


@test
def an_event_of_two_hundred_bytes_is_no_label(lab):
    """A jfr `event` with newlines, quotes and 200 bytes reaches no label as it is."""
    receiver = lab.receiver()
    lab.agent(config=config())
    evil = 'cpu"\n} evil{x="\x1b]0;\x07' + "z" * 200
    target = fake(lab, records=recording(lab, "label",
                                         jfr.named("C", "m", settings=[("event", evil), ("interval", "10000000")]) * 2))
    wait_for("recording", lambda: target.said("file"), 20)
    time.sleep(3)  # two intervals
    for p in receiver.profiles(pid=str(target.inner)):
        for name, value in p["labels"].items():
            check(len(value) <= 100 and value.isprintable(), f"label {name}: {value!r}")


@test
def a_huge_interval_is_no_number_out_of_range(lab):
    """interval settings that fit no 64 bits are converted without a report of a sanitizer, and without an end of the
    program."""
    settings = ["9" * 30, "-1", "1e300", "9223372036854775807", str(2**63), "0", ""]
    paths = [recording(lab, f"i{i}", jfr.named("C", "m", settings=[("event", "itimer"), ("interval", v)]))
             for i, v in enumerate(settings)]
    for path in paths:
        _, status, text = converting(lab, path)
        check(status in (0, 1), f"{path.name}: {status} {text}")
        check("runtime error" not in text, text)
