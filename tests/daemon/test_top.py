"""smolder top: live in a terminal, as tables for scripts, and the terminal as it was afterwards."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios

from lab import check, config, descendants, equal, proc_text, test, wait_for
from test_store_alone import push, store

ENTER, LEAVE = "\033[?1049h", "\033[?1049l"
CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"


class Terminal:
    """smolder top in a terminal of its own; what it wrote, and the frame that stands there."""

    def __init__(self, lab, *args, columns=80, rows=24):
        self.master, self.slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.text = ""

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        self.popen = subprocess.Popen(
            ["nsenter", "-t", str(lab.machine.init), "-m", "-p", "-n", "-i", "--", str(lab.smolder), "top", *args],
            stdin=self.slave, stdout=self.slave, stderr=self.slave, preexec_fn=own_terminal,
            env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"})
        lab.machine.processes.append(self)
        self.pid = wait_for("smolder top", self.find, 20)

    def find(self):
        for pid in descendants(self.popen.pid):
            if proc_text(pid, "comm").strip() == "smolder":
                return pid
        return None

    def read(self, seconds=0.05):
        while select.select([self.master], [], [], seconds)[0]:
            try:
                self.text += os.read(self.master, 65536).decode(errors="replace")
            except OSError:
                break
            seconds = 0
        return self.text

    def frame(self):
        """Lines of the last frame that is whole."""
        frames = self.read().split("\033[H")
        for text in reversed(frames):
            lines = re.sub(r"\033\[[?0-9;]*[a-zA-Z]", "", text).replace("\r", "").split("\n")
            if lines[-1].startswith("q quit"):
                return lines
        return []

    def wait(self, pattern, seconds=60):
        """Until the frame shows it; the frame."""
        def shown():
            return self.frame() if re.search(pattern, "\n".join(self.frame()), re.M) else None
        try:
            return wait_for(f"/{pattern}/ on the screen", shown, seconds)
        except Exception as e:
            raise type(e)(f"{e}:\n" + "\n".join(self.frame() or [self.text[-500:]])) from None

    def type(self, keys):
        os.write(self.master, keys.encode())

    def resize(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self, status):
        """It ends by itself, and the terminal is as it was."""
        def ended():
            self.read()
            return self.popen.poll() is not None
        wait_for("the end of smolder top", ended, 20)
        equal(self.popen.returncode, status, f"exit status ({self.text[-300:]!r})")
        self.check_given_back()

    def check_given_back(self):
        self.read()
        check(self.text.rfind(LEAVE) > self.text.rfind(ENTER), f"the screen was not left: {self.text[-200:]!r}")
        check(self.text.rfind("\033[?25h") > self.text.rfind("\033[?25l"), "the cursor is hidden")
        check(self.text.rfind("\033[?7h") > self.text.rfind("\033[?7l"), "lines do not wrap")
        equal(termios.tcgetattr(self.slave), self.before, "settings of the terminal")
        equal(fcntl.fcntl(self.slave, fcntl.F_GETFL) & os.O_NONBLOCK, 0, "O_NONBLOCK of the terminal")

    def close(self):
        with contextlib.suppress(OSError):
            os.close(self.master)
            os.close(self.slave)


def once(lab, *args):
    status, text = lab.call([lab.smolder, "top", "--once", *args])
    return status, text


def hot(lab, method):
    """Whether that is one of the methods shown."""
    status, text = once(lab, "--json", "--rows=50")
    return status == 0 and method in [m["name"] for m in json.loads(text)["methods"]]


def running(lab):
    """An agent with a store in which a JVM's profiles are."""
    lab.jvm()
    lab.agent("--store.listen=127.0.0.1:4040",
              config=config(rules='rule {\n replacement = "shop"\n target_label = "service_name"\n }'))
    wait_for("the JVM's methods", lambda: hot(lab, "Shop.bake"), 60, 0.5)


@test
def top_is_live_in_a_terminal(lab):
    """Services and methods of a real JVM at 80x24; keys, another size, and the terminal as it was."""
    running(lab)
    top = Terminal(lab, "--interval=500ms")
    frame = top.wait(r"^shop .*\n(.*\n)*.*Shop\.")
    equal(len(frame), 24, "lines")
    check(max(map(len, frame)) <= 80, f"lines are too long: {frame}")
    check(frame[0].startswith("smolder top  process_cpu:cpu  60s until "), frame[0])
    check("CORES in 1 service" in frame[1], frame[1])
    check(re.search(r"CORES +SELF +TOTAL METHODS of all services, by self", "\n".join(frame)), frame)
    top.type("s")
    top.wait("by total")
    top.type("\033[B")
    top.wait(r"METHOD of shop, by total")
    top.wait(r"Shop\.")
    top.type("\r")
    frame = top.wait(r"\A.*\n.*\n +CORES +SELF +TOTAL METHOD of shop")
    check("SERVICE" not in "\n".join(frame), frame)
    top.type("\033")
    top.wait(r"^SERVICE .*\n(.*\n)*.*METHODS of all services")
    top.type("t")
    top.wait(r"\Asmolder top  (?!process_cpu)\S+:\S+")
    top.type("T")
    top.wait(r"\Asmolder top  process_cpu:cpu")
    top.type("p")
    top.wait(r"\A.*  paused")
    top.type("+")
    top.wait(r"\A.*  120s")
    top.resize(120, 40)
    equal(len(top.wait(r"\A(.*\n){39}q quit")), 40, "lines of a larger terminal")
    top.resize(30, 8)
    equal(len(top.wait(r"\A(.*\n){7}q quit")), 8, "lines of a smaller terminal")
    top.type("q")
    top.end(0)
    top.close()


@test
def top_gives_the_terminal_back(lab):
    """Whatever ends it, and while it is suspended."""
    store(lab)
    equal(push(lab, "shop", 10**9)[0], 200, "a push")
    for number, status in ((signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGQUIT, 0), (signal.SIGINT, 0),
                           (signal.SIGSEGV, 128 + signal.SIGSEGV), (signal.SIGABRT, 128 + signal.SIGABRT)):
        top = Terminal(lab, "--from=http://127.0.0.1:4040")
        top.wait("^shop ")
        if number == signal.SIGINT:
            top.type("\x03")
        else:
            os.kill(top.pid, number)
        wait_for("the end", lambda top=top: top.popen.poll() is not None or (top.read() and False), 20)
        if number != signal.SIGINT:  # which ends nsenter, too
            check(top.popen.returncode in ((status, -number) if status else (0,)),
                  f"exit status after {number.name}: {top.popen.returncode}")
        top.check_given_back()
        top.close()
    top = Terminal(lab, "--from=http://127.0.0.1:4040")
    top.wait("^shop ")
    os.kill(top.pid, signal.SIGTSTP)
    wait_for("the stop", lambda: re.search(r"^State:\s+T", proc_text(top.pid, "status"), re.M), 20)
    top.check_given_back()
    seen = len(top.read())
    os.kill(top.pid, signal.SIGCONT)
    os.kill(top.popen.pid, signal.SIGCONT)
    wait_for("another frame", lambda: ENTER in top.read()[seen:] and top.text[seen:].count("q quit"), 20)
    top.type("q")
    top.end(0)
    top.close()


@test
def top_prints_tables_for_scripts(lab):
    """--once, --batch and --json, from a store and from an agent; the services in order, the methods of one."""
    alone = store(lab)
    for service, value in (("shop", 3 * 10**9), ("api", 10**9)):
        equal(push(lab, service, value)[0], 200, "a push")
    status, text = once(lab, "--range=10s")
    equal(status, 0, f"exit status of --once ({text})")
    check(re.search(r"CORES +SHARE  SERVICE\n +0\.300 +75\.0%  shop\n +0\.100 +25\.0%  api\n", text), text)
    check(re.search(r"CORES +SELF +TOTAL  METHOD\n +0\.400 +100\.0% +100\.0%  work\n +0\.000 +0\.0% +100\.0%  main\n",
                    text), text)
    check("\033" not in text, "escape sequences in a table")
    status, text = once(lab, "--json", "--range=10s", "--service=api", "--from=http://127.0.0.1:4040/")
    shown = json.loads(text)
    equal((shown["type"], shown["service"], shown["value"]), (CPU, "api", 4 * 10**9), "the object")
    equal(shown["methods"], [{"name": "work", "self": 10**9, "total": 10**9},
                             {"name": "main", "self": 0, "total": 10**9}], "methods")
    status, text = lab.call([lab.smolder, "top", "--batch", "--count=2", "--interval=500ms", "--json"])
    equal((status, [json.loads(line)["value"] for line in text.splitlines()]), (0, [4 * 10**9] * 2), "a batch")
    status, text = lab.call([lab.smolder, "top"])  # no terminal: as --once
    equal(status, 0, f"exit status without a terminal ({text})")
    check("SERVICE" in text, text)
    # The same by way of an agent, and without the store.
    alone.stop()
    status, text = once(lab)
    equal(status, 3, f"exit status without a store ({text})")
    check("127.0.0.1:4040" in text, text)
    agent = lab.agent("--store.listen=127.0.0.1:4055", config="")
    status, text = once(lab)
    equal(status, 3, f"exit status with an empty store ({text})")
    check("no profile was stored" in text, text)
    agent.stop()
    agent = lab.agent("--store.listen=127.0.0.1:4055", "--server.http.ui-path-prefix=/deep", config="")
    status, text = once(lab, "--from=http://127.0.0.1:12345/deep/")
    equal(status, 3, f"exit status with an empty store of an agent with a prefix ({text})")
    check("no profile was stored" in text, text)
    agent.stop()
    lab.agent(config="")
    status, text = once(lab)
    equal(status, 3, f"exit status with an agent without a store ({text})")
    check("keeps no profiles (--store.listen)" in text, text)


@test
def top_says_what_is_wrong(lab):
    """Flags, a server that is none, a token."""
    for flag, text in (("--range=1s", "--range=1s: expected a duration from 10000 ms"),
                       ("--interval=x", "--interval=x: expected a duration"),
                       ("--rows=0", "--rows=0: expected a number"),
                       ("--sort=size", "expected one of self|total|name"), ("extra", "unexpected argument")):
        status, said = once(lab, flag)
        equal(status, 2, f"exit status with {flag} ({said})")
        check(text in said, said)
    store(lab, "--store.auth=token")
    token = (lab.dir / "profiles/store.token").read_text().strip()
    equal(push(lab, "shop", 10**9, {"Authorization": f"Bearer {token}"})[0], 200, "a push")
    status, said = once(lab, "--from=http://127.0.0.1:4040")
    equal(status, 3, f"exit status without the token ({said})")
    check("requires authentication" in said and "--token-file" in said, said)
    for args in ([f"--token-file={lab.dir}/profiles/store.token"], [f"--from=http://127.0.0.1:4040/?token={token}"]):
        status, said = once(lab, *args)
        equal(status, 0, f"exit status with the token ({said})")
        check("shop" in said and token not in said, said)
    status, said = once(lab, "--from=http://127.0.0.1:4040", "--type=nothing",
                        f"--token-file={lab.dir}/profiles/store.token")
    equal(status, 3, f"exit status with a type that is not there ({said})")
    check("there are no profiles of type nothing" in said, said)
