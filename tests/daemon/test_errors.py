"""Mistakes of people and of the system: a clear line, the right exit status, never a crash."""
import os
import pty
import re
import subprocess
import time

from lab import CONTAINER, TERMINAL_CONTROL, check, config, cpu_seconds, equal, said_to_terminal, test, wait_for

DIAGNOSTICS = {
    "unknown component": ("""discovery.absent "y" { }
""", """Error: config.alloy:1:1: cannot find the definition of component name "discovery.absent"

1 | discovery.absent "y" { }
  | ^^^^^^^^^^^^^^^^
2 |
"""),
    "missing reference": ("""discovery.relabel "z" {
  targets = discovery.process.missing.targets
}
""", """Error: config.alloy:2:13: component "discovery.process.missing.targets" does not exist or is out of scope

1 | discovery.relabel "z" {
2 |   targets = discovery.process.missing.targets
  |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
3 | }
"""),
    "syntax": ("""logging {
  level =
}
""", """Error: config.alloy:3:1: expected expression, got }

2 |   level =
3 | }
  | ^
4 |
"""),
    "unknown attribute": ("""discovery.process "all" {
  refresh = "60s"
}
""", """Error: config.alloy:2:3: unrecognized attribute name "refresh"

1 | discovery.process "all" {
2 |   refresh = "60s"
  |   ^^^^^^^^^^^^^^^
3 | }
"""),
    "wrong type": ("""discovery.process "all" {
  discover_config {
    exe = "yes"
  }
}
""", """Error: config.alloy:3:11: "yes" should be bool, got string

2 |   discover_config {
3 |     exe = "yes"
  |           ^^^^^
4 |   }
"""),
}
# A part of the configuration -> what must be said about it.
REFUSED = {
    'custom_arguments = ["-d", "30"]': "-d is not allowed here",
    'custom_arguments = ["-o", "flamegraph"]': "-o",
    'custom_arguments = ["--loop", "1m"]': "--loop",
    'custom_arguments = ["--chunktime", "5"]': "--chunktime",
    'custom_arguments = ["stop"]': "stop",
    'custom_arguments = ["1234"]': "1234",
    'interval = "500ms"': "interval",
    'sample_rate = -5': "sample_rate",
    'alloc = "many"': "alloc",
    'lock = "x"': "lock",
    'roll_over = "1s"': "roll_over",
    'log_level = "LOUD"': "log_level",
    'tlab = true\nalloc = ""': "tlab",
}


def run_to_end(lab, *args, config=None):
    agent = lab.start_agent("--server.http.listen-addr=", *args, config=config)
    status = agent.wait(10)
    return status, agent.text()


def without_place(lab, text):
    lines = text.replace(f"{lab.dir}/", "").split("ts=")[0].split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


@test
def config_errors_show_the_place(lab):
    for what, (text, wanted) in DIAGNOSTICS.items():
        status, said = run_to_end(lab, config=text)
        equal(without_place(lab, said), wanted.strip("\n"), what)
        equal(status, 1, f"exit status of: {what}")


def on_terminal(command, **environment):
    """What a program writes to standard error if that is a terminal."""
    ours, theirs = pty.openpty()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=theirs, env={"TERM": "xterm", **environment}, check=False)
    os.close(theirs)
    text = os.read(ours, 65536).decode().replace("\r\n", "\n")
    os.close(ours)
    return text


@test
def only_terminals_see_colours(lab):
    command = [str(lab.smolder), "validate", lab.file("old.alloy", "logging {\n\tlevel = to_lower(1)\n\tx = 2\n}\n")]
    coloured = on_terminal(command)
    check("\x1b[31;1mError: \x1b[0m\x1b[1m" in coloured and "\x1b[33;1mWarning: \x1b[0m\x1b[1m" in coloured, coloured)
    plain = subprocess.run(command, capture_output=True, text=True).stderr
    equal(re.sub(r"\x1b\[[0-9;]*m", "", coloured), plain, "the text without colours")
    equal(on_terminal(command, NO_COLOR="1"), plain, "with NO_COLOR")
    equal(on_terminal(command, TERM="dumb"), plain, "on a terminal that cannot")
    equal(on_terminal(command, NO_COLOR=""), coloured, "with NO_COLOR set to nothing")


@test
def no_command_sends_a_terminal_what_a_file_says(lab):
    """Escape sequences, C0 and C1 controls of foreign text are spelt out there, and go unchanged to a pipe."""
    evil = "\x1b]0;owned\x07\x1b[2J\u009b31m"
    lab.file("bad.alloy", f'x "{evil}" {{\n  y = "{evil}\n}}\n')
    lab.file("good.alloy", f'// {evil}\nlogging {{ }}\n')
    lab.file(f"{evil}.alloy", "x = \n")
    lab.file(f"x{evil}.jfr", "no recording")
    commands = (["fmt", "good.alloy"], ["fmt", "bad.alloy"], ["fmt", f"{evil}.alloy"], ["fmt", f"-{evil}"],
                ["fmt", "-t", "good.alloy", f"{evil}.alloy"],
                ["validate", "bad.alloy"], ["validate", f"{evil}.alloy"], ["validate", f"no{evil}"],
                ["validate", "--format=json", "bad.alloy"],
                ["convert", f"x{evil}.jfr", "--format=collapsed"], ["convert", f"no{evil}", "--format=text"], [evil],
                ["reference", evil],
                ["run", f"--storage.path={lab.dir}/data", "--server.http.listen-addr=127.0.0.1:0", "bad.alloy"],
                ["run", f"--{evil}"], ["forgive", f"--{evil}"])
    for command in commands:
        shown = said_to_terminal([str(lab.smolder), *command], lab.dir)
        check(not TERMINAL_CONTROL.search(shown), f"{command}: {shown}")
    equal(said_to_terminal([str(lab.smolder), "fmt", "good.alloy"],
                           lab.dir).count(rb"\x1b]0;owned\x07\x1b[2J\xc2\x9b31m"), 1, "spelt out")
    piped = subprocess.run([str(lab.smolder), "fmt", lab.dir / "good.alloy"], capture_output=True, check=True).stdout
    check(evil.encode() in piped, f"to a pipe: {piped}")


@test
def wrong_arguments_are_refused_by_name(lab):
    for argument, word in REFUSED.items():
        status, said = run_to_end(lab, config=config(argument))
        check(word in said and re.search(r"config\.alloy:\d+:\d+", said), f"{argument}: {said}")
        equal(status, 1, f"exit status of: {argument}")


@test
def wrong_usage(lab):
    status, said = run_to_end(lab, str(lab.dir / "missing.alloy"))
    check("missing.alloy" in said and "No such file" in said, said)
    equal(status, 1, "exit status of a missing file")
    status, said = run_to_end(lab, "--no-such-flag")
    check("--no-such-flag" in said, said)
    equal(status, 2, "exit status of an unknown flag")
    status, said = run_to_end(lab, "--stability.level=brave", config="")
    check("brave" in said and "experimental" in said, said)
    equal(status, 2, "exit status of a bad flag value")
    status, said = lab.call([lab.smolder, "no-such-command"])
    equal(status, 2, "exit status of an unknown command")
    status, said = run_to_end(lab, config="a = \n" * 5000)
    equal(status, 1, "exit status of nonsense")
    check(len(said) < 20000, f"{len(said)} bytes of output about nonsense")


@test
def taken_port_names_its_holder(lab):
    receiver = lab.receiver()
    for args in (["--server.http.listen-addr=127.0.0.1:4040"],
                 ["--server.http.listen-addr=", "--store.listen=127.0.0.1:4040"]):
        agent = lab.start_agent(*args, config="")
        equal(agent.wait(10), 3, "exit status")
        wanted = f"127.0.0.1:4040: address already in use by receiver (pid {receiver.process.inner})"
        check(wanted in agent.text(), f"{wanted!r} is not in: {agent.text()}")


@test
def full_disk_for_the_store(lab):
    """The store's folder cannot be made."""
    blocker = lab.file("data", "a file is here")
    agent = lab.start_agent("--server.http.listen-addr=", "--store.listen=127.0.0.1:4040", config="")
    equal(agent.wait(10), 3, "exit status")
    check("data" in agent.text() and "store" in agent.text(), agent.text())
    equal(blocker.read_text(), "a file is here", "the file")


@test(weight=0)
def full_tmp_dir(lab):
    """On the host: reported, healthy again when there is space. Nothing is left half written."""
    tmp = lab.machine.path("/tmp")
    lab.call(["mount", "-o", "remount,size=256k", "/tmp"])
    agent = lab.agent(config=config())
    agent.wait_log("cannot install async-profiler.*No space left")
    check(agent.http("GET", "/-/healthy")[0] == 500, "still called healthy")
    check("pyroscope.java.test" in agent.http("GET", "/-/healthy")[1], "the unhealthy component is not named")
    equal([str(p) for p in tmp.rglob("*") if p.is_file()], [], "files in the full folder")
    lab.call(["mount", "-o", "remount,size=64m", "/tmp"])
    wait_for("health", lambda: agent.http("GET", "/-/healthy")[0] == 200, 40, 0.5)


@test
def full_tmp_dir_of_a_target(lab):
    receiver = lab.receiver()
    small = list(CONTAINER)
    at = small.index("-c") + 1
    small[at] = small[at].replace("mode=1777", "mode=1777,size=300k")
    bad, good = lab.jvm(wrapper=small), lab.jvm()
    agent = lab.agent(config=config())
    agent.wait_reason(bad, "[Nn]o space")
    receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(good.inner))
    equal(bad.temporaries()[1:], [], "left in the full /tmp beside the library's folder")
    check(sum(p.stat().st_size for p in bad.root("/tmp").rglob("*.so")) == 0, "a part of a library is left")


@test
def bad_targets_are_reported_once(lab):
    receiver = lab.receiver()
    jvm = lab.jvm()
    agent = lab.agent(config=f"""
pyroscope.write "test" {{
  endpoint {{ url = "{receiver.url}" }}
}}
pyroscope.java "test" {{
  targets = [
    {{"service_name" = "nameless"}},
    {{"service_name" = "wordy", "__process_pid__" = "twelve"}},
    {{"service_name" = "negative", "__process_pid__" = "-1"}},
    {{"service_name" = "huge", "__process_pid__" = "99999999999999999999"}},
    {{"service_name" = "absent", "__process_pid__" = "4000000"}},
    {{"service_name" = "real", "__process_pid__" = "{jvm.inner}", "__secret" = "x", "zone" = "b"}},
  ]
  forward_to = [pyroscope.write.test.receiver]
  profiling_config {{
    interval = "1s"
  }}
}}
""")
    receiver.wait_stack("Shop.bake", type="process_cpu", service="real")
    for name in ("nameless", "wordy", "negative", "huge", "absent"):
        agent.wait_log(f"target skipped.*{name}")
    agent.reload()
    receiver.wait(4, type="process_cpu", seconds=10)
    for name in ("nameless", "wordy", "negative", "huge", "absent"):
        equal(len(agent.lines(f"target skipped.*{name}")), 1, f"lines about {name}")
    labels = receiver.profiles(type="process_cpu")[0]["labels"]
    equal(sorted(labels), ["__delta__", "__name__", "jfr_event", "otel.scope.name", "otel.scope.version",
                           "pyroscope_spy", "service_name", "zone"], "labels")


@test
def unreadable_processes(lab):
    """Kernel threads, zombies and processes that come and go are no trouble and no noise."""
    lab.run(["sh", "-c", "while :; do (exit 0) & sleep 0.02; done"])
    lab.run(["sh", "-c", "sleep 0.01 & exec sleep 600"])  # its child stays a zombie
    receiver = lab.receiver()
    jvm = lab.jvm()
    agent = lab.agent(config=config())
    receiver.wait_stack("Shop.bake", type="process_cpu")
    equal(agent.lines("level=(warn|error)"), [], "warnings")
    check(jvm.alive(), "the JVM ended")


@test
def forbidden_processes(lab):
    """Without CAP_SYS_PTRACE the kernel hides the executables of those who have it: said once, not at each refresh."""
    other = lab.run(["sleep", "600"])
    text = config().replace('refresh_interval = "60s"', 'refresh_interval = "200ms"')
    agent = lab.agent(config=text, wrapper=["setpriv", "--bounding-set", "-sys_ptrace"])
    agent.wait_log(f"cannot read a process.* pid={other.inner} .*Permission denied")
    before, begun = cpu_seconds(agent.pid), time.monotonic()
    later = lab.run(["sleep", "600"])  # seen by a refresh only, and by the one after that not reported again
    agent.wait_log(f"cannot read a process.* pid={later.inner} ")
    time.sleep(2)
    share = (cpu_seconds(agent.pid) - before) / (time.monotonic() - begun)
    for process in (other, later):
        equal(len(agent.lines(f"cannot read a process.* pid={process.inner} ")), 1, "lines about one process")
    check(share < 0.5, f"the agent is busy: {share:.2f} of a core")
