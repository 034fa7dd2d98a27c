"""What tests/vm/run does in the virtual machine: the installed service, JVMs of the host and of Docker's containers.

One agent and one dockerd for all tests, which run in the order below; README.md says what each is about.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import traceback
import urllib.parse
import urllib.request

GIVEN, EXCHANGE = pathlib.Path("/given"), pathlib.Path("/exchange")
JAVA = "/opt/jre/bin/java"
OPTIONS = ["-Xmx48m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", "/app"]
SHOP = [JAVA, *OPTIONS, "Shop", "0.05"]
AGENT, STORE = "http://127.0.0.1:12345", "http://127.0.0.1:4040"
CONFIGURATION = pathlib.Path("/usr/local/etc/smolder/all-java.alloy")
PATIENCE_S = 180  # an emulated machine on a busy one
CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
tests = []


class Failure(Exception):
    pass


def test(function):
    tests.append(function)
    return function


def check(condition, message):
    if not condition:
        raise Failure(message)


def equal(seen, wanted, what):
    check(seen == wanted, f"{what}: {seen!r}, not {wanted!r}")


def note(text):
    """A figure for whoever reads the report."""
    print(f"     {text}", flush=True)


def wait_for(what, condition, seconds=PATIENCE_S):
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        check(time.monotonic() < deadline, f"not after {seconds} s: {what}")
        time.sleep(0.5)


def call(*command):
    """(exit status, output of both kinds); the console shows the command."""
    print("$", *command, file=sys.stderr, flush=True)
    done = subprocess.run([str(c) for c in command], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def output(*command):
    status, text = call(*command)
    equal(status, 0, f"{' '.join(map(str, command))}: {text}")
    return text.strip()


def get(url, **parameters):
    try:
        with urllib.request.urlopen(url + "?" + urllib.parse.urlencode(parameters), timeout=60) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def process(pid, name):
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


# ---- the service ----

def service(name):
    return output("systemctl", "show", "--property", name, "--value", "smolder")


def journal(pattern, since="-1h"):
    return [line for line in output("journalctl", "--quiet", "--output=cat", "--unit=smolder", f"--since={since}")
            .splitlines() if re.search(pattern, line)]


def processes():
    """{pid: name} of the service."""
    group = pathlib.Path("/sys/fs/cgroup" + service("ControlGroup"))
    return {int(pid): process(pid, "comm").strip() for pid in (group / "cgroup.procs").read_text().split()}


def protection():
    return dict(re.findall(r'^smolder_parser_protection\{protection="(\w+)"\} (\d)', get(AGENT + "/metrics"), re.M))


# ---- JVMs ----

class Jvm:
    """A process of the host or of a container; `text` returns what it wrote."""

    def __init__(self, pid, text):
        self.pid, self.text = pid, text
        wait_for(f"JVM {pid} ready", lambda: "ready" in text() or not self.alive())

    def alive(self):
        return os.path.exists(f"/proc/{self.pid}/exe")

    def threads(self):
        return [process(self.pid, f"task/{task}/comm") for task in os.listdir(f"/proc/{self.pid}/task")]

    def profiler_runs(self):
        return any(name.startswith("Async-profiler") for name in self.threads())

    def state(self):
        """As /api/v0/jvms shows it."""
        known = json.loads(get(AGENT + "/api/v0/jvms") or "{}").get("jvms", [])
        return next((j for j in known if j["pid"] == self.pid), {})

    def wait_state(self, state, code=None):
        try:
            wait_for(f"{state} {code or ''}", lambda: self.state().get("state") == state and
                     code in (None, self.state().get("reason_code")))
        except Failure as e:
            raise Failure(f"{e}: {self.state()}") from None

    def frames(self):
        """Names of the functions in the CPU profiles of the store."""
        answer = get(STORE + "/api/flamegraph", service=str(self.pid), type=CPU)
        return json.loads(answer)["names"] if answer else []

    def wait_stack(self):
        try:
            wait_for("Shop.bake in the store", lambda: "Shop.bake" in self.frames())
        except Failure as e:
            raise Failure(f"{e}: {self.state()} {get(STORE + '/api/services')} {self.frames()[:20]}") from None

    def profiled(self):
        """An emulated machine loses ticks of the profiler's timer, which the agent notices."""
        state = self.state()
        return state.get("state") == "profiling" or str(state.get("reason_code")).startswith("coverage_")

    def check_profiled(self):
        try:
            wait_for("profiling", self.profiled)
        except Failure as e:
            raise Failure(f"{e}: {self.state()}") from None
        self.wait_stack()
        equal(self.text(), "ready\n", "what the JVM wrote")


def host_jvm(uid):
    out = pathlib.Path(f"/tmp/jvm-{uid}")
    with open(out, "w") as file:
        p = subprocess.Popen(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *SHOP], stdout=file,
                             stderr=file, cwd="/")
    return Jvm(p.pid, out.read_text)


def docker(*arguments):
    return output("docker", *arguments)


class Container(Jvm):
    def __init__(self, name, *options, command=SHOP):
        self.name = name
        docker("run", "--detach", "--network=none", f"--name={name}", *options, "jvm", *command)
        super().__init__(int(docker("inspect", "--format={{.State.Pid}}", name)), lambda: docker("logs", name) + "\n")


def kernel_log(pattern):
    return [line for line in output("dmesg").splitlines() if re.search(pattern, line)]


# ---- tests ----

class World:
    """What one test leaves to the next."""
    host = None
    containers = {}


@test
def the_unit_profiles_a_jvm_of_another_user(world):
    """Installed as by `make install`; the configuration is the installed one, with the store in this process."""
    shutil.copytree(GIVEN / "installed", "/", symlinks=True, dirs_exist_ok=True)
    for name in ("opt/jre", "app"):
        os.makedirs(f"/{name}")
        output("mount", "--bind", GIVEN / "image" / name, f"/{name}")
    drop_in = pathlib.Path("/etc/systemd/system/smolder.service.d/store.conf")
    drop_in.parent.mkdir(parents=True)
    start = re.search(r"^ExecStart=(.*)$", pathlib.Path("/usr/local/lib/systemd/system/smolder.service").read_text(),
                      re.M).group(1)
    drop_in.write_text("[Service]\nExecStart=\nExecStart=" + start.replace(" run ", f" run --store.listen={STORE[7:]} ")
                       + "\n")
    # The pid is the name of the service, so that stacks are found by JVM; and shorter intervals.
    text = CONFIGURATION.read_text().replace('interval = "60s"', 'interval = "15s"')
    CONFIGURATION.write_text(text.replace('  rule {\n    action = "keep"', """  rule {
    source_labels = ["__process_pid__"]
    target_label  = "service_name"
  }
  rule {
    action = "keep\"""", 1))
    output("systemd-sysusers")
    output("systemctl", "daemon-reload")
    world.host = host_jvm(1234)
    output("systemctl", "start", "smolder")
    world.host.check_profiled()
    users = {name: process(pid, "status") for pid, name in processes().items()}
    uid = re.search(r"^smolder:x:(\d+):", pathlib.Path("/etc/passwd").read_text(), re.M).group(1)
    for name, status in users.items():
        fields = dict(re.findall(r"^(Uid|CapEff|CapBnd|NoNewPrivs):\s+(\S+)", status, re.M))
        note(f"{name}: {fields}")
        if name == "smolder":
            equal((fields["Uid"], fields["CapEff"], fields["NoNewPrivs"]), (uid, "0" * 16, "1"), "main process")
    equal(protection(), {"user": "1", "rights": "1", "network": "0", "root": "0", "landlock": "1", "limits": "1",
                         "seccomp": "1"}, "protection of the parser")
    equal(journal("level=(warn|error)"), [], "warnings")


@test
def reload_and_restart(world):
    pid = service("MainPID")
    good = CONFIGURATION.read_text()
    CONFIGURATION.write_text(good + "\nnonsense {")
    check(call("systemctl", "reload", "smolder")[0] != 0, "an invalid configuration was accepted")
    CONFIGURATION.write_text(good.replace('"15s"', '"10s"'))
    output("systemctl", "reload", "smolder")
    equal(service("MainPID"), pid, "main process after a reload")
    world.host.check_profiled()
    output("systemctl", "restart", "smolder")
    check(service("MainPID") != pid, "not restarted")
    world.host.check_profiled()


@test
def how_much_the_unit_is_exposed(world):
    text = output("systemd-analyze", "security", "--no-pager", "smolder.service")
    exposure = float(re.search(r"exposure level for smolder.service: ([\d.]+)", text).group(1))
    note(f"systemd-analyze security: {exposure}")
    check(exposure <= 2.8, text)


def start_docker():
    state = pathlib.Path("/run/docker-test")
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "data", state], check=True)
    log = open("/tmp/dockerd.log", "w")
    subprocess.Popen(["systemd-run", "--quiet", "--unit=dockerd", "--property=Delegate=yes", "dockerd",
                      f"--data-root={state}/data", f"--exec-root={state}/exec", "--iptables=false", "--ip6tables=false",
                      "--bridge=none", f"--pidfile={state}/pid"], stdout=log, stderr=log)
    wait_for("dockerd", lambda: call("docker", "info")[0] == 0)
    docker("import", GIVEN / "image.tar", "jvm")
    note(docker("info", "--format=Docker {{.ServerVersion}}, {{.CgroupDriver}} cgroup v{{.CgroupVersion}}, "
                        "{{.Driver}}, {{.SecurityOptions}}"))


@test
def containers_under_apparmor(world):
    """As users start them: the default user, another one, a read-only root with and without a /tmp; pid 1 of each."""
    start_docker()
    tmp = "--tmpfs=/tmp"
    world.containers = {
        "default": Container("default"),
        "user": Container("user", "--user=1000:1000"),
        "read-only": Container("read-only", "--read-only", tmp),
        "read-only-user": Container("read-only-user", "--read-only", f"{tmp}:exec", "--user=1000:1000"),
        "shell": Container("shell", command=["/bin/sh", "-c", f"exec {' '.join(SHOP)}"]),
    }
    for name, jvm in world.containers.items():
        label = process(jvm.pid, "attr/apparmor/current") or process(jvm.pid, "attr/current")
        equal(label.strip(), "docker-default (enforce)", f"AppArmor of {name}")
        equal(process(jvm.pid, "status").split("NSpid:")[1].split()[1], "1", f"{name}: pid in the container")
        jvm.check_profiled()
    equal(kernel_log('apparmor="DENIED"'), [], "denials")


@test
def containers_that_cannot_be_profiled(world):
    """Of a read-only root: without a /tmp, in which a JVM creates its attach socket, or with one that is noexec, which
    is what Docker makes of a tmpfs, and no other directory that its user can write to."""
    user = "--user=1000:1000"
    for name, code, options in (("nowhere", "read_only", []), ("nowhere-user", "read_only", [user]),
                                ("noexec-user", "noexec", [user, "--tmpfs=/tmp"])):
        jvm = Container(name, "--read-only", *options)
        jvm.wait_state("refused", code)
        note(f"{name}: {jvm.state()['reason']} -> {jvm.state()['remedy']}")
        status, text = call("smolder", "doctor", jvm.pid)
        equal(status, 1, f"status of smolder doctor: {text}")
        equal(jvm.text(), "ready\n", "what the JVM wrote")
        docker("rm", "--force", name)
    equal(kernel_log('apparmor="DENIED"'), [], "denials")


@test
def a_paused_container(world):
    """A session that runs, and a JVM that is met frozen."""
    jvm = world.containers["default"]
    docker("pause", "default")
    jvm.wait_state("waiting", "frozen")
    docker("unpause", "default")
    jvm.check_profiled()
    output("systemctl", "stop", "smolder")
    docker("pause", "default")
    output("systemctl", "start", "smolder")
    jvm.wait_state("waiting", "frozen")
    note(f"met frozen: {jvm.state()['reason']}")
    docker("unpause", "default")
    jvm.check_profiled()


@test
def an_oom_kill_of_a_container(world):
    """Of pid 1, so that the container and its cgroup end with it: another process fills the memory."""
    jvm = Container("oom", "--memory=320m", "--memory-swap=320m")
    jvm.check_profiled()
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    pathlib.Path(f"/proc/{jvm.pid}/oom_score_adj").write_text("1000")
    docker("exec", "--detach", "oom", "/bin/sh", "-c", "x=0123456789; while :; do x=$x$x; done")
    wait_for("the JVM's end", lambda: not jvm.alive())
    check(kernel_log("Memory cgroup out of memory.*java"), "not in the kernel log")
    # The cgroup ends with the container, and with it the count of its OOM kills: the guard may come too late.
    told = journal("a profiled JVM crashed.*OOM-killed", since)
    note(f"crash guard: {told[0] if told else 'not noticed, the cgroup was gone'}")
    wait_for("its end", lambda: jvm.state().get("state") in (None, "gone"))
    with contextlib.suppress(Failure):
        docker("rm", "--force", "oom")


@test
def a_stop_leaves_no_profiler(world):
    output("systemctl", "stop", "smolder")
    equal(service("Result"), "success", "result")
    for jvm in [world.host, *world.containers.values()]:
        check(jvm.alive() and not jvm.profiler_runs(), f"a profiler runs in {jvm.pid}: {jvm.threads()}")
        equal(jvm.text(), "ready\n", "what the JVM wrote")
    check("smolder" not in output("ps", "-e", "-o", "comm="), "a process of smolder is left")
    equal(kernel_log('apparmor="DENIED"'), [], "denials")


def main():
    names = (GIVEN / "names").read_text().split()
    world, failed = World(), False
    for function in tests:
        # The first starts the service, which all need.
        if names and function is not tests[0] and not any(name in function.__name__ for name in names):
            continue
        begun = time.monotonic()
        try:
            function(world)
            print(f"ok {function.__name__} ({time.monotonic() - begun:.0f} s)", flush=True)
        except Exception as e:
            failed = True
            text = str(e) if isinstance(e, Failure) else traceback.format_exc()
            print(f"FAIL {function.__name__} ({time.monotonic() - begun:.0f} s)\n    {text}", flush=True)
    (EXCHANGE / "journal").write_text(output("journalctl", "--no-pager"))
    (EXCHANGE / "status").write_text(str(int(failed)))


main()
