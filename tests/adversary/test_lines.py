"""What foreign text does to logs, labels, pages and terminals, and how often it is said."""
import json
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import time

import jfr
from attack import MALLORY, Fake, compiled, fake, real_library, remove_group, settled, user
from lab import Skip, check, config, equal, exe_of, test, wait_for

EVIL = b'</script><img src=x onerror=alert(1)>"\\\n\x1b[31m\xc2\x9b31m\xff\xfe\x00\xe2\x80\xae\x7f'


def recording(lab, name, data):
    path = lab.dir / name
    path.write_bytes(data)
    return path


def plain(line):
    """UTF-8 without a control character: nothing that a terminal or a log reader could take for more than it is."""
    try:
        return not re.search(r"[\x00-\x1f\x7f-\x9f]", line.decode())
    except UnicodeDecodeError:
        return False


def odd_fake(lab, folder, *more, env=None, **options):
    """A fake JVM in a folder of an odd name."""
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o755)
    shutil.copy(compiled("fakejvm"), folder + b"/java")
    words = [f"{k}={v}".encode() for k, v in {"lib": real_library(), **options}.items()]
    process = Fake.__new__(Fake)
    process.output = lab.output("odd")
    with open(process.output, "ab") as out:
        process.popen = subprocess.Popen(
            ["nsenter", "-t", str(lab.machine.init), "-m", "-p", "-n", "--", *user(), folder + b"/java", *words, *more],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=env or dict(os.environ))
    lab.machine.processes.append(process)
    process.depth, process.find = 1, lambda pid: exe_of(pid).endswith("/java")
    return process.locate()


def log_bytes(agent):
    return agent.output.read_bytes()


@test
def log_lines_hold_plain_text_only(lab):
    """Folders, arguments and recordings with newlines, escapes, C1 and other raw bytes: each log line begins with ts=
    and is text."""
    agent = lab.agent(config=config(rules="""
  rule {
    source_labels = ["__meta_process_exe"]
    target_label  = "service_name"
  }
""").replace('".*/java$"', '"(?s).*/java$"'))
    base = str(lab.dir).encode() + b"/"
    evil = recording(lab, "evil.jfr", jfr.named(EVIL, EVIL, settings=[("event", EVIL), ("interval", EVIL)])
                     + b"\xff" * 500)
    targets = []
    for name in (b'a\nlevel=error msg="root password is x"', b"\x1b[2J\x1b]0;pwn\x07", b"\x9b31m\xff\xfe",
                 b"\xc2\x9b2J\xe2\x80\xae"):
        targets.append(odd_fake(lab, base + name, b"-D\x1b[31m\n\xff\x80", mode="refuse"))
    targets.append(odd_fake(lab, base + b"plain", records=evil))
    for target in targets:
        settled(agent, target)
    time.sleep(2.5)  # two looks at the recording
    agent.stop()
    lines = log_bytes(agent).split(b"\n")
    bad = [line for line in lines if line and (not plain(line) or not line.startswith(b"ts="))]
    equal(bad[:3], [], "log lines")


@test
def answers_of_targets_are_logged_as_plain_text(lab):
    """The words of a profiler that refuses hold escapes and raw bytes."""
    agent = lab.agent(config=config())
    target = fake(lab, mode="garbage")
    entry = settled(agent, target)
    check(entry.get("reason"), f"no reason: {entry}")
    check(not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", entry["reason"]) and len(entry["reason"]) < 600,
          f"reason {entry['reason']!r}")
    bad = [line for line in log_bytes(agent).split(b"\n") if not plain(line)]
    equal(bad[:3], [], "log lines")


@test
def metrics_and_json_stay_well_formed(lab):
    """The same names in labels: every line of /metrics can be read, every JSON document parses and is UTF-8."""
    agent = lab.agent("--store.listen=127.0.0.1:4040", config=config(rules="""
  rule {
    source_labels = ["__meta_process_exe"]
    target_label  = "service_name"
  }
""").replace('".*/java$"', '"(?s).*/java$"'))
    evil = recording(lab, "evil.jfr", jfr.named(EVIL, EVIL) * 2)
    target = odd_fake(lab, str(lab.dir).encode() + b'/<script>alert(1)<b "q\\\n\x1b\xff', records=evil)
    settled(agent, target)
    time.sleep(2.5)  # until something is pushed
    for line in agent.http("GET", "/metrics")[1].splitlines():
        check(line.startswith("#") or re.match(r'^[a-z_:0-9]+(\{.*\})? [-+0-9.eEinfNa]+$', line),
              f"metric line {line!r}")
    for url in ("http://127.0.0.1:12345/api/v0/web/components/pyroscope.java.test",
                "http://127.0.0.1:12345/api/v0/web/components",
                "http://127.0.0.1:4040/api/services", "http://127.0.0.1:4040/api/jvms"):
        json.loads(lab.machine.http("GET", url)[1])


@test
def pages_hold_no_markup_of_foreign_names(lab):
    """`convert` to HTML and to JSON of a recording whose names are markup and escapes."""
    evil = recording(lab, "evil.jfr", jfr.named(EVIL, EVIL))
    for kind in ("html", "json"):
        out = lab.dir / f"out.{kind}"
        lab.call([lab.smolder, "convert", evil, f"--output={out}"])
        data = out.read_bytes()
        check(b"<img src=x" not in data or kind != "html", f"markup in {kind}")
        check(b"\x1b" not in data, f"an escape in {kind}")


def on_terminal(lab, *command):
    """What the program writes when its output is a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(["nsenter", "-t", str(lab.machine.init), "-m", "-p", "-n", "--", *map(str, command)],
                               stdin=subprocess.DEVNULL, stdout=slave, stderr=slave)
    os.close(slave)
    got = b""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if select.select([master], [], [], 0.1)[0]:
            try:
                more = os.read(master, 65536)
            except OSError:
                break
            if not more:
                break
            got += more
        elif process.poll() is not None:
            break
    process.wait(10)
    os.close(master)
    return got


@test
def convert_passes_no_escape_to_a_terminal(lab):
    """Names with ESC and C1 bytes in collapsed stacks, summaries and error texts that go to a terminal."""
    evil = recording(lab, "evil.jfr", jfr.named(EVIL, EVIL))
    broken = recording(lab, "\x1b[31mbroken.jfr", b"FLR\0" + b"\xff" * 200)
    for command in ([evil, "--format=collapsed"], [evil, "--output=-", "--format=collapsed"], [evil], [broken]):
        got = on_terminal(lab, lab.smolder, "convert", *command)
        check(not re.search(rb"\x1b\[31m|\x1b\]|\x9b|\xff|\x7f", got), f"{command[1:]}: {got[:300]!r}")


@test
def a_damaged_recording_is_no_reason_to_hurry(lab):
    """A recording that is garbage from its first byte, each time: a few lines a minute, and ever longer until the next
    try."""
    agent = lab.agent(config=config())
    junk = recording(lab, "junk.jfr", os.urandom(5000))
    target = fake(lab, records=junk, again=1, pause=100)
    wait_for("recording", lambda: target.said("file"), 20)
    time.sleep(8)
    lines = len([line for line in agent.text().splitlines() if f"pid={target.inner} " in line])
    starts = len([c for c in target.connections() if c[3].startswith("start,")])
    check(lines <= 8, f"{lines} lines in 8 s: {agent.text()[-600:]}")
    check(starts <= 5, f"{starts} starts in 8 s")


@test
def a_recording_that_breaks_later_is_no_reason_to_hurry(lab):
    """The same with good chunks first."""
    agent = lab.agent(config=config())
    mixed = recording(lab, "mixed.jfr", jfr.named("C", "m") + os.urandom(3000))
    target = fake(lab, records=mixed, again=1, pause=100)
    wait_for("recording", lambda: target.said("file"), 20)
    time.sleep(8)
    lines = len([line for line in agent.text().splitlines() if f"pid={target.inner} " in line])
    check(lines <= 10, f"{lines} lines in 8 s: {agent.text()[-600:]}")


def cgroup_name(lab, text):
    """A process in a control group of that name, which its own user could have made in a namespace or a delegated
    tree."""
    for base in ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup", "/sys/fs/cgroup/pids"):
        path = pathlib.Path(base) / f"smolder-{os.getpid()}-{lab.name[:8]}" / text
        try:
            path.mkdir(parents=True)
        except OSError:
            continue
        if (path / "cgroup.procs").exists():
            return path
        path.rmdir()
        path.parent.rmdir()
    raise Skip("no control group can be made here")


FORGED = "e" * 64


@test
def a_forged_group_does_not_name_a_container(lab):
    """A local user's process in a group of its own beneath its session, called like another container's: it is not
    taken for that."""
    group = cgroup_name(lab, f"user.slice/user-{MALLORY}.slice/session-1.scope/docker-{FORGED}.scope")
    try:
        text = config(rules="""
  rule {
    source_labels = ["__container_id__"]
    target_label  = "container"
  }
""").replace('refresh_interval = "60s"', """refresh_interval = "60s"
  discover_config {
    container_id = true
    cgroup_path = true
  }""")
        agent = lab.agent(config=text)
        target = fake(lab, ["sh", "-c", f'echo $$ >{group}/cgroup.procs; exec "$@"', "x", *user()], mode="nosocket")
        entry = settled(agent, target)
        check(FORGED not in json.dumps(entry.get("labels", {})), f"labels: {entry}")
    finally:
        remove_group(group, above=4)
