"""What the end-to-end tests are made of: machines, JVMs, receivers and agents.

A test is a function that takes a Lab. Each lab has a machine of its own: new PID, mount and network namespaces with an
empty /tmp. So neither other JVMs nor taken ports on the host can disturb a test, a test disturbs nobody, and all that
was started ends with the machine.

Programs are run from a staging folder, for a machine does not see the host's /tmp and other users may not enter the
checkout.

After a test, whatever it did: no agent may have left a sanitizer's report, and no JVM may have written anything but its
"ready".
"""
import contextlib
import ctypes
import functools
import glob
import hashlib
import http.client
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = ROOT / "build" / "tests-daemon"
API = "http://127.0.0.1:12345"
CLONE_NEWNET = 0x40000000
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|UndefinedBehaviorSanitizer")

libc = ctypes.CDLL(None, use_errno=True)
tests = []


class Skip(Exception):
    """Why a test cannot run here."""


class Failure(Exception):
    """What a test found wrong."""


def test(function=None, *, weight=1):
    """Registers a test; its name is the function's. `weight`: how many of the runner's slots it takes."""
    if function is None:
        return functools.partial(test, weight=weight)
    function.weight = weight
    tests.append(function)
    return function


def check(condition, message):
    if not condition:
        raise Failure(message)


def equal(got, wanted, what):
    check(got == wanted, f"{what}: {got!r}, expected {wanted!r}")


def within(value, low, high, what):
    check(low <= value <= high, f"{what}: {value}, expected {low} to {high}")


def wait_for(what, condition, seconds=20, every=0.05):
    """Polls until condition() is true and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failure(f"no {what} within {seconds} s")
        time.sleep(every)


@functools.lru_cache(None)
def java_home(version):
    """Home of a JDK of this feature release; SMOLDER_JDKS (colon-separated homes) is looked at first."""
    named = [h for h in os.environ.get("SMOLDER_JDKS", "").split(":") if h]
    for home in named + sorted(glob.glob("/usr/lib/jvm/*")) + [os.environ.get("JAVA_HOME", "")]:
        release = pathlib.Path(home) / "release"
        if not (pathlib.Path(home) / "bin" / "java").exists() or not release.exists():
            continue
        if re.search(rf'^JAVA_VERSION="{version}[."]', release.read_text(), re.M):
            return os.path.realpath(home)
    return None


def need_java(version):
    if not java_home(version):
        raise Skip(f"no JDK {version} below /usr/lib/jvm or in SMOLDER_JDKS")
    return java_home(version)


# What a terminal obeys: C0 but tab and line end, DEL, C1 as a character or as a byte of no character.
TERMINAL_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|(?<![\xc2-\xf4\x80-\xbf])[\x80-\xbf]")


def said_to_terminal(command, folder):
    """All that a command writes when every stream of its is a terminal."""
    ours, theirs = pty.openpty()
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    with open(ours, "rb", buffering=0) as end:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, cwd=folder,
                                   env={"TERM": "xterm", "NO_COLOR": "1"})
        os.close(theirs)
        shown = b""
        try:
            while part := end.read(65536):
                shown += part
        except OSError:  # EIO: the last writer is gone
            pass
        process.wait(20)
    return shown


def newer(product, *sources):
    return product.exists() and all(product.stat().st_mtime >= s.stat().st_mtime for s in sources)


def built(binary, sources, command, cwd=ROOT):
    """`binary`, made by `command` with -o, unless it is newer than its sources. Tests run side by side, so it appears
    whole."""
    with built.lock:
        if not newer(binary, *sources):
            binary.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
                half = pathlib.Path(folder) / binary.name
                done = subprocess.run([*command, "-o", str(half)], cwd=cwd, capture_output=True, text=True)
                check(done.returncode == 0, f"{' '.join(command)}: {done.stderr}")
                os.replace(half, binary)
    return binary


built.lock = threading.Lock()


def receiver_binary():
    folder = ROOT / "tests" / "receiver"
    return built(CACHE / "receiver", [*folder.glob("*.go"), folder / "go.mod"], ["go", "build"], folder)


def maven_jar(group, name, version):
    """A jar by the Maven client, kept beside the programs of the tests; skips where there is none."""
    jar = CACHE / f"{name}-{version}.jar"
    mvn = shutil.which(os.environ.get("MVN", "mvn"))
    if jar.exists():
        return jar
    if not mvn:
        raise Skip("no Maven client")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as half:
        done = subprocess.run([mvn, "-q", "-B", "dependency:copy", "-Dmdep.useBaseVersion=true",
                               f"-Dartifact={group}:{name}:{version}", f"-DoutputDirectory={half}"],
                              capture_output=True, text=True, timeout=300)
        if not (pathlib.Path(half) / jar.name).exists():
            raise Skip(f"Maven has no {jar.name}: {done.stdout.strip()[-200:]}")
        os.rename(f"{half}/{jar.name}", jar)
    return jar


def classes():
    """Folder with the compiled programs of tests/apps, named by their texts. Runs go side by side, so it appears
    whole."""
    sources = sorted((ROOT / "tests" / "apps").rglob("*.java"))
    folder = CACHE / ("apps-" + hashlib.sha256(b"".join(s.read_bytes() for s in sources)).hexdigest()[:16])
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as half:
            javac = shutil.which("javac") or f"{need_java(17)}/bin/javac"
            command = [javac, "--release", "11", "-nowarn", "-sourcepath", str(ROOT / "tests" / "apps"),
                       "-d", f"{half}/apps", *map(str, sources)]
            done = subprocess.run(command, capture_output=True, text=True)
            check(done.returncode == 0, f"javac: {done.stderr}")
            with contextlib.suppress(OSError):  # another run was faster
                os.rename(f"{half}/apps", folder)
    check(folder.is_dir(), f"no {folder}")
    return folder


class Stage:
    """The programs of one run of the tests, where machines and all their users see them."""

    def __init__(self, smolder):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="smolder-tests-", dir="/var/tmp"))
        self.dir.chmod(0o755)
        self.build = pathlib.Path(smolder).resolve().parent
        self.smolder, self.receiver, self.classes = self.dir / "smolder", self.dir / "receiver", self.dir / "classes"
        shutil.copy(smolder, self.smolder)
        shutil.copy(receiver_binary(), self.receiver)
        shutil.copytree(classes(), self.classes)

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def children(pid):
    try:
        return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def descendants(pid):
    for child in children(pid):
        yield child
        yield from descendants(child)


def parent_of(pid):
    found = re.search(r"^PPid:\s*(\d+)", proc_text(pid, "status"), re.M)
    return int(found[1]) if found else None


def named(pids, comm):
    return [pid for pid in pids if proc_text(pid, "comm").strip() == comm]


def helpers_of(agent):
    """One, as a rule: the child of the guard."""
    guards = named(children(agent.pid), "smolder-guard")
    return [pid for guard in guards for pid in named(children(guard), "smolder-priv")]


def proc_text(pid, name):
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


def pid_numbers(pid):
    """The process's numbers in the nested namespaces, ours first."""
    return [int(n) for n in re.search(r"^NSpid:(.*)$", proc_text(pid, "status"), re.M).group(1).split()]


def cpu_seconds(pid):
    """Of the process and its descendants, dead ones they waited for included."""
    total = 0
    for p in [pid, *descendants(pid)]:
        fields = proc_text(p, "stat").rpartition(")")[2].split()
        total += sum(int(f) for f in fields[11:15]) if fields else 0
    return total / os.sysconf("SC_CLK_TCK")


class Process:
    """A program in a machine. `pid` is the host's number for it, `inner` the machine's."""

    def __init__(self, machine, command, output, cwd="/", env=None, find=None):
        self.output = pathlib.Path(output)
        with open(output, "ab") as out:
            self.popen = subprocess.Popen(
                ["nsenter", "-t", str(machine.init), "-m", "-p", "-n", "-i", "--",
                 "sh", "-c", 'cd "$0" && exec "$@"', str(cwd), *map(str, command)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
        machine.processes.append(self)
        self.pid = None
        self.depth = len(pid_numbers(machine.init)) - 1
        self.find = find or (lambda p: True)

    def locate(self):
        """Waits until the program itself runs (nsenter and other wrappers are its ancestors)."""
        def found():
            for pid in descendants(self.popen.pid):
                if self.find(pid):
                    return self.topmost(pid)
            if self.popen.poll() is not None:
                raise Failure(f"process ended with {self.popen.returncode}: {self.text()[-2000:]}")
            return None
        self.pid = wait_for("process", found, every=0.01)
        self.inner = pid_numbers(self.pid)[self.depth]
        return self

    def topmost(self, pid):
        """It may have begun between two looks, and what was seen be a child of its own."""
        while (above := parent_of(pid)) not in (None, self.popen.pid) and self.find(above):
            pid = above
        return pid

    def text(self):
        return self.output.read_text(errors="replace")

    def alive(self):
        return self.popen.poll() is None

    def signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        if self.alive():
            self.signal(signal.SIGKILL)
        self.popen.wait(20)

    def wait(self, seconds):
        """Exit status, negative for a signal."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"process {self.pid} still runs after {seconds} s") from None


class Machine:
    """PID, mount, network and IPC namespaces with an empty /tmp and /dev/shm; everything in it dies with it."""

    def __init__(self):
        self.processes = []
        self.unshare = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child", "--mount-proc", sys.executable,
             str(HERE / "machine_init.py")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.unshare.stdout.readline() != b"up\n":
            raise Failure("no namespaces of our own: " + self.unshare.stderr.read().decode(errors="replace"))
        self.init = children(self.unshare.pid)[0]
        self.net = os.open(f"/proc/{self.init}/ns/net", os.O_RDONLY)
        self.home_net = os.open("/proc/self/ns/net", os.O_RDONLY)

    def path(self, name):
        """Where the machine's file is found from outside."""
        return pathlib.Path(f"/proc/{self.init}/root{name}")

    @contextlib.contextmanager
    def network(self):
        """Sockets made meanwhile by this thread belong to the machine."""
        check(libc.setns(self.net, CLONE_NEWNET) == 0, "setns")
        try:
            yield
        finally:
            check(libc.setns(self.home_net, CLONE_NEWNET) == 0, "setns")

    def http(self, method, url, body=None, headers=None, timeout=10):
        """(status, body text); a connection that fails raises OSError."""
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        with self.network():
            connection.connect()
        with contextlib.closing(connection):
            path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")

    def close(self):
        self.unshare.kill()  # --kill-child ends the init process, and that ends everything
        self.unshare.wait()
        for p in self.processes:
            p.popen.kill()  # nsenter stops itself when its child is stopped
            p.popen.wait()
        os.close(self.net)
        os.close(self.home_net)


# A container: its own PID and mount namespaces and /tmp, and another user.
CONTAINER = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
             'mount -t tmpfs -o mode=1777 container /tmp && '
             'exec setpriv --reuid 1234 --regid 1235 --clear-groups "$@"', "container"]


class Jvm(Process):
    """A running JVM. `quiet` is what it may have written, exactly; None = anything."""

    quiet = "ready\n"

    def threads(self):
        names = []
        for comm in glob.glob(f"/proc/{self.pid}/task/*/comm"):
            with contextlib.suppress(OSError):
                names.append(pathlib.Path(comm).read_text().strip())
        return names

    def profiler_runs(self):
        """async-profiler's own thread is there while a session with a timeout or chunks runs."""
        return any(name.startswith("Async-profiler") for name in self.threads())

    def root(self, name):
        """Where the JVM's file is found from outside."""
        return pathlib.Path(f"/proc/{self.pid}/root{name}")

    def temporaries(self):
        """What is in its /tmp beside what every JVM puts there."""
        own = re.compile(r"hsperfdata_|\.java_pid")
        return sorted(p.name for p in self.root("/tmp").iterdir() if not own.match(p.name))

    def recordings(self):
        """Open recordings, as the links in /proc/PID/fd say."""
        result = []
        for fd in glob.glob(f"/proc/{self.pid}/fd/*"):
            with contextlib.suppress(OSError):
                link = os.readlink(fd)
                if ".smolder-" in link or link.endswith(".jfr") or ".jfr " in link:
                    result.append(link)
        return result

    def check_quiet(self):
        if self.quiet is not None:
            equal(self.text(), self.quiet, f"output of JVM {self.inner}")


class Receiver:
    """The judge of tests/receiver."""

    def __init__(self, lab, port=4040, delay=None, status=None):
        self.machine, self.url = lab.machine, f"http://127.0.0.1:{port}"
        more = (["--delay", delay] if delay else []) + (["--status", str(status)] if status else [])
        self.process = lab.run([lab.stage.receiver, "--listen", f"127.0.0.1:{port}", *more], name="receiver")
        wait_for("receiver", lambda: "listening" in self.process.text())

    def get(self, path):
        status, text = self.machine.http("GET", self.url + path)
        check(status == 200, f"receiver: {path}: {status} {text}")
        return json.loads(text)

    def profiles(self, **labels):
        """Those with these labels; __name__ is called `type`."""
        if "type" in labels:
            labels["__name__"] = labels.pop("type")
        everything = self.get("/profiles") or []
        return [p for p in everything if all(p["labels"].get(k) == v for k, v in labels.items())]

    def stacks(self, type, service="", value=0, **labels):
        query = [("type", type), ("service", service), ("value", value)]
        query += [("label", f"{k}={v}") for k, v in labels.items()]
        return self.get("/stacks?" + urllib.parse.urlencode(query))

    def stats(self):
        return self.get("/stats")

    def behave(self, delay="0s", status=0):
        self.machine.http("POST", f"{self.url}/behave?delay={delay}&status={status}")

    def refuse(self, value, status=400):
        """Does not store profiles with this value of a label, and names them in its answer; "" stores all."""
        self.machine.http("POST", f"{self.url}/refuse?value={urllib.parse.quote(value)}&status={status}")

    def leave_unread(self, value):
        """Takes profiles with this value of a label, and does not look at them."""
        self.machine.http("POST", f"{self.url}/unread?value={urllib.parse.quote(value)}")

    def forget(self):
        self.machine.http("POST", self.url + "/forget")

    def check_valid(self):
        problems = self.stats()["problems"]
        check(not problems, f"the receiver found: {problems[:3]}")

    def wait(self, count=1, seconds=30, **labels):
        """Waits for so many profiles and returns them."""
        def enough():
            got = self.profiles(**labels)
            return got if len(got) >= count else None
        try:
            return wait_for("profile", enough, seconds, 0.1)
        except Failure:
            got = [(p["labels"].get("service_name"), p["labels"].get("__name__")) for p in self.profiles()]
            raise Failure(f"fewer than {count} profiles {labels} within {seconds} s; received: {got[-20:]}") from None

    def wait_stack(self, frame, seconds=40, **selection):
        """Waits until some stack has the frame."""
        def seen():
            stacks = self.stacks(**selection)
            return {s: v for s, v in stacks.items() if frame in s.split(";")}
        try:
            return wait_for(f"stack with {frame} in {selection}", seen, seconds, 0.2)
        except Failure as e:
            raise Failure(f"{e}; there are {sorted(self.stacks(**selection))[:5]}") from None


class Agent(Process):
    """`smolder run`."""

    def wait_log(self, pattern, seconds=20, count=1):
        try:
            wait_for(f"log line /{pattern}/", lambda: len(self.lines(pattern)) >= count or not self.alive(), seconds)
        except Failure:
            pass
        check(len(self.lines(pattern)) >= count, f"no log line /{pattern}/ ({count} times) within {seconds} s")
        return self.lines(pattern)

    def lines(self, pattern):
        return [line for line in self.text().splitlines() if re.search(pattern, line)]

    def http(self, method, path, body=None, timeout=10):
        return self.machine.http(method, API + path, body, timeout=timeout)

    def metrics(self):
        """{'name{label="value"}': number}"""
        result = {}
        for line in self.http("GET", "/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                result[name] = float(value)
        return result

    def metric(self, name, **labels):
        """Sum of the series of that name with these labels."""
        total = 0
        for series, value in self.metrics().items():
            if re.match(re.escape(name) + r"(\{|$)", series) and all(f'{k}="{v}"' in series for k, v in labels.items()):
                total += value
        return total

    def components(self):
        return json.loads(self.http("GET", "/api/v0/web/components")[1])

    def component(self, name):
        return json.loads(self.http("GET", "/api/v0/web/components/" + name)[1])

    def jvms(self, component="pyroscope.java.test"):
        """What the agent says about each JVM: {pid: {...}}."""
        status, text = self.http("GET", "/api/v0/web/components/" + component)
        if status != 200:
            return {}
        return {t["pid"]: t for t in debug_value(json.loads(text)["debugInfo"]).get("profiled_targets", [])}

    def wait_state(self, jvm, state, seconds=20):
        def there():
            return self.jvms().get(jvm.inner, {}).get("state") == state
        try:
            wait_for(f"state {state}", there, seconds)
        except Failure as e:
            raise Failure(f"{e}: {self.jvms()}") from None

    def wait_reason(self, jvm, pattern, seconds=20):
        def there():
            return re.search(pattern, self.jvms().get(jvm.inner, {}).get("reason", ""))
        try:
            wait_for(f"reason /{pattern}/", there, seconds)
        except Failure as e:
            raise Failure(f"{e}: {self.jvms()}") from None

    def reload(self):
        return self.http("POST", "/-/reload", "")

    def stop(self, seconds=10, status=0):
        """SIGTERM; must end in time and well. Returns how long it took."""
        begun = time.monotonic()
        self.signal(signal.SIGTERM)
        got = self.wait(seconds + 2)
        took = time.monotonic() - begun
        equal(got, status, "exit status")
        check(took <= seconds, f"stopping took {took:.1f} s")
        return took

    def check_sane(self):
        status = self.popen.poll()
        check(status is None or status >= 0 or status == -signal.SIGKILL, f"the agent died of signal {-(status or 0)}")
        report = SANITIZER.search(self.text())
        check(not report, "a sanitizer reported: " + self.text()[report.start() - 200:][:3000] if report else "")


def debug_value(node):
    """Bodies and values of component JSON to plain Python; blocks are lists, as there may be several of a name."""
    if isinstance(node, list):
        body = {e["name"]: debug_value(e["value"]) for e in node if e["type"] == "attr"}
        for e in node:
            if e["type"] == "block":
                body.setdefault(e["name"], []).append(debug_value(e["body"]))
        return body
    if isinstance(node, dict) and "type" in node and "value" in node:
        kind, value = node["type"], node["value"]
        if kind == "object":
            return {e["key"]: debug_value(e["value"]) for e in value}
        if kind == "array":
            return [debug_value(e) for e in value]
        return value
    return node


class Lab:
    """One test's place to work: a folder, a machine, and what runs in it."""

    def __init__(self, name, stage):
        self.name, self.stage, self.smolder = name, stage, stage.smolder
        self.dir = stage.dir / name
        self.dir.mkdir(mode=0o755)
        self.machine = Machine()
        self.jvms, self.agents, self.count = [], [], 0

    def file(self, name, text):
        path = self.dir / name
        path.write_text(text)
        return path

    def output(self, name):
        self.count += 1
        return self.dir / f"{self.count:02}-{name}.log"

    def run(self, command, name="process", **kw):
        """Starts a program in the machine."""
        return Process(self.machine, command, self.output(name), **kw).locate()

    def call(self, command, seconds=30, **kw):
        """Runs a program in the machine to its end: (status, output)."""
        p = Process(self.machine, command, self.output("call"), **kw)
        return p.wait(seconds), p.text()

    def jvm(self, version=17, options=(), wrapper=(), java=None, ready=True, env=None, command=None):
        """A JVM that runs Shop of tests/apps; `wrapper` is put before the command. `command`: all of it instead, `java`
        is then only how its program is called."""
        java = java or f"{need_java(version)}/bin/java"
        command = command or [*wrapper, java, "-Xmx64m", "-XX:+UseSerialGC", *options, "-cp", self.stage.classes,
                              "Shop"]
        name = os.path.basename(str(java))
        process = Jvm(self.machine, command, self.output(f"jvm{version}"), cwd=self.dir, env=env,
                      find=lambda pid: os.path.basename(exe_of(pid)) == name)
        self.jvms.append(process)
        process.locate()
        if ready:
            wait_for("JVM", lambda: "ready\n" in process.text() or not process.alive(), 30)
            check(process.alive(), f"the JVM ended: {process.text()}")
        return process

    def jdk_copy(self):
        """Home of a JDK whose bin/java is a file of the test's own."""
        home, real = self.dir / "jdk", need_java(17)
        (home / "bin").mkdir(parents=True)
        for name in ("lib", "conf"):
            (home / name).symlink_to(f"{real}/{name}")
        shutil.copy(f"{real}/bin/java", home / "bin" / "java")
        return home

    def layout(self):
        """<tmp_dir>/grafana-agent-asprof-glibc-SHA1 on the machine, put there by an agent that profiles nothing."""
        agent = self.agent(config=config(rules='rule {\n action = "drop"\n }'))
        pattern = "grafana-agent-asprof-glibc-*/bin/asprof"
        launcher = wait_for("layout", lambda: list(self.machine.path("/tmp").glob(pattern)))[0]
        agent.stop()
        return launcher.parent.parent

    def receiver(self, **kw):
        return Receiver(self, **kw)

    def start_agent(self, *args, config=None, env=None, wrapper=()):
        """Starts `smolder run` without waiting for more than its process. `config` is text; None = no PATH."""
        paths = [] if config is None else [self.file("config.alloy", config)]
        options = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
        storage = f"--storage.path={self.dir}/data"
        command = [*wrapper, self.smolder, "run", storage, *args, *paths]
        agent = Agent(self.machine, command, self.output("agent"), cwd=self.dir,
                      env={**options, **(env or {})}, find=lambda pid: "smolder" in proc_text(pid, "comm"))
        agent.machine = self.machine
        self.agents.append(agent)
        return agent

    def agent(self, *args, **kw):
        """A running agent."""
        agent = self.start_agent(*args, **kw).locate()
        agent.wait_log("smolder is running")
        return agent

    def finish(self):
        """What must be true after every test, and the end of whatever still runs."""
        try:
            for agent in self.agents:
                if agent.alive():
                    agent.stop()
                agent.check_sane()
            for jvm in self.jvms:
                jvm.check_quiet()
        finally:
            self.machine.close()

    def logs(self):
        """The ends of all logs, for the report of a failure."""
        text = ""
        for path in sorted(self.dir.glob("*.log")):
            tail = path.read_text(errors="replace").splitlines()[-25:]
            text += f"    --- {path.name}\n" + "".join(f"    {line[:400]}\n" for line in tail)
        return text

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def exe_of(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)")
    except OSError:
        return ""


def config(profiling='interval = "1s"', url="http://127.0.0.1:4040", endpoint="", java="", rules="", write=""):
    """The example's pipeline, every JVM of the machine, with what a test wants different."""
    return f"""
pyroscope.write "test" {{
  endpoint {{
    url = "{url}"
    {endpoint}
  }}
  {write}
}}
discovery.process "all" {{
  refresh_interval = "60s"
}}
discovery.relabel "java" {{
  targets = discovery.process.all.targets
  rule {{
    action        = "keep"
    source_labels = ["__meta_process_exe"]
    regex         = ".*/java$"
  }}
  rule {{
    source_labels = ["__process_pid__"]
    target_label  = "pid"
  }}
  {rules}
}}
pyroscope.java "test" {{
  targets    = discovery.relabel.java.output
  forward_to = [pyroscope.write.test.receiver]
  {java}
  profiling_config {{
    {profiling}
  }}
}}
"""


def run_alone(name, smolder, body):
    """body(lab) in a lab of its own, for programs that are no test. Ends the program where something is wrong."""
    stage = Stage(smolder)
    lab, failures = Lab(name, stage), []
    for step in (lambda: body(lab), lab.finish):
        try:
            step()
        except Failure as e:
            failures.append(str(e))
    if failures:
        sys.exit(f"FAIL {'; then '.join(failures)}\nleft for a look: {stage.dir}")
    stage.remove()
