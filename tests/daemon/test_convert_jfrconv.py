"""What users of async-profiler's jfrconv look for: docs/convert.md says what each of its options is here, and it is."""
import base64
import gzip
import json
import re
import subprocess

from forged import COMMON, CPU_TIME, DEFAULT, PROFILER, RUNNABLE, SLEEPING, STACK, THREAD, Recording
from jfr import text
from lab import ROOT, check, equal, maven_jar, test
from test_convert import collapsed, convert

# Types of events that a recording made to order does not have otherwise.
MORE = """
130 profiler.NativeLock startTime:11 duration:11 eventThread:22* stackTrace:26*
131 profiler.LiveObject startTime:11 eventThread:22* stackTrace:26* objectClass:21* allocationSize:11
132 profiler.Malloc startTime:11 eventThread:22* stackTrace:26* address:11 size:11
133 profiler.Free startTime:11 eventThread:22* address:11
134 jdk.MethodTrace startTime:11 duration:11 eventThread:22* stackTrace:26* method:28*
135 profiler.Span startTime:11 duration:11 eventThread:22* tag:20
136 jdk.ObjectAllocationSample startTime:11 eventThread:22* stackTrace:26* objectClass:21* weight:11
137 jdk.ObjectAllocationOutsideTLAB startTime:11 eventThread:22* stackTrace:26* objectClass:21* allocationSize:11
""".strip()
SECOND = 10**9  # of ticks, too
VERSION = "4.5"  # of jfrconv


class Everything(Recording):
    """Ten seconds with something of each kind: CPU samples at 1 s, 4 s (within a span) and 9 s, and so on."""

    def __init__(self):
        super().__init__()
        self.types = "\n".join((COMMON, PROFILER, MORE))
        self.setting("event", "cpu").setting("interval", str(10**7)).setting("wall", str(10**7))
        for at in (1, 4, 9):
            self.execution(state=DEFAULT, at=at * SECOND)
        self.execution(state=RUNNABLE, at=SECOND).execution(state=SLEEPING, at=SECOND)
        self.lock(2000).park(3000).tlab(4096)
        self.event(130, 5000, THREAD, STACK)
        self.event(131, THREAD, STACK, 1, 48)
        for address, size, at in ((1, 100, 1), (2, 20, 1), (3, 3, 9)):
            self.event(132, THREAD, STACK, address, size, at=at * SECOND)
        self.event(133, THREAD, 2, at=int(9.5 * SECOND))
        self.event(134, 7000, THREAD, STACK, 0, at=SECOND)
        self.event(135, 2 * SECOND, THREAD, text("checkout"), at=3 * SECOND)
        self.event(136, THREAD, STACK, 1, 524288)
        self.event(137, THREAD, STACK, 1, 65536)


CPU = "app/A.main;app/A.leaf"
# Option of jfrconv: [what is run here, the stacks with their values that it yields].
COLLAPSED = {
    "-I": [(["--include=/le[a]f$/"], {CPU: 3 * 10**7}), (["--include=*leaf"], {CPU: 3 * 10**7})],
    "-X": [(["--exclude=/nothing/"], {CPU: 3 * 10**7}), (["--exclude=nothing*"], {CPU: 3 * 10**7})],
    "--cpu": [(["--type=process_cpu"], {CPU: 3 * 10**7})],
    "--cpu-time": [(["--type=process_cpu"], {CPU: 2 * 10**7})],
    "--wall": [(["--type=wall"], {CPU: 2 * 10**7})],
    "--alloc": [(["--type=alloc_in_new_tlab_bytes"], {CPU: 4096}), (["--type=alloc_outside_tlab_bytes"], {CPU: 65536}),
                (["--type=alloc_sample_bytes"], {CPU: 524288})],
    "--live": [(["--type=live_bytes"], {CPU: 48})],
    "--nativemem": [(["--type=malloc_bytes"], {CPU: 123})],
    "--leak": [(["--type=malloc_live_bytes"], {CPU: 103})],
    "--tail": [(["--type=malloc_live_bytes", "--to=-1500ms"], {CPU: 100})],
    "--lock": [(["--type=mutex:delay"], {CPU: 2000}), (["--type=block:delay"], {CPU: 3000})],
    "--nativelock": [(["--type=native_delay"], {CPU: 5000})],
    "--trace": [(["--type=trace:duration"], {CPU: 7000})],
    "-t": [(["--thread-ids", "--group-by=thread"], {"[main];" + CPU: 3 * 10**7})],
    "-s": [(["--type=wall", "--state=sleeping"], {CPU: 10**7})],
    "--classify": [(["--classify"], {"[java];" + CPU: 3 * 10**7})],
    "--total": [(["--type=mutex:contentions"], {CPU: 1})],
    "--lines": [(["--lines"], {"app/A.main:7;app/A.leaf:7": 3 * 10**7})],
    "--bci": [(["--bci"], {"app/A.main@3;app/A.leaf@3": 3 * 10**7})],
    "--simple": [(["--simple"], {"A.main;A.leaf": 3 * 10**7})],
    "--dot": [(["--dot"], {"app.A.main;app.A.leaf": 3 * 10**7})],
    "--norm": [(["--raw-names"], {CPU: 3 * 10**7})],
    "--from": [(["--from=1500ms"], {CPU: 2 * 10**7})],
    "--to": [(["--to=-2s"], {CPU: 2 * 10**7})],
    "--latency": [(["--latency=100ms"], {CPU: 10**7})],
    "--tag": [(["--span=checkout"], {CPU: 10**7})],
    "--minwidth": [(["--minwidth=10"], {CPU: 3 * 10**7})],
    "--grain": [(["--minwidth=10"], {CPU: 3 * 10**7})],
    "--skip": [(["--skip=1"], {"app/A.leaf": 3 * 10**7})],
    "-r": [(["--reverse"], {"app/A.leaf;app/A.main": 3 * 10**7})],
}
# What is seen in a page, or in another format: [flags, what of the page's data or of the output is there].
OTHERS = {
    "-o": [(["--format=html", "--heatmap"], lambda out: '"heat"' in page(out)), (["--format=pprof"], len),
           (["--format=otlp"], len), (["--format=collapsed"], lambda out: CPU.encode() in out)],
    "--diff": [(["--format=html", "--diff-base=all.jfr"], lambda out: json.loads(page(out))["compare"])],
    "--title": [(["--format=html", "--title=Shop"], lambda out: '"Shop"' in page(out))],
    "--highlight": [(["--format=html", "--highlight=/le[a]f/"], lambda out: '"/le[a]f/"' in page(out))],
    "-i": [(["--format=html", "--inverted"], lambda out: json.loads(page(out))["inverted"])],
    "--tree": [(["--format=text"], lambda out: b"app/A.main" in out)],
}
# Of one option each, with the longer name where there are two.
LONG = {"-o": "--output", "-I": "--include", "-X": "--exclude", "-t": "--threads", "-s": "--state", "-r": "--reverse",
        "-i": "--inverted"}


def page(html):
    """What a page is made of, as JSON."""
    data = re.search(rb'<script id="data"[^>]*>([^<]*)<', html).group(1)
    return gzip.decompress(base64.b64decode(data)).decode()


def documented():
    """{option of jfrconv: its row in docs/convert.md, what is on the right}."""
    section = (ROOT / "docs" / "convert.md").read_text().split("## From jfrconv")[1].split("\n## ")[0]
    rows = {}
    for left, right in re.findall(r"^\| (`-.*?) \| (.*) \|$", section, re.M):
        for option in re.findall(r"(?<![\w-])--?[A-Za-z-]+", left):
            rows[option] = right
    return rows


@test
def convert_has_what_jfrconv_has(lab):
    """Every row of the table is run, and no option is without a row."""
    rows = documented()
    equal(set(rows), set(COLLAPSED) | set(OTHERS) | set(LONG.values()), "options in docs/convert.md, and those run")
    path, jdk = Everything().write(lab.dir / "all.jfr"), lab.dir / "jdk.jfr"
    Recording(jdk=True).event(CPU_TIME, STACK, THREAD, 0, 2 * 10**7, 0).execution(state=RUNNABLE).write(jdk)
    for option in [*COLLAPSED, *OTHERS]:
        for flags, wanted in COLLAPSED.get(option, []):
            equal(collapsed(lab, jdk if option == "--cpu-time" else path, *flags), wanted, f"{option}: {flags}")
        for flags, is_there in OTHERS.get(option, []):
            where = [] if flags == ["--format=pprof"] else ["--output=-"]
            out = convert(lab, path, *(where or [f"--output={lab.dir / 'pprof'}"]), *flags)[0]
            check(is_there(out if where else list((lab.dir / "pprof").iterdir())), f"{option}: {flags}")
        for flags, _ in [*COLLAPSED.get(option, []), *OTHERS.get(option, [])]:
            said = [f"`{f}`" in rows[option] or (f[:7] != "--type=" and f.split("=")[0] in rows[option]) for f in flags]
            check(any(said), f"{option} is documented as {rows[option]}, and run as {flags}")


@test
def convert_knows_the_options_of_jfrconv(lab):
    """The list above is that of the converter itself."""
    jar = maven_jar("tools.profiler", "jfr-converter", VERSION)
    usage = subprocess.run(["java", "-jar", str(jar)], capture_output=True, text=True, timeout=60).stdout
    options = set(re.findall(r"^ +(?:-\w )?(--[a-z-]+)", usage, re.M)) | set(re.findall(r"^ +(-\w) ", usage, re.M))
    check(len(options) > 30, f"options of jfrconv: {usage}")
    equal(options - set(documented()), set(), "options that docs/convert.md does not have")
