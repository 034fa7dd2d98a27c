"""smolder diff: two recordings compared as a gate, with its exit status."""
import gzip
import json
import os
import re
import shutil
import subprocess

from lab import ROOT, check, equal, test
from test_convert import convert, field, made_profile, plain, recording

INTERVAL = 10_000_000


def diff(lab, *args, status=0):
    """What a comparison that ends with `status` prints."""
    done = subprocess.run([str(lab.smolder), "diff", *map(str, args)], capture_output=True, timeout=120, cwd=lab.dir,
                          env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1"})
    err = done.stderr.decode()
    equal(done.returncode, status, f"exit status of diff {' '.join(map(str, args))} ({err[-2000:]})")
    return done.stdout.decode(), err


def sampled(lab, name, stacks, period=INTERVAL):
    """A profile of so many CPU samples per stack."""
    path = lab.dir / name
    bytes_of = made_profile({tuple(s.split(";")): [n * INTERVAL] for s, n in stacks.items()})
    path.write_bytes(bytes_of + field(11, field(1, 1) + field(2, 2)) + field(12, period))
    return path


@test
def diff_fails_where_a_function_grew(lab):
    base = sampled(lab, "base.pb", {"main;fast": 9000, "main;slow": 1000})
    same = sampled(lab, "same.pb", {"main;fast": 8950, "main;slow": 1050})
    worse = sampled(lab, "worse.pb", {"main;fast": 9000, "main;a`b|c": 1500, "main;slow": 1000})
    out, _ = diff(lab, base, same)
    check("passed" in out and "exceeds" not in out, out)
    out, _ = diff(lab, base, worse, status=4)
    check("total 1.67 min -> 1.92 min, +15.0 % (noise 1.6 %): exceeds 10" in out, out)
    check("a`b|c (self): exceeds 1" in out and "a`b|c (total): exceeds 1" in out, out)
    check("FAILED: limits are exceeded" in out and "slow (self): " not in out, out)
    diff(lab, base, worse, "--max-total=20", "--max-self=14", "--max-function=14")
    diff(lab, base, worse, "--max-total=off", "--ignore=/b.c/")
    diff(lab, base, worse, "--max-total=off", "--ignore=nothing", status=4)
    out, _ = diff(lab, base, worse, "--format=markdown", status=4)
    check("### ❌ process_cpu: cpu" in out and "| `a'b\\|c` self | 0.00 % | 13.04 % | **+13.04** |" in out, out)
    check(all(line.count("|") - line.count("\\|") == 7 for line in out.splitlines() if line.startswith("|")), out)


@test
def diff_knows_noise_from_change(lab):
    """The same shares are a change of ten thousand samples and chance of a hundred."""
    few, fewer = (sampled(lab, f"{n}.pb", {"main;fast": 90 - n, "main;slow": 10 + n}) for n in (0, 5))
    many, more = (sampled(lab, f"{n}.pb", {"main;fast": 9000 - n, "main;slow": 1000 + n}) for n in (1, 500))
    out, _ = diff(lab, few, fewer)
    check("slow (self): within noise" in out, out)
    diff(lab, few, fewer, "--sigma=0.5", status=4)
    diff(lab, many, more, status=4)
    document = json.loads(diff(lab, many, more, "--format=json", "--top=1", status=4)[0])
    equal((document["passed"], document["unit"], len(document["functions"])), (False, "nanoseconds", 3), "the document")
    first = document["functions"][0]
    equal((first["name"], first["exceeded"], first["within_noise"], first["limit"]), ("slow", True, False, 0.01), "row")
    check(abs(first["change"] - 0.0499) < 1e-9 and abs(first["noise"] - 0.00465) < 1e-4, f"{first}")
    equal(document["base"]["samples"], 10000, "samples of the base")


@test
def diff_compares_recordings(lab):
    one, two = recording("cortex-dev-01__kafka-0__cpu__0"), recording("cortex-dev-01__kafka-0__cpu__1")
    diff(lab, one, one)
    out, _ = diff(lab, one, two, "--total=rate", "--sigma=3", status=4)
    check("/s -> " in out, out)
    out, _ = diff(lab, recording("wall"), recording("wall"), "--type=wall", "--output=wall.json")
    equal((out, json.loads((lab.dir / "wall.json").read_text())["profile"]), ("", "wall"), "written to a file")


@test
def diff_compares_what_is_selected(lab):
    base = sampled(lab, "base.pb", {"main;a": 5000, "main;b": 5000})
    new = sampled(lab, "new.pb", {"main;a": 9000, "main;b": 1000})
    diff(lab, base, new, "--max-total=off", status=4)
    diff(lab, base, new, "--max-total=off", "--include=a")  # all of it, on both sides
    diff(lab, base, new, "--max-total=off", "--exclude=a")
    out, _ = diff(lab, base, new, "--include=a", status=4)
    check("total 50.00 s -> 1.50 min, +80.0 %" in out, out)
    _, err = diff(lab, base, new, "--include=nothing", status=1)
    check("base.pb: no stack matches --include and --exclude" in err, err)
    path = lab.dir / "threads.jfr"
    path.write_bytes(gzip.decompress(recording("wall").read_bytes()))
    whole, one = (json.loads(diff(lab, path, path, "--type=wall", "--format=json", *flags)[0])["base"]["samples"]
                  for flags in ([], ["--thread=DestroyJavaVM"]))
    check(0 < one < whole, f"samples of a thread: {one} of {whole}")
    _, err = diff(lab, path, path, "--latency=soon", status=2)
    check("--latency=soon" in err, err)


@test
def diff_compares_a_part_of_the_time(lab):
    """Of both sides, and of each recording; the rate is that of the part."""
    path = plain(lab, "wall")
    (lab.dir / "runs").mkdir()
    for name in ("1.jfr", "2.jfr"):
        shutil.copy(path, lab.dir / "runs" / name)

    def sides(base, new, *flags):
        document = json.loads(diff(lab, base, new, "--type=wall", "--format=json", *flags)[0])
        return [(document[side]["value"], document[side]["seconds"]) for side in ("base", "new")]

    (whole, seconds), _ = sides(path, path)
    half = f"{round(seconds / 2 * 1e9)}ns"
    (first, early), other = sides(path, path, f"--to={half}")
    (second, late), _ = sides(path, path, f"--from={half}")
    equal(other, (first, early), "the other side")
    check(first > 0 and second > 0 and first + second == whole, f"{first} and {second} of {whole}")
    check(abs(early + late - seconds) < 1e-6 and abs(early - late) < 1e-6, f"{early} and {late} of {seconds} s")
    start = json.loads(convert(lab, path, "--type=wall", "--format=json", "--output=-")[0])
    middle = start["profiles"][0]["metadata"]["timeNanos"] + round(seconds / 2 * 1e9)
    equal(sides(path, path, f"--to={middle // 10**9}.{middle % 10**9:09d}")[0], (first, early), "up to a point in time")
    _, (both, lengths) = sides(path, lab.dir / "runs", f"--to={half}")
    check(both == first * 2 and abs(lengths - 2 * early) < 1e-6, f"two runs: {both} in {lengths} s")
    packed = sampled(lab, "base.pb", {"main": 1})
    for args, why, status in (([path, path, "--from=yesterday"], "--from=yesterday: expected a time such as", 2),
                              ([path, path, "--to=10"], "--to=10 is in 1970", 2),
                              ([path, path, "--from=-1s", "--to=0s"], "--to=0s is not after --from=-1s", 2),
                              ([path, packed, "--to=1s"], "--to is relative, and no input is a recording", 2),
                              ([packed, path, "--to=1700000000"], "base.pb", 2),
                              ([path, path, "--to=2001-01-01T00:00:00Z"], "to 2001-01-01T00:00:00Z", 1),
                              ([path, "-", "--from=1s"], "standard input can be read only once", 2)):
        _, err = diff(lab, *args, status=status)
        check(why in err, f"{args}: {err}")


@test
def diff_explains_wrong_usage(lab):
    base = sampled(lab, "base.pb", {"main": 1})
    for args, why, status in (([base], "expected BASE and NEW", 2), ([base, base, "--sigma=x"], "--sigma=x", 2),
                              ([base, base, "--format=html"], "--format=html: expected text, markdown or json", 2),
                              ([base, base, "--ignore=/(/"], "is not a regular expression", 2),
                              ([base, lab.dir / "none"], "none", 1),
                              ([base, recording("wall"), "--type=wall"], 'no profile "wall" in both', 1),
                              ([base, base, "--output=/nowhere/x"], "/nowhere/x", 3)):
        _, err = diff(lab, *args, status=status)
        check("smolder diff: " in err and why in err, f"{args}: {err}")
    check("--max-function=POINTS" in diff(lab, "--help")[0], "help")


@test
def diff_is_documented(lab):
    """Every command of docs/diff.md, every flag, and the shell of the workflow as far as a shell can read it."""
    page, help_text = (ROOT / "docs" / "diff.md").read_text(), diff(lab, "--help")[0]
    equal(set(re.findall(r"^\| `--([a-z-]+)`", page, re.M)), set(re.findall(r"^  --([a-z-]+)", help_text, re.M)),
          "flags in docs/diff.md and in --help")
    for name, source in (("app.jfr", "wall"), ("new.jfr", "wall")):
        shutil.copy(plain(lab, source), lab.dir / name)
    (lab.dir / "bin").mkdir()
    (lab.dir / "bin" / "smolder").symlink_to(lab.smolder)
    commands = [line for line in page.splitlines() if line.startswith("smolder diff ") and ".jfr" in line]
    check(len(commands) >= 3, f"{commands}")
    for command in commands:
        done = subprocess.run(["bash", "-c", command], cwd=lab.dir, capture_output=True, text=True,
                              env={**os.environ, "PATH": f"{lab.dir}/bin:{os.environ['PATH']}"})
        equal(done.returncode, 0, f"exit status of {command} ({done.stderr})")
    workflow = (ROOT / "examples" / "ci" / "profile-gate.yml").read_text()
    scripts = re.findall(r"run: \|\n((?: {10}.*\n|\n)+)", workflow)
    check(len(scripts) == 2, "the workflow's scripts")
    for script in scripts:
        script = re.sub(r"^ {10}", "", script, flags=re.M)
        equal(subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True).stderr, "", "a script")
    gate = next(line for line in scripts[1].splitlines() if "smolder diff" in line)
    flags = re.findall(r"--([a-z-]+)", gate)
    check(flags and all(f"--{f}" in help_text for f in flags), f"flags of the workflow: {flags}")


@test
def diff_knows_what_runs_differ_by(lab):
    """A change that one run each would show is noise where runs of the same version differ by as much; and the whole is
    the mean of the runs, however many there are."""
    for side, shares in (("base", (1000, 2000, 3000)), ("new", (2600, 2800))):
        (lab.dir / side).mkdir()
        for i, n in enumerate(shares):
            sampled(lab, f"{side}/{i}.jfr", {"main;fast": 10000 - n, "main;slow": n})
    diff(lab, lab.dir / "base" / "1.jfr", lab.dir / "new" / "1.jfr", status=4)
    out, _ = diff(lab, "base", "new")
    check("slow (self): within noise" in out and "3 recordings" in out and "+0.0 %" in out, out)
