"""smolder convert where recordings, profiles and names meet that were not made for each other."""
import bz2
import glob
import gzip
import io
import json
import lzma
import pathlib
import re
import shutil
import struct
import subprocess
import zipfile

from forged import (CPU_TIME, DEFAULT, EMPTY_STACK, EXCEPTION, LOST, NO_STACK, NOON, RUNNABLE, SLEEPING, STACK, THREAD,
                    WALL, Recording, jdk, profiler)
from jfr import varint
from lab import check, equal, test
from test_convert import collapsed, convert

SECOND = 10**9


def documents(lab, *args):
    """{(profile, sample type): metadata, sum} of a conversion to JSON."""
    out, _ = convert(lab, *args, "--format=json", "--output=-")
    return {(d["metadata"]["profile"], d["metadata"]["sampleType"]): (d["metadata"], d["flamebearer"]["numTicks"])
            for d in json.loads(out)["profiles"]}


def totals(lab, *args):
    return {kind: total for kind, (_, total) in documents(lab, *args).items()}


def times(lab, *args):
    return {kind[0]: (meta["timeNanos"], meta["durationNanos"]) for kind, (meta, _) in documents(lab, *args).items()}


@test
def convert_shows_stacks_without_frames_as_unknown(lab):
    r = profiler("cpu", 5, 10**7).execution(2, stack=NO_STACK).execution(3, stack=EMPTY_STACK)
    path = r.write(lab.dir / "a.jfr")
    equal(collapsed(lab, path), {"app/A.main;app/A.leaf": 50000000, "[unknown]": 50000000}, "stacks")
    path = Recording(jdk=True).tlab(1000, stack=EMPTY_STACK).write(lab.dir / "jdk.jfr")
    equal(collapsed(lab, path), {"[unknown]": 1}, "allocations")


@test
def convert_keeps_a_name_in_one_frame(lab):
    path = profiler("cpu", 2, 10**7, thread="worker;q=1\nx").write(lab.dir / "a.jfr")
    out, _ = convert(lab, path, "--group-by=thread", "--raw-threads", "--format=collapsed", "--output=-")
    equal(out.decode(), "[worker\\x3bq=1\\x0ax];app/A.main;app/A.leaf 20000000\n", "one line, three frames")
    check(b"\\x" not in convert(lab, path, "--format=collapsed", "--output=-")[0], "plain names are as they are")


# ---- what recordings say of themselves ----

@test
def convert_takes_settings_from_their_own_recording_only(lab):
    said, unsaid = jdk("1 ms").write(lab.dir / "said.jfr"), jdk().write(lab.dir / "unsaid.jfr")
    for order in ([said, unsaid], [unsaid, said]):
        equal(totals(lab, *order), {("process_cpu", "cpu"): 110 * 10**6}, f"JDK: {order}")
    both = lab.dir / "both.jfr"
    for order in ([said, unsaid], [unsaid, said]):
        both.write_bytes(b"".join(p.read_bytes() for p in order))
        equal(totals(lab, both), {("process_cpu", "cpu"): 110 * 10**6}, f"one file: {order}")
    said = profiler("wall", 10, interval=10**6, wall=2 * 10**6).write(lab.dir / "wall.jfr")
    unsaid = Recording().execution(10).write(lab.dir / "nothing.jfr")
    wanted = {("process_cpu", "cpu"): 120 * 10**6, ("wall", "wall"): 20 * 10**6}
    for order in ([said, unsaid], [unsaid, said]):
        equal(totals(lab, *order), wanted, f"async-profiler: {order}")
    counter = profiler("cycles", 3, interval=500).write(lab.dir / "cycles.jfr")
    wanted = {("event", "samples"): 3, ("event", "events"): 1500, ("process_cpu", "cpu"): 100 * 10**6}
    for order in ([counter, unsaid], [unsaid, counter]):
        equal(totals(lab, *order), wanted, f"a counter: {order}")


@test
def convert_finds_cpu_time_in_wall_clock_samples_alone(lab):
    batched = profiler(None, 0, wall=20 * 10**6)
    for state, samples in ((RUNNABLE, 2), (RUNNABLE, 3), (SLEEPING, 7)):
        batched.event(WALL, THREAD, STACK, state, samples)
    single = profiler(None, 0, wall=20 * 10**6).execution(5, state=RUNNABLE).execution(7, state=SLEEPING)
    for name, r in (("batched", batched), ("single", single)):
        equal(totals(lab, r.write(lab.dir / f"{name}.jfr")),
              {("process_cpu", "cpu"): 100 * 10**6, ("wall", "wall"): 240 * 10**6}, name)


@test
def convert_knows_the_intervals_that_recorders_leave_out(lab):
    for event, count in (("r01c2", 1000), ("cpu/event=0xc2,umask=1/", 1000), ("LLC-load-misses", 1000),
                         ("context-switches", 2), ("page-faults", 1), ("sched:sched_switch", 1)):
        path = profiler(event, 5, interval=0).write(lab.dir / "counter.jfr")
        equal(totals(lab, path), {("event", "samples"): 5, ("event", "events"): 5 * count}, event)
    for period, ms in (("1 ns", 1), ("999 us", 1), ("20 ms", 20)):
        path = jdk(period).write(lab.dir / "jdk.jfr")
        equal(totals(lab, path), {("process_cpu", "cpu"): 10 * ms * 10**6}, period)


@test
def convert_puts_recordings_in_their_time(lab):
    early = profiler("cpu", 5, 10**7).write(lab.dir / "early.jfr")
    late = profiler("cpu", 5, 10**7, start=NOON + 3600 * SECOND).lock(7).write(lab.dir / "late.jfr")
    wanted = {"mutex": (NOON + 3600 * SECOND, 10 * SECOND), "process_cpu": (NOON, 3610 * SECOND)}
    profiles = []
    for path in (early, late):
        folder = lab.dir / path.stem
        convert(lab, path, f"--output={folder}")
        profiles.append(sorted(folder.iterdir()))
    early_profiles, late_profiles = profiles
    for name, order in (("recordings", [early, late]), ("turned", [late, early]), ("profiles", sum(profiles, [])),
                        ("profiles turned", [*late_profiles, *early_profiles]), ("both", [late, *early_profiles]),
                        ("both turned", [*early_profiles, late])):
        equal(times(lab, *order), wanted, name)
    text = convert(lab, late, early, "--format=text", "--output=-")[0].decode()
    check("2023-11-14 22:13:20 UTC, 1.00 h" in text, text)


# ---- what cannot be read, or not so ----

@test
def convert_leaves_out_what_cannot_be_read_among_others(lab):
    """A JVM that still records leaves an empty or a cut file beside the others."""
    folder = lab.dir / "recordings"
    folder.mkdir()
    good = profiler("cpu", 5, 10**7).write(folder / "a.jfr")
    wanted = {"app/A.main;app/A.leaf": 5 * 10**7}
    bad = folder / "b.jfr"
    cases = {"empty": b"", "cut": good.read_bytes()[:900], "header": good.read_bytes()[:40],
             "text": b"no recording" * 9, "cut gzip": gzip.compress(good.read_bytes())[:30],
             "version": b"FLR\0\0\0\0\x09" + bytes(80)}
    for what, data in cases.items():
        bad.write_bytes(data)
        for args in ([folder], [f"{folder}/*.jfr"], [good, bad], [bad, good]):
            out, err = convert(lab, *args, "--format=collapsed", "--output=-")
            equal(out.decode(), "app/A.main;app/A.leaf 50000000\n", f"{what} {args}")
            check("b.jfr" in err and err.count("\n") <= 2, f"{what}: named on {args}: {err}")
            _, err = convert(lab, *args, "--strict", f"--output={lab.dir / 'out'}", status=1)
            check("--strict" in err and not (lab.dir / "out").exists(), f"{what}: --strict")
        equal(convert(lab, folder, "--quiet", "--format=collapsed", "--output=-")[1], "", f"{what}: --quiet")
        _, err = convert(lab, bad, f"--output={lab.dir / 'out'}", status=1)
        check("b.jfr" in err and not (lab.dir / "out").exists(), f"{what}: nothing else is there")
        shutil.copy(bad, folder / "a.jfr")
        convert(lab, folder, f"--output={lab.dir / 'out'}", status=1)
        check(not (lab.dir / "out").exists(), f"{what}: all of them")
        profiler("cpu", 5, 10**7).write(good)
    bad.unlink()
    (folder / "c.jfr").symlink_to("nowhere")
    (folder / "d.jfr").mkdir()
    out, err = convert(lab, folder, "--format=collapsed", "--output=-")
    equal(out.decode(), "app/A.main;app/A.leaf 50000000\n", "links and directories")
    check("c.jfr" in err and "d.jfr" in err, err)
    convert(lab, good, folder / "c.jfr", "--format=collapsed", "--output=-", status=1)
    equal(collapsed(lab, good), wanted, "what is good")


@test
def convert_compares_what_both_sides_have(lab):
    new = profiler("cpu", 5, 10**7).park(7).write(lab.dir / "new.jfr")
    cut, old = lab.dir / "cut.jfr", lab.dir / "old.jfr"
    cut.write_bytes(new.read_bytes()[:900])
    old.write_bytes(new.read_bytes()[:4] + b"\0\0\0\x09" + new.read_bytes()[8:])
    nothing = profiler("cpu", 0).write(lab.dir / "nothing.jfr")
    locks = profiler(None, 0).lock(7).write(lab.dir / "locks.jfr")
    for base, why in ((cut, "unreadable"), (old, "0.9"), (nothing, "no samples"), (locks, "in common")):
        for output in ("x.html", "x.collapsed", "x.txt", "x.json", "x"):
            _, err = convert(lab, new, f"--diff-base={base}", f"--output={lab.dir / output}", status=1)
            check(why in err and not (lab.dir / output).exists(), f"{base.name}, {output}: {err}")
    base = profiler("cpu", 3, 10**7).lock(7).write(lab.dir / "base.jfr")
    out, err = convert(lab, new, f"--diff-base={base}", "--format=json", "--output=-")
    check("base.jfr has no block" in err and "new.jfr has no mutex" in err, err)
    equal([d["metadata"]["profile"] for d in json.loads(out)["profiles"]],
          ["block", "block", "mutex", "mutex", "process_cpu"], "profiles of both sides")
    out, err = convert(lab, new, f"--diff-base={base}", "--type=process_cpu", "--format=collapsed", "--output=-")
    equal((out.decode(), err), ("app/A.main;app/A.leaf 30000000 50000000\n", ""), "a profile that both have")
    convert(lab, new, f"--diff-base={base}", "--type=block", "--format=collapsed", "--output=-", status=1)
    equal(convert(lab, new, f"--diff-base={base}", "--quiet", "--format=json", "--output=-")[1], "", "--quiet")


@test
def convert_names_every_value_of_every_profile(lab):
    path = profiler("cpu", 5, 10**7).park(300).lock(5000).lock(7000).write(lab.dir / "a.jfr")
    stack = "app/A.main;app/A.leaf"
    for kind, value in (("mutex:delay", 12000), ("mutex:contentions", 2), ("mutex", 2), ("block:delay", 300),
                        ("block:contentions", 1), ("block:delay/nanoseconds", 300), ("process_cpu:cpu", 5 * 10**7),
                        ("process_cpu", 5 * 10**7), ("cpu", 5 * 10**7), ("cpu/nanoseconds", 5 * 10**7)):
        out, err = convert(lab, path, f"--type={kind}", "--format=collapsed", "--output=-")
        equal((out.decode(), err), (f"{stack} {value}\n", ""), kind)
    out, err = convert(lab, path, "--type=delay", "--format=collapsed", "--output=-")
    equal(out.decode(), f"{stack} 300\n", "the first of two")
    check("writing block (delay)" in err and "NAME:SAMPLE_TYPE" in err, err)
    for kind in ("mutex:cpu", "wall:delay", "mutex:", ":delay", "mutex:delay/bytes"):
        _, err = convert(lab, path, f"--type={kind}", "--format=collapsed", "--output=-", status=1)
        check("mutex (contentions, delay)" in err, f"{kind}: {err}")
    convert(lab, path, "--type=mutex:delay", f"--output={lab.dir / 'm.pb.gz'}")
    equal(totals(lab, lab.dir / "m.pb.gz"), {("mutex", "contentions"): 2, ("mutex", "delay"): 12000}, "pprof")
    equal(totals(lab, path, "--type=mutex:delay"), {("mutex", "delay"): 12000}, "JSON")


@test
def convert_takes_a_part_of_the_time_of_recordings_only(lab):
    path = profiler("cpu", 5, 10**7).write(lab.dir / "a.jfr")
    convert(lab, path, "--type=process_cpu", f"--output={lab.dir / 'a.pb.gz'}")
    for args in (["a.pb.gz"], ["a.jfr", "a.pb.gz"], ["a.jfr", "--diff-base=a.pb.gz"]):
        for limit in ("--from=2020-01-01T00:00:00Z", "--to=2030-01-01T00:00:00Z"):
            _, err = convert(lab, *args, limit, f"--output={lab.dir / 'x.html'}", status=2)
            check("a.pb.gz" in err and "--from" in err and not (lab.dir / "x.html").exists(), f"{args}: {err}")


@test
def convert_names_formats_it_does_not_read(lab):
    """In one line, and not as damage."""
    good = profiler("cpu", 5, 10**7).bytes()
    cases = {"in.jfr": (good[:4] + b"\0\0\0\x09" + good[8:], "version 0.9"),
             "in.lz4": (b"LZ4Block" + good, "LZ4"), "in.bz2": (bz2.compress(good), "bzip2"),
             "in.prof": (struct.pack("<5Q", 0, 3, 0, 10000, 0) + bytes(4000), "CPU profile of gperftools"),
             "in.heap": (b"heap profile:  1: 2 [ 3: 4] @ heapprofile\n", "heap profile of gperftools")}
    for name, (data, why) in cases.items():
        (lab.dir / name).write_bytes(data)
        for source, stdin in ((lab.dir / name, b""), ("-", data), ("-", gzip.compress(data))):
            _, err = convert(lab, source, f"--output={lab.dir / 'x'}", stdin=stdin, status=1)
            check(why in err and err.count("\n") == 1 and "damaged" not in err, f"{name}: {err}")
        check(not (lab.dir / "x").exists(), f"{name}: nothing is written")


def packed(data):
    """{ending: the data, packed by the format's own program or by Python}, without what is not installed."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("in.jfr", data)
    found = {".xz": lzma.compress(data), ".zip": archive.getvalue()}
    for ending, program in ((".zst", "zstd"), (".lz4", "lz4")):
        if shutil.which(program):
            found[ending] = subprocess.run([program, "-c"], input=data, capture_output=True, check=True).stdout
    return found


@test
def convert_unpacks_what_recordings_are_packed_with(lab):
    good = profiler("cpu", 5, 10**7).bytes() * 50
    want = {"app/A.main;app/A.leaf": 50 * 5 * 10**7}
    for ending, data in packed(good).items():
        path = lab.dir / f"in.jfr{ending}"
        path.write_bytes(data)
        equal(collapsed(lab, path), want, path.name)
        equal(collapsed(lab, "-", stdin=data), want, f"{ending} from a pipe")
        _, err = convert(lab, "-", "--output=x.txt", stdin=gzip.compress(data), status=1)
        check("unpack it first" in err and err.count("\n") == 1, f"{ending} within gzip: {err}")
        path.write_bytes(data[:-len(data) // 2])
        _, err = convert(lab, path, "--strict", "--output=x.txt", status=1)
        check("truncated" in err, f"{ending} cut: {err}")
        path.write_bytes(packed(bytes(3 << 20))[ending])
        _, err = convert(lab, path, "--max-inflated=1", "--output=x.txt", status=1)
        check("inflates to more than 1 MiB" in err, f"a bomb of {ending}: {err}")
        path.write_bytes(data)
    equal(collapsed(lab, lab.dir), {s: v * len(packed(good)) for s, v in want.items()}, "a directory of all of them")


@test
def convert_names_the_library_that_is_missing(lab):
    (lab.dir / "in.jfr.xz").write_bytes(lzma.compress(profiler("cpu", 5, 10**7).bytes()))
    places = ("/lib*", "/usr/lib*", "/lib/*-linux-*", "/usr/lib/*-linux-*")
    found = sorted({str(pathlib.Path(p).resolve()) for d in places for p in glob.glob(f"{d}/liblzma.so.5")})
    hide = "".join(f"mount --bind /dev/null {path} && " for path in found)
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c",
                           f"{hide}exec {lab.smolder} convert in.jfr.xz --output=x.txt"], cwd=lab.dir,
                          capture_output=True, text=True)
    equal(done.returncode, 3, f"exit status ({done.stderr})")
    check("install the package liblzma5, or unpack it (xz -dc)" in done.stderr, done.stderr)


@test
def convert_reads_recordings_of_jdk_9(lab):
    r = jdk("20 ms", version=(1, 0))
    r.types = r.types.replace(" jdk.types.", " com.oracle.jfr.types.").replace(" jdk.", " com.oracle.jdk.")
    old = r.write(lab.dir / "jdk9.jfr")
    equal(collapsed(lab, old), {"app/A.main;app/A.leaf": 200 * 10**6}, "version 1.0")
    both = lab.dir / "both.jfr"
    for data in (jdk("20 ms").bytes() + r.bytes(), r.bytes() + jdk("20 ms").bytes(), b"x" * 100 + r.bytes() * 2):
        both.write_bytes(data)
        equal(collapsed(lab, both), {"app/A.main;app/A.leaf": 400 * 10**6}, "versions in one file")
    # What says that it is of version 1 and has types of version 2 was written by nobody.
    mixed = jdk("20 ms", version=(1, 0)).write(lab.dir / "mixed.jfr")
    new = jdk("20 ms").write(lab.dir / "new.jfr")
    _, err = convert(lab, new, f"--diff-base={mixed}", f"--output={lab.dir / 'x.html'}", status=1)
    check("types of another one" in err and not (lab.dir / "x.html").exists(), err)


@test
def convert_compares_shares_of_each_side(lab):
    """A small difference of large sums must not be what everything is a share of."""
    now, before = lab.dir / "now.jfr", lab.dir / "before.jfr"
    now.write_bytes(profiler("cpu", 61, 10**7, leaf="y").bytes() + profiler("cpu", 40, 10**7, leaf="x").bytes())
    before.write_bytes(profiler("cpu", 40, 10**7, leaf="y").bytes() + profiler("cpu", 60, 10**7, leaf="x").bytes())
    text = convert(lab, now, f"--diff-base={before}", "--format=text", "--output=-")[0].decode()
    for line in ("    10.00 ms  cpu/nanoseconds (1.01 s, 1.00 s before)",
                 "   210.00 ms  +20.4    210.00 ms  +20.4  app/A.y",
                 "  -200.00 ms  -20.4   -200.00 ms  -20.4  app/A.x"):
        check(line in text.splitlines(), f"{line} in {text}")
    check("%" not in text, text)
    convert(lab, now, f"--diff-base={before}", "--type=process_cpu", f"--output={lab.dir / 'diff.pb.gz'}")
    text = convert(lab, lab.dir / "diff.pb.gz", "--format=text", "--output=-")[0].decode()
    shares = [float(s) for s in re.findall(r"([-0-9.]+)%", text)]
    check(shares and all(-100 <= s <= 100 for s in shares), text)


# ---- where profiles go ----

@test
def convert_names_files_by_the_profile_alone(lab):
    many = profiler("cpu", 5, 10**7, wall=10**7).park(7).lock(8).tlab(9).event(WALL, THREAD, STACK, SLEEPING, 1)
    one = profiler("cpu", 5, 10**7)
    for name, r, wanted in (("one", one, ["process_cpu"]),
                            ("many", many, ["block", "memory_alloc_in_new_tlab", "mutex", "process_cpu", "wall"])):
        path = r.write(lab.dir / f"{name}.jfr")
        convert(lab, path, f"--output={lab.dir / name}")
        files = sorted(p.name for p in (lab.dir / name).iterdir())
        equal(files, [f"{w}.pb.gz" for w in wanted], name)
        convert(lab, path, "--no-gzip", f"--output={lab.dir / name}-plain")
        equal(sorted(p.name for p in (lab.dir / f"{name}-plain").iterdir()), [f"{w}.pb" for w in wanted], "plain")
    convert(lab, lab.dir / "many/mutex.pb.gz", lab.dir / "many/wall.pb.gz", f"--output={lab.dir / 'again'}")
    equal(sorted(p.name for p in (lab.dir / "again").iterdir()), ["mutex.pb.gz", "wall.pb.gz"], "from profiles")


@test
def convert_leaves_no_profile_of_another_conversion(lab):
    many = profiler("cpu", 5, 10**7).park(7).lock(8).write(lab.dir / "many.jfr")
    one, out = profiler("cpu", 6, 10**7).write(lab.dir / "one.jfr"), lab.dir / "d"
    convert(lab, many, f"--output={out}")
    (out / "notes.txt").write_text("mine")
    (out / "heap.pb.gz").write_text("of another program")
    convert(lab, many, f"--output={out}")  # once more: the same files
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    for args in ([one], [one, "--no-gzip"], [many, "--type=process_cpu"], [many, "--no-gzip"]):
        _, err = convert(lab, *args, f"--output={out}", status=2)
        check("not of this conversion" in err and ".pb" in err, err)
        equal({p.name: p.read_bytes() for p in out.iterdir()}, before, f"{args}: nothing changed")
    for name in ("block", "mutex"):
        (out / f"{name}.pb.gz").unlink()
    convert(lab, one, f"--output={out}")
    equal(sorted(p.name for p in out.iterdir()), ["heap.pb.gz", "notes.txt", "process_cpu.pb.gz"], "its own")
    # As earlier releases called them.
    (out / "0_block.pb.gz").write_bytes(b"old")
    convert(lab, one, f"--output={out}", status=2)
    # An input beside the output is no output.
    (out / "0_block.pb.gz").unlink()
    (out / "process_cpu.pb.gz").rename(out / "wall_of_yesterday.pb.gz")
    convert(lab, out / "wall_of_yesterday.pb.gz", f"--output={out}")
    check((out / "process_cpu.pb.gz").exists(), "beside its input")


@test
def convert_says_what_is_missing(lab):
    other = Recording().event(EXCEPTION, THREAD, STACK, 1, 0, times=9)
    _, err = convert(lab, other.write(lab.dir / "other.jfr"), "--format=text", "--output=-", status=1)
    check("no samples that are known; 9 of datadog.ExceptionSample were left out" in err, err)
    both = profiler("cpu", 5, 10**7).event(EXCEPTION, THREAD, STACK, 1, 0, times=9).write(lab.dir / "both.jfr")
    out, err = convert(lab, both, "--format=collapsed", "--output=-")
    equal(out.decode(), "app/A.main;app/A.leaf 50000000\n", "what is known")
    check("9 of datadog.ExceptionSample were left out" in err, err)
    lossy = Recording(jdk=True).event(CPU_TIME, STACK, THREAD, 0, 10**7, 0, times=3)
    lossy.event(LOST, 40, THREAD).event(LOST, 2, THREAD).write(lab.dir / "lossy.jfr")
    out, err = convert(lab, lab.dir / "lossy.jfr", "--format=collapsed", "--output=-")
    equal(out.decode(), "app/A.main;app/A.leaf 30000000\n", "what was not lost")
    check("42 CPU-time samples were lost" in err, err)
    for path in (both, lab.dir / "lossy.jfr"):
        equal(convert(lab, path, "--quiet", "--format=collapsed", "--output=-")[1], "", "--quiet")


# ---- what was meant ----

@test
def convert_explains_what_was_meant(lab):
    path = profiler("cpu", 5, 10**7).write(lab.dir / "a.jfr")
    for args, why in (([path, "-o", "x.html"], "unknown flag -o; did you mean --output=PATH?"),
                      ([path, "--output=x.svg"], ".html (flame graphs)"),
                      ([path, "--output=x.png"], "no format has this suffix"),
                      ([path, "--output=x.jfr"], "no format has this suffix"),
                      ([path, "--output=x.txt", "--from=10"], "--from=10 is in 1970"),
                      ([path, "--output=x.txt", "--to=10"], "--to=10 is in 1970")):
        _, err = convert(lab, *args, status=2)
        check(why in err, f"{args}: {err}")
    for args, why in ((["--group-by=nosuch"], "no sample has this label; recordings may have thread"),
                      (["--group-by=nosuch", "--threads"], "no sample has this label, but thread"),
                      (["--group-by=span_name"], "no sample has this label"),
                      (["--to=2001-01-01T00:00:00Z"], "no samples in 1 chunks to 2001-01-01T00:00:00Z")):
        _, err = convert(lab, path, *args, "--output=x.txt", status=1)
        check(why in err, f"{args}: {err}")
    equal(sorted(p.name for p in lab.dir.glob("x*")), [], "nothing is written")
    shutil.copy(path, lab.dir / "-a.jfr")
    equal(collapsed(lab, "./-a.jfr"), collapsed(lab, path), "a file with such a name")
    (lab.dir / "x.svg").mkdir()
    convert(lab, path, "--output=x.svg")
    convert(lab, path, "--output=y.svg", "--format=pprof")


def foreign_profile():
    """As another program writes it: inlined lines, mappings with addresses, a default type, comments, drop_frames."""
    def number(field, value):
        return varint(field << 3) + varint(value)

    def message(field, *parts):
        data = b"".join(parts)
        return varint(field << 3 | 2) + varint(len(data)) + data

    strings = ["", "alloc_space", "bytes", "inuse_space", "app.f", "app.g", "/bin/app", "build1", "by hand", "drop.*",
               "space"]
    return b"".join([
        message(1, number(1, 1), number(2, 2)), message(1, number(1, 3), number(2, 2)),
        message(2, number(1, 1), number(1, 2), number(2, 100), number(2, 7)),
        message(3, number(1, 1), number(2, 0x1000), number(3, 0x9000), number(5, 6), number(6, 7), number(7, 1)),
        message(4, number(1, 1), number(2, 1), number(3, 0x1234), message(4, number(1, 1), number(2, 3)),
                message(4, number(1, 2), number(2, 4))),
        message(4, number(1, 2), number(2, 1), number(3, 0x2345)),
        message(5, number(1, 1), number(2, 4)), message(5, number(1, 2), number(2, 5)),
        *(varint(6 << 3 | 2) + varint(len(s)) + s.encode() for s in strings),
        number(7, 9), number(9, NOON), number(10, SECOND), message(11, number(1, 10), number(2, 2)), number(12, 524288),
        number(13, 8), number(14, 3)])


@test
def convert_keeps_what_is_in_a_profile(lab):
    """go tool pprof shows the same of what went in and what came out."""
    def raw(path):
        command = ["go", "tool", "pprof", "-symbolize=none", "-raw", str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
        check(done.returncode == 0, done.stderr)
        return done.stdout

    (lab.dir / "in.pb").write_bytes(foreign_profile())
    before = raw(lab.dir / "in.pb")
    for what in ("inuse_space/bytes[dflt]", "by hand", "build1", "0x1234 M=1 app.f :3:0 s=0", "app.g :4:0"):
        check(what in before, f"{what} in {before}")
    for args in (["--type=alloc_space"], ["--type=inuse_space", "--no-gzip"]):
        convert(lab, lab.dir / "in.pb", *args, f"--output={lab.dir / 'out.pb'}")
        equal(raw(lab.dir / "out.pb"), before, f"{args}")
    convert(lab, lab.dir / "in.pb", lab.dir / "out.pb", f"--output={lab.dir / 'd'}")
    merged = next((lab.dir / "d").iterdir())
    check("200         14: 1 2" in raw(merged) and "[dflt]" in raw(merged), raw(merged))
    equal(collapsed(lab, lab.dir / "in.pb"), {"0x2345;app.g;app.f": 100}, "frames")
