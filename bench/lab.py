"""What the benchmarks share: a temporary place to work in, the processes they own, and how a figure is printed.

Every process started here is ended by its pid when the Lab is left, and the directory is removed. A JVM of a lab
carries the lab's token in its command line, and the configurations written here keep only such JVMs: no other JVM on
the machine is touched. Nothing waits without a deadline. What cannot be measured raises Failed; a missed target does
not.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TICK = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20


class Failed(Exception):
    """The figure could not be measured."""


def figure(name, value, wanted, met, note=""):
    """One line per figure. `met` is None where there is no target."""
    verdict = "" if met is None else "met" if met else "MISSED"
    print(f"{name:<40} {value:>12}   {'wanted ' + wanted if wanted else '':<20} {verdict:<7} {note}".rstrip(),
          flush=True)


def alone():
    """Goes on in a PID namespace of its own, where that is possible: what neighbours start is then no load of the
    agent's."""
    unshare = shutil.which("unshare")
    if os.geteuid() != 0 or not unshare or "SMOLDER_BENCH_ALONE" in os.environ:
        return
    os.environ["SMOLDER_BENCH_ALONE"] = "1"
    if subprocess.run([unshare, "-mpf", "--mount-proc", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        os.execv(unshare, [unshare, "-mpf", "--mount-proc", "--kill-child", sys.executable, *sys.argv])


def main(measure, arguments):
    """Runs `measure(args)`; the exit status is 0 whatever the figures are, 1 when there are none."""
    args = arguments.parse_args()
    # `meson test` names it relative to its own folder, agents start in the lab's
    args.smolder = os.path.abspath(args.smolder)
    if not os.access(args.smolder, os.X_OK):
        sys.exit(f"{os.path.basename(sys.argv[0])}: no program {args.smolder}")
    alone()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    busy = os.getloadavg()[0]
    figure("machine before", f"load {busy:.1f}", "", None,
           f"on {os.cpu_count()} CPUs: others are in the way of times" if busy > 0.5 else f"on {os.cpu_count()} CPUs")
    try:
        measure(args)
    except (Failed, OSError, subprocess.SubprocessError) as e:
        sys.exit(f"{os.path.basename(sys.argv[0])}: could not measure: {e}")


def parser(doc):
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--smolder", default=os.path.join(ROOT, "build", "smolder"),
                      help="the program to measure (%(default)s)")
    made.add_argument("--java", default="java", help="the JVM of the targets (%(default)s)")
    made.add_argument("--keep", action="store_true",
                      help="keep the working directory with all logs, and say where it is")
    return made


def wait_until(condition, seconds, what, every=0.05):
    """The first true value of `condition()`, asked again and again for that many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(every)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


class Receiver:
    """tests/receiver, the independent judge of what is pushed."""

    def __init__(self, url):
        self.url = url

    def profiles(self):
        return json.loads(get(self.url + "/profiles"))

    def stacks(self, service, name):
        return json.loads(get(f"{self.url}/stacks?service={service}&type={name}"))

    def check(self):
        problems = json.loads(get(self.url + "/stats"))["problems"]
        if problems:
            raise Failed("the receiver complains: " + problems[0])


class Lab:
    def __init__(self, args):
        self.args = args
        self.processes = []

    def __enter__(self):
        if os.geteuid() != 0:
            raise Failed("profiling other processes needs root")
        self.directory = tempfile.mkdtemp(prefix="smolder-bench-")
        os.chmod(self.directory, 0o755)  # an agent of root reads its configuration as an ordinary user
        self.token = os.path.basename(self.directory)
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            self.stop(process)
        if self.args.keep:
            print(f"kept: {self.directory}", file=sys.stderr)
        else:
            shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    def run(self, command, cwd=None):
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise Failed(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-2000:]}")
        return done.stdout

    def start(self, name, command):
        """Starts a process in the lab's directory with its output in NAME.log."""
        with open(self.path(name + ".log"), "w") as log:
            process = subprocess.Popen(command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        process.name = name
        self.processes.append(process)
        return process

    def check_alive(self, process):
        if process.poll() is not None:
            raise Failed(f"{process.name} ended with status {process.returncode}: {self.log(process.name)[-2000:]}")

    def stop(self, process, seconds=15):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.processes:
            self.processes.remove(process)

    def log(self, name):
        with open(self.path(name + ".log"), errors="replace") as f:
            return f.read()

    def compile(self, source):
        javac = os.path.join(os.path.dirname(self.args.java), "javac")
        self.run([javac, "-d", self.directory, os.path.join(ROOT, source)])

    def jvm(self, number, *command):
        """A JVM with the service name `jvm-NUMBER` in the profiles of this lab."""
        return self.start(f"jvm-{number}",
                          [self.args.java, f"-Dlab={self.token}-{number}", "-cp", self.directory, *command])

    def receiver(self, *flags):
        binary = self.path("receiver")
        if not os.path.exists(binary):
            self.run(["go", "build", "-o", binary, "."], cwd=os.path.join(ROOT, "tests", "receiver"))
        process = self.start("receiver-process", [binary, "--listen", "127.0.0.1:0", *flags])

        def listening():
            self.check_alive(process)
            lines = [line for line in self.log("receiver-process").splitlines() if line.startswith("listening on ")]
            return lines and lines[0].split()[-1]

        return process, Receiver("http://" + wait_until(listening, 10, "the receiver's address"))

    def config(self, name, url, interval, more=""):
        """Profiles this lab's JVMs and pushes to `url`."""
        return self.write(name, f'''
pyroscope.write "lab" {{
  endpoint {{
    url = "{url}"
  }}
}}

discovery.process "all" {{
  discover_config {{
    commandline = true
  }}
}}

discovery.relabel "lab" {{
  targets = discovery.process.all.targets
  rule {{
    action        = "keep"
    source_labels = ["__meta_process_commandline"]
    regex         = ".*-Dlab={self.token}-.*"
  }}
  rule {{
    source_labels = ["__meta_process_commandline"]
    regex         = ".*-Dlab={self.token}-([0-9]+).*"
    target_label  = "service_name"
    replacement   = "jvm-$1"
  }}
}}

pyroscope.java "lab" {{
  targets    = discovery.relabel.lab.output
  forward_to = [pyroscope.write.lab.receiver]
  profiling_config {{
    interval    = "{interval}"
    cpu         = true
    sample_rate = 100
    alloc       = "512k"
    lock        = "10ms"
    {more}
  }}
}}
''')

    def agent_command(self, config, port, *flags):
        return [self.args.smolder, "run", f"--server.http.listen-addr=127.0.0.1:{port}",
                f"--storage.path={self.path('data')}", *flags, config]

    def agent(self, config, *flags):
        port = free_port()
        process = self.start("smolder", self.agent_command(config, port, *flags))
        process.url = f"http://127.0.0.1:{port}"
        return process


def stat_fields(pid):
    """The fields of /proc/PID/stat after the name: [0] is the state (field 3 of proc(5))."""
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rpartition(")")[2].split()


def cpu_seconds(pid):
    """User and system time of the process. The kernel scales both to the scheduler's exact run time; only the unit is
    coarse."""
    fields = stat_fields(pid)
    return (int(fields[11]) + int(fields[12])) / TICK


def cpu_seconds_with_children(pid):
    """To the nanosecond for living threads; clock ticks for what has ended: threads, and children that were waited
    for. Of a process that has ended itself nothing: its parent has it."""
    exact = 0
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):  # it ended meanwhile
                with open(f"/proc/{pid}/task/{thread}/schedstat") as f:
                    exact += int(f.read().split()[0])
        fields = [int(field) for field in stat_fields(pid)[11:15]]
    except OSError:
        return 0
    return max(exact / 1e9, sum(fields[:2]) / TICK) + sum(fields[2:]) / TICK


def family(pid):
    """The process and all its living descendants."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                children.setdefault(int(stat_fields(entry)[1]), []).append(int(entry))
            except OSError:
                continue  # it ended meanwhile
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found


def metric(text, name):
    """The sum over all series of a metric."""
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines()
               if line.startswith((name + " ", name + "{")))


def median(values):
    return statistics.median(values)
