"""smolder convert on several cores: the same bytes, messages and exit status as on one."""
import gzip
import subprocess

from lab import check, equal, test
from test_convert import recordings

FORMATS = ("pprof", "collapsed", "json", "html", "text", "otlp")
ENOUGH = 256 << 10  # bytes of chunks for which threads are started


def everything(lab, jobs, *args):
    """Exit status, standard output and standard error, and the files of a directory that was written."""
    out = lab.dir / "out"
    args = [str(a).replace("OUT", str(out)) for a in args]
    done = subprocess.run([str(lab.smolder), "convert", f"--jobs={jobs}", *args], capture_output=True, timeout=300,
                          cwd=lab.dir, stdin=subprocess.DEVNULL)
    files = {}
    if out.is_dir():
        files = {p.name: p.read_bytes() for p in out.iterdir()}
        for p in out.iterdir():
            p.unlink()
        out.rmdir()
    return done.returncode, done.stdout, done.stderr, files


def check_same(lab, *args, status=0):
    """What one job yields, and three must."""
    want = everything(lab, 1, *args)
    equal(want[0], status, f"status of {args}: {want[2][-500:]}")
    got = everything(lab, 3, *args)
    for what, a, b in zip(("status", "output", "messages", "files"), want, got):
        check(a == b, f"{what} of {args} differ: {str(a)[:300]} and {str(b)[:300]}")
    return want


def chunks_of(recording):
    at = 0
    while recording[at:at + 4] == b"FLR\0":
        size = int.from_bytes(recording[at + 8:at + 16], "big")
        yield recording[at:at + size]
        at += size


def long_ones(lab):
    """A file per recording of the corpus, with its chunks several times, and one with all of them."""
    mixed, files = b"", []
    for path in recordings():
        chunks = list(chunks_of(gzip.decompress(path.read_bytes())))
        size = sum(map(len, chunks))
        long = b"".join(chunks) * min(max(3, ENOUGH // size + 2), 20)
        mixed += b"".join(chunks)
        files.append(lab.dir / path.name.removesuffix(".gz"))
        files[-1].write_bytes(long)
    files.append(lab.dir / "mixed.jfr")
    files[-1].write_bytes(mixed * 2)
    return files


@test
def convert_yields_the_same_on_any_number_of_cores(lab):
    files = long_ones(lab)
    for path in files:
        out = check_same(lab, path, "--format=collapsed", "--threads", "--output=-")[1]
        check(out, f"{path}: no stacks")
    mixed = files[-1]
    for form in FORMATS:
        check_same(lab, mixed, f"--format={form}", "--output=OUT" if form == "pprof" else "--output=-")
    for flags in (["--states", "--allocated-class", "--lock-class"], ["--raw-threads", "--max-threads=20"],
                  ["--thread-ids", "--frame-types", "--libraries"], ["--classify", "--exclude=*.run"],
                  ["--from=10s", "--to=-10s"], ["--compat=jfr-parser"]):
        check_same(lab, mixed, *flags, "--format=text", "--output=-")


@test
def convert_on_all_cores_takes_inputs_in_their_order(lab):
    files = long_ones(lab)
    (lab.dir / "empty.jfr").write_bytes(b"")
    (lab.dir / "other.jfr").write_bytes(b"app.main;app.leaf 7\n")
    _, out, err, _ = check_same(lab, lab.dir, "--format=text", "--output=-")
    check(b"empty.jfr" in err and b"app.leaf" in out, f"inputs of all kinds: {err}")
    check_same(lab, lab.dir, "--strict", "--format=text", "--output=-", status=1)
    check_same(lab, *reversed(files), "--format=json", "--output=-")


@test
def convert_on_all_cores_finds_the_same_damage(lab):
    mixed = bytearray(long_ones(lab)[-1].read_bytes())
    path, packed = lab.dir / "damaged.jfr", lab.dir / "damaged.jfr.gz"
    starts, at = [], 0
    for chunk in chunks_of(bytes(mixed)):
        starts.append((at, len(chunk)))
        at += len(chunk)
    for i, (start, size) in enumerate(starts):
        if i % 4 == 1:
            mixed[start + 200:start + 260] = b"\xff" * 60  # metadata
        elif i % 4 == 2:
            mixed[start + size // 2:start + size // 2 + 68] = mixed[start:start + 68]  # a header within
        elif i % 8 == 3:
            mixed[start + 12:start + 16] = (2 * size).to_bytes(4, "big")  # a size beyond the next chunk
    path.write_bytes(mixed)
    packed.write_bytes(gzip.compress(mixed, 1)[:-1000])
    for file in (path, packed):
        _, out, err, _ = check_same(lab, file, "--threads", "--format=text", "--output=-")
        check(out and b" chunks were damaged and skipped" in err, f"{file}: {err}")
        check_same(lab, file, "--strict", "--output=OUT", status=1)
        check_same(lab, file, *long_ones(lab)[:3], file, "--quiet", "--format=collapsed", "--output=-")


@test
def convert_rejects_other_numbers_of_jobs(lab):
    for jobs in ("0", "17", "two"):
        status, _, err, _ = everything(lab, jobs, "x.jfr", "--output=-")
        equal(status, 2, f"--jobs={jobs}")
        check(b"expected a number from 1 to 16" in err, err)
