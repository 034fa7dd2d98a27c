"""smolder convert, as users run it: on recordings, in every format, and where something is wrong."""
import base64
import gzip
import json
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import time

from browser import Browser
from lab import CACHE, ROOT, TERMINAL_CONTROL, Skip, built, check, equal, said_to_terminal, test, within

CORPUS = pathlib.Path(os.environ.get("SMOLDER_JFR_CORPUS", ROOT.parent / "shared" / "corpus" / "jfr"))


def recordings():
    found = sorted(CORPUS.glob("*.jfr.gz"))
    if not found:
        raise Skip("no recordings in ../shared/corpus/jfr beside the checkout")
    return found


def recording(name):
    recordings()
    return CORPUS / f"{name}.jfr.gz"


def plain(lab, name="wall"):
    """The recording as a file of the test's own that is not compressed."""
    path = lab.dir / f"{name}.jfr"
    if not path.exists():
        path.write_bytes(gzip.decompress(recording(name).read_bytes()))
    return path


def convert(lab, *args, stdin=b"", status=0, cwd=None):
    """Standard output and standard error of a conversion that ends with `status`."""
    done = subprocess.run([str(lab.smolder), "convert", *map(str, args)], input=stdin, capture_output=True, timeout=120,
                          cwd=cwd or lab.dir, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1"})
    err = done.stderr.decode(errors="replace")
    equal(done.returncode, status, f"exit status of convert {' '.join(map(str, args))} ({err[-2000:]})")
    return done.stdout, err


def collapsed(lab, *args, **kw):
    """{stack: value} of a collapsed conversion to standard output."""
    out, _ = convert(lab, *args, "--format=collapsed", "--output=-", **kw)
    return {s: int(v) for s, _, v in (line.rpartition(" ") for line in out.decode().splitlines())}


def judge_binary():
    folder = ROOT / "tests" / "receiver"
    return built(CACHE / "judge", [*(folder / "judge").glob("*.go"), folder / "go.mod"], ["go", "build"],
                 folder / "judge")


def judge(*args):
    """What google/pprof finds in profiles."""
    done = subprocess.run([str(judge_binary()), *map(str, args)], capture_output=True, text=True)
    check(done.returncode == 0, f"judge {args}: {done.stderr}")
    return done.stdout


def profiles(folder):
    """In order; those of the reference have a number in front."""
    return sorted(folder.glob("*.pb*"), key=lambda p: (int("0" + re.match(r"\d*", p.name)[0]), p.name))


# ---- the numbers ----

@test
def convert_reproduces_the_reference(lab):
    """Every expected file of the corpus, byte for byte, through the pprof and google/pprof's parser."""
    compared = 0
    for path in recordings():
        name = path.name.removesuffix(".jfr.gz")
        out = lab.dir / name
        labels = [p for p in (CORPUS / f"{name}.labels.pb.gz", CORPUS / f"{name}.labels.gz") if p.exists()]
        convert(lab, path, f"--output={out}", "--compat=jfr-parser", *(f"--labels={p}" for p in labels))
        wanted = sorted(CORPUS.glob(f"{name}_[0-9]*_expected_collapsed.txt.gz"))
        wanted = [w for w in wanted if "truncated_frame" not in w.name]
        got = profiles(out)
        equal(len(got), len(wanted), f"profiles of {name}")
        for file, expected in zip(got, wanted):
            number, metric = re.match(r"(\d+)_(.*)_expected", expected.name[len(name) + 1:]).groups()
            check(file.name.startswith(number + "_") and metric.startswith(file.name[2:].split(".")[0]),
                  f"{file.name} for {expected.name}")
            text = gzip.decompress(expected.read_bytes()).decode()
            equal(judge("stacks", file).rstrip("\n").splitlines() == text.split("\n"), True,
                  f"{file} is {expected.name}")
            compared += 1
    check(compared >= 40, f"only {compared} compared")


@test
def convert_output_is_accepted_by_go_tool_pprof(lab):
    """Every profile with every extra is valid for google/pprof; a few go through the tool itself, which takes its
    time."""
    options = ("--threads", "--allocated-class", "--lock-class", "--frame-types", "--libraries", "--mark-truncated")
    count = 0
    for path in recordings():
        out = lab.dir / path.name
        convert(lab, path, f"--output={out}", *options)
        for file in profiles(out):
            judge("stacks", file)
            count += 1
    check(count >= 40, f"only {count} profiles")
    for file in profiles(lab.dir / "cortex-dev-01__kafka-0__cpu_lock0_alloc0__0.jfr.gz"):
        done = subprocess.run(["go", "tool", "pprof", "-raw", str(file)], capture_output=True, text=True)
        check(done.returncode == 0 and "Samples:" in done.stdout, f"{file}: {done.stderr}")


@test
def convert_merges_and_compares_as_google_pprof(lab):
    names = [f"cortex-dev-01__kafka-0__cpu_lock_alloc__{i}" for i in range(4)]
    for n in names:
        convert(lab, recording(n), f"--output={lab.dir / n}")
    convert(lab, *(recording(n) for n in names), f"--output={lab.dir / 'all'}")
    for one in ("memory_alloc_in_new_tlab.pb.gz", "process_cpu.pb.gz"):
        parts = [lab.dir / n / one for n in names]
        theirs = judge("merge", *parts)
        check(len(theirs.splitlines()) > 100, f"little in {one}")
        equal(judge("stacks", lab.dir / "all" / one) == theirs, True, f"merged recordings are merged profiles: {one}")
        kind = re.sub(r"_alloc.*|\.pb.*", "", one)
        convert(lab, *parts, f"--type={kind}", f"--output={lab.dir / 'pb'}")
        equal(judge("stacks", lab.dir / "pb") == theirs, True, f"our merge of profiles is theirs: {one}")
        convert(lab, parts[0], f"--diff-base={parts[1]}", f"--type={kind}", f"--output={lab.dir / 'diff'}")
        equal(judge("stacks", lab.dir / "diff") == judge("diff", parts[0], parts[1]), True,
              f"our difference is theirs: {one}")


@test
def convert_shows_both_sides_of_a_comparison(lab):
    after, before = recording("wall"), recording("FastSlow_2024_01_16_180855")
    out, _ = convert(lab, after, f"--diff-base={before}", "--type=process_cpu", "--format=collapsed", "--output=-")
    a, b = collapsed(lab, after, "--type=process_cpu"), collapsed(lab, before, "--type=process_cpu")
    both = {}
    for line in out.decode().splitlines():
        rest, _, now = line.rpartition(" ")
        stack, _, then = rest.rpartition(" ")
        both[stack] = (int(then), int(now))
    equal(both, {s: (b.get(s, 0), a.get(s, 0)) for s in {*a, *b}}, "sides")
    out, _ = convert(lab, after, f"--diff-base={before}", "--type=process_cpu", "--format=json", "--output=-")
    document = json.loads(out)["profiles"][0]
    equal(document["metadata"]["format"], "double", "format")
    equal((document["leftTicks"], document["rightTicks"]), (sum(b.values()), sum(a.values())), "sums of the sides")


@test
def convert_takes_a_part_of_the_time(lab):
    path = recording("wall")
    whole = collapsed(lab, path, "--type=wall")
    out, _ = convert(lab, path, "--type=wall", "--format=json", "--output=-")
    meta = json.loads(out)["profiles"][0]["metadata"]
    middle = (meta["timeNanos"] + meta["durationNanos"] // 2) / 1e9
    first, second = collapsed(lab, path, "--type=wall", f"--to={middle:.6f}"), collapsed(lab, path, "--type=wall",
                                                                                         f"--from={middle:.6f}")
    check(first and second, "both halves have samples")
    equal({s: first.get(s, 0) + second.get(s, 0) for s in whole}, whole, "the halves make the whole")
    _, err = convert(lab, path, "--to=2001-01-01T00:00:00Z", "--output=-", "--format=text", status=1)
    check("no samples" in err, err)


@test
def convert_groups_by_thread(lab):
    grouped = collapsed(lab, recording("dump2"), "--type=process_cpu", "--group-by=thread")
    check(all(s.startswith("[") for s in grouped), "a thread in front of every stack")
    check(len({s.split(";")[0] for s in grouped}) > 3, "several threads")
    whole = collapsed(lab, recording("dump2"), "--type=process_cpu")
    equal(sum(grouped.values()), sum(whole.values()), "sum")


# ---- formats ----

def stacks_of(document):
    """{stack: value} of a flamebearer document."""
    bearer, result, above = document["flamebearer"], {}, []
    for level in bearer["levels"]:
        bars, end = [], 0
        for i in range(0, len(level), 4):
            offset, total, self, name = level[i:i + 4]
            begin = end + offset
            end = begin + total
            up = next((b for b in above if b[0] <= begin and end <= b[1]), None)
            path = (up[2] + ";" if up and up[2] else "") + bearer["names"][name] if above else ""
            bars.append((begin, end, path))
            if self and path:
                result[path] = result.get(path, 0) + self
        above = bars
    return result


@test
def convert_writes_every_format(lab):
    for name in ("wall", "example", "dump2"):
        text = collapsed(lab, recording(name), "--type=process_cpu")
        out, _ = convert(lab, recording(name), "--type=process_cpu", "--format=json", "--output=-")
        documents = json.loads(out)["profiles"]
        equal(len(documents), 1, "documents of one sample type")
        equal(stacks_of(documents[0]), text, f"stacks in the JSON of {name}")
        equal(documents[0]["flamebearer"]["numTicks"], sum(text.values()), "sum")
        dump, _ = convert(lab, recording(name), "--format=text", "--output=-")
        check(f"process_cpu, " in dump.decode() and "samples: " in dump.decode(), "text")
        convert(lab, recording(name), f"--output={lab.dir}/{name}.html")
        page = (lab.dir / f"{name}.html").read_text()
        packed = re.search(r'<script id="data"[^>]*>([A-Za-z0-9+/=]+)</script>', page)
        data = json.loads(gzip.decompress(base64.b64decode(packed[1])))
        cpu = next(p for p in data["profiles"] if p["name"] == "process_cpu")
        equal(sum(cpu["self"][0]), sum(text.values()), "sum in the page")
    # What the path ends with is enough.
    for ending, begins in ((".collapsed", b"."), (".json", b'{"version"'), (".txt", b"memory"),
                           (".html", b"<!doctype")):
        path = lab.dir / f"by-name{ending}"
        convert(lab, recording("dump2"), f"--output={path}")
        check(path.read_bytes().startswith(begins) or ending == ".collapsed", f"{path}: {path.read_bytes()[:60]}")


@test
def convert_numbers_files_and_picks_types(lab):
    out = lab.dir / "plain"
    convert(lab, recording("dump2"), f"--output={out}", "--no-gzip", "--compat=jfr-parser")
    equal([p.name for p in profiles(out)], ["0_memory.pb", "1_memory.pb", "2_process_cpu.pb", "3_wall.pb"], "files")
    check(not profiles(out)[0].read_bytes().startswith(b"\x1f\x8b"), "not compressed")
    convert(lab, recording("dump2"), "--type=live", f"--output={lab.dir / 'live.pb.gz'}")
    check((lab.dir / "live.pb.gz").read_bytes().startswith(b"\x1f\x8b"), "compressed")
    _, err = convert(lab, recording("dump2"), "--type=memory", f"--output={lab.dir / 'first.pb.gz'}")
    check("alloc_in_new_tlab_objects" in err and "--type=NAME" in err, f"the choice is named: {err}")
    _, err = convert(lab, recording("dump2"), "--type=heap", f"--output={lab.dir / 'none'}", status=1)
    check("live" in err and "process_cpu" in err, f"what there is: {err}")
    bytes_of = collapsed(lab, recording("example"), "--type=alloc_in_new_tlab_bytes")
    objects = collapsed(lab, recording("example"), "--type=alloc_in_new_tlab_objects")
    check(sum(bytes_of.values()) > 1000 * sum(objects.values()), "the sample type that was named")
    _, err = convert(lab, recording("dump2"), "--output=-", status=2)
    check("--type=NAME" in err, f"standard output takes one: {err}")
    out, _ = convert(lab, recording("dump2"), "--type=wall", "--output=-")
    (lab.dir / "stdout.pb.gz").write_bytes(out)
    check("App" in judge("stacks", lab.dir / "stdout.pb.gz") or judge("stacks", lab.dir / "stdout.pb.gz"), "a profile")


# ---- where input comes from ----

@test
def convert_reads_pipes_gzip_patterns_and_directories(lab):
    path = plain(lab)
    wanted = collapsed(lab, path, "--type=wall")
    packed = recording("wall").read_bytes()
    equal(collapsed(lab, "-", "--type=wall", stdin=path.read_bytes()), wanted, "standard input")
    equal(collapsed(lab, "-", "--type=wall", stdin=packed), wanted, "gzip on standard input")
    equal(collapsed(lab, recording("wall"), "--type=wall"), wanted, "a .gz file")
    misnamed = lab.dir / "misnamed.jfr"
    misnamed.write_bytes(packed)
    equal(collapsed(lab, misnamed, "--type=wall"), wanted, "gzip called .jfr")
    misnamed.unlink()
    folder = lab.dir / "folder"
    folder.mkdir()
    shutil.copy(path, folder / "a.jfr")
    (folder / "b.jfr.gz").write_bytes(packed)
    (folder / "notes.txt").write_text("no recording")
    twice = {s: 2 * v for s, v in wanted.items()}
    equal(collapsed(lab, folder, "--type=wall"), twice, "a directory")
    equal(collapsed(lab, f"{folder}/*.jfr*", "--type=wall"), twice, "a pattern")
    equal(collapsed(lab, folder / "a.jfr", folder / "b.jfr.gz", "--type=wall"), twice, "two files")
    two = lab.dir / "two.jfr"
    two.write_bytes(path.read_bytes() * 2)
    equal(collapsed(lab, two, "--type=wall"), twice, "two recordings in one file")
    (lab.dir / "members.gz").write_bytes(packed + packed)
    equal(collapsed(lab, lab.dir / "members.gz", "--type=wall"), twice, "two members in one gzip")
    convert(lab, path, "--type=wall", f"--output={lab.dir / 'w.pb.gz'}")
    equal(collapsed(lab, lab.dir / "w.pb.gz"), wanted, "a pprof file")
    equal(collapsed(lab, "-", stdin=(lab.dir / "w.pb.gz").read_bytes()), wanted, "pprof on standard input")
    equal(collapsed(lab, path, lab.dir / "w.pb.gz", "--type=wall"), twice, "a recording and a pprof file")


@test
def convert_keeps_what_is_good(lab):
    good = plain(lab).read_bytes()
    wanted = collapsed(lab, plain(lab), "--type=wall")
    for where, data, bad in (
            ("torn at the end", good + good[:len(good) // 2], 1),
            ("torn at the beginning", good[:len(good) // 2] + good, 1),
            ("garbage between", good[:40] + b"\x55" * 3000 + good, 1),
            ("zeros in front", b"\0" * 70000 + good, 1),
            ("bytes behind", good + b"not a chunk at all", 1),
            ("an unfinished chunk behind", good + good[:8] + (1 << 30).to_bytes(8, "big") + bytes(24) + good[40:4000],
             1)):
        file = lab.dir / "damaged.jfr"
        file.write_bytes(data)
        for source, stdin in ((file, b""), ("-", data), ("-", gzip.compress(data))):
            out, err = convert(lab, source, "--type=wall", "--format=collapsed", "--output=-", stdin=stdin)
            got = {s: int(v) for s, _, v in (line.rpartition(" ") for line in out.decode().splitlines())}
            equal(got, wanted, f"{where}, read from {source}")
            check(re.search(r"byte \d+: ", err) and f"{bad} of {bad + 1} chunks" in err, f"{where}: {err}")
        _, err = convert(lab, file, "--strict", f"--output={lab.dir / 'strict'}", status=1)
        check(not (lab.dir / "strict").exists(), "--strict writes nothing")
        out, err = convert(lab, file, "--quiet", "--type=wall", "--format=collapsed", "--output=-")
        equal(err, "", "--quiet")


@test
def convert_refuses_what_is_nothing(lab):
    good = plain(lab)
    packed = recording("wall").read_bytes()
    cases = {
        "empty": (b"", "empty file"),
        "text": (b"this is no recording, however long it is\n" * 9, "neither a JFR recording nor a pprof profile"),
        "torn": (good.read_bytes()[:30000], "the input is unreadable"),
        "cut.gz": (packed[:len(packed) // 3], "truncated"),
        "damaged.gz": (packed[:2000] + b"\xff" * 64 + packed[2064:], "damaged"),
    }
    for name, (data, why) in cases.items():
        path = lab.dir / name
        path.write_bytes(data)
        _, err = convert(lab, path, f"--output={lab.dir / 'out'}", status=1)
        check(why in err and name in err, f"{name}: {err}")
        check(not (lab.dir / "out").exists(), f"{name}: nothing is written")
    for args, why in (([lab.dir / "missing.jfr"], "No such file"), ([f"{lab.dir}/*.nothing"], "no file matches"),
                      ([lab.dir / "empty-dir"], "no *.jfr")):
        (lab.dir / "empty-dir").mkdir(exist_ok=True)
        _, err = convert(lab, *args, f"--output={lab.dir / 'out'}", status=1)
        check(why in err, f"{args}: {err}")


@test
def convert_survives_a_gzip_bomb(lab):
    """Zeros, which could be the space of consumed chunks, and text, which could be a profile."""
    with gzip.open(lab.dir / "text.gz", "wb", 1) as f:
        for _ in range(120):
            f.write(b"x" * (1 << 20))
    _, err = convert(lab, lab.dir / "text.gz", "--max-inflated=100", f"--output={lab.dir / 'out'}", status=1)
    check("more than 100 MiB" in err and "text.gz" in err, err)
    with gzip.open(lab.dir / "bomb.gz", "wb", 1) as f:
        for _ in range(120):
            f.write(bytes(1 << 20))
    _, err = convert(lab, lab.dir / "bomb.gz", "--max-inflated=100", f"--output={lab.dir / 'out'}", status=1)
    check("more than 100 MiB" in err and "bomb.gz" in err, err)


@test
def convert_explains_wrong_usage(lab):
    path = plain(lab)
    for args, why in (([path], "--output=PATH is missing"), (["--output=x"], "no FILE"),
                      ([path, "--output=x", "--format=svg"], "pprof, collapsed, html, json or text"),
                      ([path, "--output=x", "--formt=json"], "did you mean --format"),
                      ([path, "--output=x", "--compat=other"], "expected jfr-parser"),
                      ([path, "--output=x", "--from=yesterday"], "2026-01-31T12:00:00Z"),
                      ([path, "--output=x", "--from=20", "--to=10"], "is not after"),
                      ([path, "--output=x", "--interval=5"], "such as 10ms"),
                      (["-", "-", "--output=x"], "only be given once")):
        _, err = convert(lab, *args, status=2)
        check(why in err, f"{args}: {err}")
    out, err = convert(lab, "--help")
    check(b"usage: smolder convert" in out and not err, "--help")


@test
def documented_conversions_run(lab):
    """Every command of docs/convert.md and the README, in a folder with the files they name; every flag is
    documented."""
    folder = lab.dir / "examples"
    (folder / "recordings").mkdir(parents=True)
    for name, source in (("app.jfr", "dump2"), ("new.jfr", "wall"), ("recordings/one.jfr", "wall"),
                         ("recordings/two.jfr", "example")):
        shutil.copy(plain(lab, source), folder / name)
    shutil.copy(recording("dump2"), folder / "app.jfr.gz")
    page = (ROOT / "docs" / "convert.md").read_text()
    shown = [line for text in (page, (ROOT / "README.md").read_text())
             for block in re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
             for line in block.splitlines() if "smolder convert" in line]
    help_text = convert(lab, "--help")[0].decode()
    shown += [line.strip().replace("/var/recordings/", "recordings/") for line in help_text.splitlines()
              if line.startswith("  smolder ")]
    check(len(shown) >= 12, f"only {len(shown)} commands found")
    (folder / "bin").mkdir()
    (folder / "bin" / "smolder").symlink_to(lab.smolder)
    for command in shown:
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=folder, capture_output=True, text=True,
                              env={**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"})
        equal(done.returncode, 0, f"exit status of {command} ({done.stderr})")
    for name in ("app.html", "profiles/memory_alloc_in_new_tlab.pb.gz", "cpu.pb.gz", "change.html", "threads.html",
                 "piped.html", "all.html"):
        check((folder / name).stat().st_size > 500, f"{name} is there")
    equal(set(re.findall(r"`--([a-z-]+)`", page.split("## Flags")[1])),
          set(re.findall(r"^  --([a-z-]+)", help_text, re.M)), "flags in docs/convert.md and in --help")


# ---- where output goes ----

@test
def convert_never_leaves_half_a_file(lab):
    path, full = plain(lab, "example"), lab.dir / "full"
    full.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "full", full], check=True)
    try:
        for args in ([f"--output={full}/out"], [f"--output={full}/page.html"]):
            _, err = convert(lab, path, *args, status=3)
            check("No space left on device" in err, err)
            equal(list(full.iterdir()), [], "what is left on the full disk")
        (full / "page.html").write_text("old")
        convert(lab, path, f"--output={full}/page.html", status=3)
        equal((full / "page.html").read_text(), "old", "the file that was there")
    finally:
        subprocess.run(["umount", full], check=True)
    _, err = convert(lab, path, "--format=collapsed", "--output=/dev/full", status=3)
    check("No space left" in err, err)


@test
def convert_never_overwrites_an_input(lab):
    path = plain(lab)
    before = path.read_bytes()
    link = lab.dir / "link.json"
    link.symlink_to(path)
    for output in (path, link):
        _, err = convert(lab, path, "--format=json", f"--output={output}", status=2)
        check("is an input" in err, err)
    equal(path.read_bytes(), before, "the input")
    (lab.dir / "real.json").write_text("old")
    link.unlink()
    link.symlink_to(lab.dir / "real.json")
    convert(lab, path, f"--output={link}")
    check(link.is_symlink() and (lab.dir / "real.json").read_text().startswith("{"), "a link is followed")


@test
def convert_says_why_it_cannot_write(lab):
    path = plain(lab)
    (lab.dir / "file").write_text("")
    _, err = convert(lab, path, f"--output={lab.dir}/file", status=2)
    check("is a file" in err, err)
    _, err = convert(lab, path, f"--output={lab.dir}/no/such/place.html", status=3)
    check("No such file or directory" in err and "place.html" in err, err)
    _, err = convert(lab, path, f"--output={lab.dir}", "--format=json", status=2)
    check("is a directory" in err, err)
    closed = lab.dir / "closed"
    closed.mkdir(mode=0o500)
    shutil.chown(lab.dir, 1234)
    os.chmod(path, 0o644)
    done = subprocess.run(["setpriv", "--reuid=1234", "--clear-groups", str(lab.smolder), "convert", str(path),
                           "--format=json", "--output=" + str(closed / "x.json")], capture_output=True, text=True,
                          cwd="/")
    equal((done.returncode, "Permission denied" in done.stderr), (3, True), f"an unwritable directory ({done.stderr})")


# ---- much of it ----

def peak_of(command):
    """Exit status, and bytes resident at most. What this process has would count as well: exec() keeps the peak."""
    script = ("import os, resource, sys\n"
              "status = os.spawnv(os.P_WAIT, sys.argv[1], sys.argv[1:])\n"
              "print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)")
    done = subprocess.run([sys.executable, "-c", script, *map(str, command)], capture_output=True, text=True)
    return map(int, done.stdout.split())


@test
def convert_is_small_on_a_large_recording(lab):
    """500 MB of recordings in a row: less than 64 MB resident, the pages of the mapping included."""
    one = plain(lab, "async-profiler")
    big = lab.dir / "big.jfr"
    data, size = one.read_bytes(), 0
    with open(big, "wb") as f:
        while size < 500_000_000:
            size += f.write(data)
    status, peak = peak_of([lab.smolder, "convert", big, f"--output={lab.dir}/big"])
    big.unlink()
    equal(status, 0, "exit status")
    single = collapsed(lab, one, "--type=process_cpu")
    whole = collapsed(lab, lab.dir / "big" / next(p for p in profiles(lab.dir / "big") if "cpu" in p.name).name)
    equal(whole, {s: v * (size // len(data)) for s, v in single.items()}, "values")
    if b"__asan_init" not in lab.smolder.read_bytes():
        within(peak / 1e6, 0, 64, "MB resident")


@test
def convert_shows_how_far_it_is(lab):
    """On a terminal, when it takes long: here as long as it takes until the terminal shows something."""
    data = plain(lab).read_bytes()
    ours, theirs = pty.openpty()
    p = subprocess.Popen([str(lab.smolder), "convert", "-", f"--output={lab.dir}/out"], stdin=subprocess.PIPE,
                         stderr=theirs)
    os.close(theirs)
    shown, deadline = b"", time.monotonic() + 30
    while b"converting: " not in shown and time.monotonic() < deadline:
        p.stdin.write(data)
        while select.select([ours], [], [], 0)[0]:
            shown += os.read(ours, 65536)
    p.stdin.close()
    equal(p.wait(60), 0, "exit status")
    os.close(ours)
    check(re.search(rb"converting: \d+ MB", shown), f"shown: {shown}")


# ---- the page ----

HOSTILE = ['</script><script>window.hacked=1</script>', '"><img src=x onerror="window.hacked=1">', "a&b<b>c</b>",
           "javascript:window.hacked=1", "\u202eevil\u0000\u0007", "-->", "]]>", "${window.hacked=1}", "x" * 3000]


def varint(n):
    out = b""
    while n > 0x7F:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def made_profile(stacks, types=(("cpu", "nanoseconds"),)):
    """pprof of {(root, ..., leaf): values}."""
    strings, functions = [""], {}

    def string(s):
        if s not in strings:
            strings.append(s)
        return strings.index(s)
    out = b"".join(field(1, field(1, string(t)) + field(2, string(u))) for t, u in types)
    for stack, values in stacks.items():
        ids = b"".join(varint(functions.setdefault(f, len(functions) + 1)) for f in reversed(stack))
        out += field(2, field(1, ids) + field(2, b"".join(varint(v) for v in values)))
    for name, i in functions.items():
        out += field(4, field(1, i) + field(4, field(1, i))) + field(5, field(1, i) + field(2, string(name)))
    return out + b"".join(field(6, s) for s in strings) + field(9, 1700000000 * 10**9) + field(10, 10**10)


def opened(browser, path):
    browser.open(f"file://{path}")
    browser.wait("document.documentElement && document.documentElement.dataset.ready")
    equal(browser.run("document.documentElement.dataset.ready"), "yes", "the page")


@test
def page_survives_hostile_names(lab):
    evil = lab.dir / "evil<script>window.hacked=1<script>.pb"
    evil.write_bytes(made_profile({("main", name): [10**7 * (i + 1)] for i, name in enumerate(HOSTILE)}))
    page = lab.dir / "evil.html"
    convert(lab, evil, f"--output={page}")
    with Browser() as browser:
        opened(browser, page)
        browser.wait("document.querySelectorAll('#top li').length == %d" % len(HOSTILE))
        equal(browser.run("typeof window.hacked"), "undefined", "what hostile names did")
        equal(browser.run("document.querySelectorAll('img, #top script, #top b').length"), 0, "elements out of names")
        names = browser.run("graph.flame.model.names")
        check(all(n.replace("\u0000", "\0") in names for n in HOSTILE), f"names as they are: {names}")
        # Were something to get in, the policy would stop it.
        browser.run("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked=1\">')")
        browser.run("{ const s = document.createElement('script'); s.textContent = 'window.hacked=1'; "
                    "document.body.append(s); }")
        refused = browser.run("fetch('https://127.0.0.1:1/').then(() => 'sent', e => 'refused')")
        equal((browser.run("typeof window.hacked"), refused), ("undefined", "refused"), "what the policy lets through")


@test
def convert_sends_a_terminal_no_control_of_a_recording(lab):
    """Names with escape sequences are spelt out on a terminal, whatever the format, and are as they were in a pipe,
    but for collapsed stacks, which are lines."""
    evil = ["\x1b]0;owned\x07", "\x1b[2J\u009b31m", "a\x7f\rb", "\x08"]
    profile = lab.dir / "evil.pb"
    profile.write_bytes(made_profile({("main", name): [10**7 * (i + 1)] for i, name in enumerate(evil)},
                                     types=(("cpu", evil[0]),)))
    for form in ("collapsed", "text", "json", "html"):
        command = [str(lab.smolder), "convert", str(profile), f"--format={form}", "--output=-"]
        shown = said_to_terminal(command, lab.dir)
        check(shown and not TERMINAL_CONTROL.search(shown),
              f"{form}: {TERMINAL_CONTROL.search(shown)} in {shown[-500:]}")
        plain = subprocess.run(command, capture_output=True, check=True).stdout
        if form == "collapsed":
            check(b"\\x1b[2J\\xc2\\x9b31m" in shown, f"spelt out: {shown}")
            check(b"\\x1b[2J\\xc2\\x9b31m" in plain, f"spelt out in a pipe: {plain}")
        if form == "text":
            check(evil[1].encode() in plain, f"as it was: {plain}")


@test
def page_is_a_flame_graph_to_work_with(lab):
    page = lab.dir / "page.html"
    convert(lab, recording("dump2"), f"--output={page}")
    with Browser() as browser:
        opened(browser, page)
        titles = browser.run("[...document.querySelectorAll('#type option')].map(o => o.textContent)")
        check({"CPU time", "Wall-clock time", "Live objects (bytes)"} <= set(titles), f"several profiles: {titles}")
        whole = browser.run("graph.flame.model.total[0]")
        equal(whole, sum(collapsed(lab, recording("dump2"), "--type=process_cpu").values()), "the sum")
        # Another profile, then back.
        browser.run("{ const t = document.getElementById('type'); t.value = [...t.options].findIndex(o => o.text === "
                    "'Wall-clock time'); "
                    "t.dispatchEvent(new Event('change')); }")
        equal(browser.run("document.getElementById('title').textContent"), "Wall-clock time", "title")
        browser.run("{ const t = document.getElementById('type'); t.value = 0; t.dispatchEvent(new Event('change')); }")
        # Search by key.
        browser.key("/")
        equal(browser.run("document.activeElement.id"), "search", "where / leads")
        browser.call("Input.insertText", text="Thread.run")
        check("matched" in browser.wait("document.getElementById('hits').textContent"), "matches")
        browser.key("Escape")
        equal(browser.run("document.getElementById('hits').textContent"), "", "search is over")
        # Hover and zoom by mouse: the widest frame below the root.
        spot = browser.run("(() => { const b = document.querySelector('#graph canvas').getBoundingClientRect(); return "
                           "[b.left + 20, b.top + 31]; })()")
        browser.mouse("mouseMoved", *spot)
        shown = browser.wait("!document.getElementById('tip').hidden && document.getElementById('tip').textContent")
        check("total" in shown and "self" in shown and "%" in shown, f"the tip: {shown}")
        top = browser.run("document.querySelector('#graph canvas').getBoundingClientRect().top")
        browser.click(*spot)
        browser.wait("!document.getElementById('crumbs').hidden")
        equal(browser.run("document.querySelector('#graph canvas').getBoundingClientRect().top"), top,
              "where the graph is when zoomed")
        check("of view" in browser.run("document.getElementById('tip').textContent"), "the tip is of what is there now")
        browser.run("document.activeElement.blur()")
        browser.key("Escape")
        browser.wait("document.getElementById('crumbs').hidden")
        # Zoom by keyboard, and what is said meanwhile.
        browser.run("document.querySelector('#graph canvas').focus()")
        browser.key("ArrowDown")
        check("total" in browser.wait("document.getElementById('speak').textContent"), "spoken")
        browser.key("Enter")
        browser.wait("!document.getElementById('crumbs').hidden")
        browser.key("Escape")
        # From the leaves up: what has most by itself comes first, and the sum stays.
        browser.run("document.activeElement.blur()")
        browser.key("c")
        equal(browser.run("document.getElementById('callers').getAttribute('aria-pressed')"), "true", "callers")
        equal(browser.run("graph.flame.model.total[0]"), whole, "the sum from the other end")
        most = browser.run("(() => { const m = graph.flame.model; return m.names[m.name[m.levels[1][0]]]; })()")
        own = {}
        for stack, value in collapsed(lab, recording("dump2"), "--type=process_cpu").items():
            own[stack.split(";")[-1]] = own.get(stack.split(";")[-1], 0) + value
        equal(own[most], max(own.values()), "the function that has most by itself")
        browser.key("i")
        equal(browser.run("document.getElementById('flip').getAttribute('aria-pressed')"), "true", "inverted")
        theme = browser.run("document.documentElement.dataset.theme")
        browser.key("t")
        check(browser.run("document.documentElement.dataset.theme") != theme, "the other theme")
        equal(browser.problems(), [], "what the browser complained about")


@test
def page_calls_functions_by_short_names(lab):
    short = {"app/Main.main": "Main.main", "app/Main$$Lambda_.run": "Main$$Lambda_.run",
             "libc.so.6.__GI___clone3": "__GI___clone3",
             "libjvm.so.JavaThread::run": "JavaThread::run",
             "kernel.finish_task_switch.isra.0": "finish_task_switch.isra.0",
             ".itable stub": "itable stub", "./lib/x86_64-linux-gnu/libc-2.31.so": "libc-2.31.so",
             "[unknown]": "[unknown]"}
    (lab.dir / "names.pb").write_bytes(made_profile({("main", name): [10**7] for name in short}))
    convert(lab, lab.dir / "names.pb", f"--output={lab.dir / 'names.html'}")
    with Browser(width=520) as browser:
        opened(browser, lab.dir / "names.html")
        rows = browser.run("[...document.querySelectorAll('#top li span')].map(s => s.textContent)")
        equal(sorted(rows), sorted(short.values()), "rows")
        check(browser.run("document.documentElement.scrollWidth <= innerWidth"), "it fits a narrow window")
        equal(browser.problems(), [], "what the browser complained about")


@test
def page_shows_what_changed(lab):
    page = lab.dir / "diff.html"
    for name, work in (("old", 60), ("new", 30)):
        (lab.dir / f"{name}.pb").write_bytes(made_profile({("main", "work"): [work], ("main", "rest"): [30]}))
    convert(lab, lab.dir / "new.pb", f"--diff-base={lab.dir / 'old.pb'}", f"--output={page}")
    with Browser(dark=True) as browser:
        opened(browser, page)
        equal(browser.run("document.documentElement.dataset.theme"), "dark", "theme of a dark system")
        equal(browser.run("[graph.flame.model.total[0], graph.flame.model.before.total[0]]"), [60, 90], "both sums")
        rows = browser.run("[...document.querySelectorAll('#top li')].map(l => l.textContent)")
        check(any(r.startswith("work−") for r in rows) and any(r.startswith("rest+") for r in rows), f"{rows}")
        equal(browser.problems(), [], "what the browser complained about")


@test
def page_opens_quickly_with_many_stacks(lab):
    """100,000 distinct stacks of 30 frames."""
    names = [f"com/example/app{i % 40}/Class{i % 400}.method{i}" for i in range(4000)]
    out, depth = [field(1, field(1, 1) + field(2, 2))], 30
    ids = [varint(i + 1) for i in range(len(names))]
    for i in range(100000):  # a leaf of its own, and the more in common the nearer to the root
        stack = b"".join(ids[(i // (1 << k // 2) * 31 + k * 17) % 4000]
                         for k in range(depth - 3)) + ids[i % 200] + ids[i // 200 % 500]
        out.append(field(2, field(1, stack) + field(2, varint(10**7))))
    for i, name in enumerate(names, 1):
        out.append(field(4, field(1, i) + field(4, field(1, i))) + field(5, field(1, i) + field(2, 2 + i)))
    out += [field(6, s) for s in ["", "cpu", "nanoseconds", *names]]
    big = lab.dir / "big.pb"
    big.write_bytes(b"".join(out))
    page = lab.dir / "big.html"
    convert(lab, big, f"--output={page}")
    with Browser() as browser:
        opened(browser, page)
        took = browser.run("performance.now()")
        equal(browser.run("graph.flame.model.total[0]"), 100000 * 10**7, "the sum")
        check(took < 20000, f"open after {took:.0f} ms")
        within(page.stat().st_size / 1e6, 0, 30, "MB of page")
        browser.key("c")
        browser.wait("document.getElementById('callers').getAttribute('aria-pressed') === 'true'")
        equal(browser.problems(), [], "what the browser complained about")
    print(f"    page of 100,000 stacks: {page.stat().st_size / 1e6:.1f} MB, open after {took:.0f} ms")
