"""Speed of turning recordings into profiles, in MB of JFR per second, next to who else does that.

Peers: grafana/jfr-parser (Go, from the module proxy) and async-profiler's own converter (Java, from Maven), both under
bench/peers, and the floor, a loop that reads every byte of a recording as variable-length integers. One that cannot be
built says why and is left out. Each is a process of its own that keeps its recording in memory and is warm when its
turn comes; JVM start does not count, nor does reading the file. What is measured is CPU time of the whole process. The
turns are short and go round, and a ratio is the median of the ratios within a round, so that a busy machine slows all
alike.

What our side executes is counted by valgrind, where that is installed: per byte, per event that went into a profile,
and per frame of all stacks in the recording, each of which is decoded once.

Everybody writes pprof; compressed at the fastest level. async-profiler's converter takes one kind of event in a run:
its figures are for execution samples alone.

Recordings lie beside the checkout (../shared/corpus/jfr, or what SMOLDER_JFR_CORPUS names).
"""

import argparse
import gzip
import hashlib
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers"
CONVERTER = "jfr-converter-4.5.jar"
CONVERTER_SHA256 = "d8a5452b26adb11a2a0abf0c53799a6fd60dbccb0647efa5a734e3c46ced3df4"
MB = 1e6


class Unbuilt(Exception):
    """Why a peer is missing."""


class Refused(Exception):
    """Why a recording was not converted."""


class Worker:
    """A process that converts on demand."""

    def __init__(self, command, env=None):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}
        )

    def ask(self, *words):
        self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            raise Refused(answer.removeprefix("error: ") or "no answer")
        return [float(n) for n in answer.split()]

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def run(command, **kwargs):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, **kwargs)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Unbuilt(e) from e
    if done.returncode != 0:
        raise Unbuilt((done.stderr or done.stdout).strip().splitlines()[-1])


def go_parser(cache):
    run(["go", "build", "-o", str(cache / "jfr-parser"), "."], cwd=PEERS / "jfr-parser")
    return Worker([str(cache / "jfr-parser")], {"GOMAXPROCS": "1"})


def java_converter(cache):
    jar = cache / CONVERTER
    if not jar.exists():
        version = CONVERTER.removeprefix("jfr-converter-").removesuffix(".jar")
        run([os.environ.get("MVN", "mvn"), "-q", "-B", "dependency:copy", "-Dmdep.useBaseVersion=true",
             f"-Dartifact=tools.profiler:jfr-converter:{version}", f"-DoutputDirectory={cache}"])
    if hashlib.sha256(jar.read_bytes()).hexdigest() != CONVERTER_SHA256:
        raise Unbuilt(f"{CONVERTER} has another SHA-256 than expected")
    run(["javac", "-cp", str(jar), "-d", str(cache), str(PEERS / "jfr-converter" / "Converter.java")])
    return Worker(["java", "-XX:+UseSerialGC", "-cp", f"{cache}{os.pathsep}{jar}", "Converter"])


def corpus(folder):
    where = pathlib.Path(os.environ.get("SMOLDER_JFR_CORPUS", ROOT / ".." / "shared" / "corpus" / "jfr"))
    files = []
    for packed in sorted(where.glob("*.jfr.gz")):
        file = folder / packed.name.removesuffix(".gz")
        file.write_bytes(gzip.decompress(packed.read_bytes()))
        files.append(file)
    return files


def measure(file, turns, rounds, seconds):
    """MB/s of every turn in every round, and why some have none."""
    size = file.stat().st_size
    speeds, refused = {}, []
    for name, worker, mode in turns:
        try:
            worker.ask(mode, seconds, file)  # warm
            speeds[name] = []
        except Refused as why:
            refused.append(f"{name}: {why}")
    for _ in range(rounds):
        for name, worker, mode in turns:
            if name in speeds:
                done, took, _ = worker.ask(mode, seconds, file)
                speeds[name].append(size * done / took / MB)
    return speeds, refused


def ratio(speeds, a, b):
    return statistics.median(x / y for x, y in zip(speeds[a], speeds[b])) if b in speeds else None


def mean(figures):
    """The geometric mean of those there are."""
    there = [f for f in figures if f]
    return statistics.geometric_mean(there) if there else None


RATIOS = [("plain", "floor"), ("plain", "go plain"), ("gzip", "go gzip"), ("plain", "java plain"),
          ("gzip", "java gzip")]
COLUMNS = ["floor", "plain", "gzip", "go plain", "go gzip", "java plain", "java gzip"]
WIDTH = 26


def row(name, figures, ratios):
    cells = [f"{f:9.0f}" if f else f"{'-':>9}" for f in figures]
    cells += [f"{r:9.2f}" if r else f"{'-':>9}" for r in ratios]
    print(f"{name[:WIDTH]:<{WIDTH}}" + " ".join(cells), flush=True)


def short(name):
    return name.removesuffix(".jfr").replace("cortex-dev-01__kafka-0__", "cortex ")


def speed(files, turns, args):
    heads = [c.replace(" plain", "") for c in COLUMNS] + ["/floor", "/go", "/go gz", "/java", "/java gz"]
    print(f"{'MB/s of JFR':<{WIDTH}}" + " ".join(f"{h:>9}" for h in heads))
    figures, ratios, notes = {c: [] for c in COLUMNS}, {r: [] for r in RATIOS}, []
    for file in files:
        speeds, refused = measure(file, turns, args.rounds, args.seconds)
        notes += [f"{short(file.name)}, {why}" for why in refused]
        for c in COLUMNS:
            figures[c].append(statistics.median(speeds[c]) if c in speeds else None)
        for r in RATIOS:
            ratios[r].append(ratio(speeds, *r))
        row(short(file.name), [figures[c][-1] for c in COLUMNS], [ratios[r][-1] for r in RATIOS])
    row("geometric mean", [mean(figures[c]) for c in COLUMNS], [mean(ratios[r]) for r in RATIOS])
    print("\n".join(notes))
    for name, value, wanted in [("slowest recording, against the floor", min(ratios[RATIOS[0]]), 1 / 3),
                                ("against jfr-parser, geometric mean", mean(ratios[RATIOS[1]]), 15),
                                ("against jfr-parser, both with gzip", mean(ratios[RATIOS[2]]), 10)]:
        verdict = "met" if value and value >= wanted else "MISSED"
        print(f"{name:<40} " + (f"{value:.2f}   wanted {wanted:.2f}   {verdict}" if value else "not measured"))


def high_water(pid):
    """Peak of what a process has resident, in MiB."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0


def memory(files, folder, smolder, size):
    """`smolder convert` of one recording of `size` bytes: the largest there is, again and again."""
    largest = max(files, key=lambda f: f.stat().st_size)
    big, out = folder / "big.jfr", folder / "out"
    content = largest.read_bytes()
    out.mkdir()
    with open(big, "wb") as to:
        for _ in range(size // len(content) + 1):
            to.write(content)
    total = big.stat().st_size
    process = subprocess.Popen([smolder, "convert", str(big), f"--output={out}"])
    # Not ru_maxrss, which starts with what this program has.
    peak, done = 0, False
    while not done:
        peak = max(peak, high_water(process.pid))
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        done = pid != 0
        time.sleep(0.005)
    if status != 0:
        raise Refused(f"smolder convert: status {status}")
    took = used.ru_utime + used.ru_stime
    print(f"smolder convert, {total / MB:.0f} MB: {total / took / MB:.0f} MB/s, peak {peak:.1f} MiB resident, what is "
          f"mapped included   "
          f"wanted under 64 beyond it   {'met' if peak < 64 else 'MISSED'}")
    big.unlink()


def instructions(command, mode, file):
    """What `command` executes to convert a recording once. Valgrind counts a repeated string instruction as many: kept
    out of libc."""
    tunables = ":".join(f"glibc.cpu.x86_rep_{what}_threshold=0x40000000" for what in ("stosb", "movsb"))
    env = {**os.environ, "GLIBC_TUNABLES": tunables}
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=main", command]
    done = subprocess.run(valgrind, input=f"{mode} 1e-9 {file}\n", env=env, capture_output=True, text=True)
    counted = re.search(r"Collected : (\d+)", done.stderr)
    if not counted:
        raise Unbuilt((done.stderr or "no count").strip().splitlines()[-1])
    return int(counted.group(1))


def profile(files, ours, command):
    """Instructions of our conversion: the same in every run, however busy the machine is."""
    print(f"{'instructions':<{WIDTH}}{'plain':>12} {'gzip':>12} {'events':>9} {'frames':>9} {'/byte':>9} {'/event':>9} "
          f"{'/frame':>9}")
    for file in files:
        events, frames = ours.ask("count", 0, file)
        plain, packed = (instructions(command, mode, file) for mode in ("plain", "gzip"))
        print(f"{short(file.name)[:WIDTH]:<{WIDTH}}{plain:12d} {packed:12d} {events:9.0f} {frames:9.0f} "
              f"{plain / file.stat().st_size:9.1f} "
              f"{plain / max(events, 1):9.0f} {plain / max(frames, 1):9.0f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, help="the program bench_convert")
    parser.add_argument("--smolder", required=True, help="the program smolder")
    parser.add_argument("--cache", default=str(ROOT / "build" / "bench"), help="where peers are built")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each in every recording")
    parser.add_argument("--seconds", type=float, default=0.05, help="CPU time of a turn")
    parser.add_argument("--files", default="", help="only recordings whose name contains this")
    parser.add_argument("--megabytes", type=int, default=500,
                        help="size of the recording that memory is measured with; 0 = none")
    parser.add_argument("--no-instructions", action="store_true",
                        help="leave out what valgrind counts, which takes a minute")
    args = parser.parse_args()
    cache = pathlib.Path(args.cache).resolve()
    cache.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-convert-"))
    ours = Worker([args.ours])
    turns = [("floor", ours, "floor"), ("plain", ours, "plain"), ("gzip", ours, "gzip")]
    try:
        files = [f for f in corpus(folder) if args.files in f.name]
        if not files:
            print("no recordings in ../shared/corpus/jfr beside the checkout")
            return 77
        if args.megabytes:
            memory(files, folder, args.smolder, args.megabytes * 1000000)
        for name, build in [("go", go_parser), ("java", java_converter)]:
            try:
                worker = build(cache)
                turns += [(f"{name} plain", worker, "plain"), (f"{name} gzip", worker, "gzip")]
            except Unbuilt as why:
                print(f"without {build.__name__.replace('_', ' ')}: {why}")
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        speed(files, turns, args)
        if not args.no_instructions:
            try:
                profile(files, ours, args.ours)
            except (Unbuilt, OSError) as why:
                print(f"without instructions: {why}")
    finally:
        for worker in {w for _, w, _ in turns}:
            worker.end()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
