"""A main process under the control of an attacker: what it asks of the helper. The test takes its socket, with the
privileges of the machine's root, stops it, and speaks in its place."""
import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import struct

from lab import check, config, equal, libc, proc_text, test

HEAD = struct.Struct("=IIIIQQQ")  # struct frame_head of src/priv/wire.h
START, PING, CRASHED = 0, 1 << 30, 2
SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438
DAEMON = 65532


@contextlib.contextmanager
def forged(agent):
    """Speaks in its place; it has no use afterwards."""
    try:
        yield Forged(agent)
    finally:
        agent.signal(signal.SIGKILL)
        agent.popen.send_signal(signal.SIGCONT)  # nsenter stops with what it runs
        agent.popen.wait(20)


class Forged:
    """The stopped main process's end of the helper's socket."""

    def __init__(self, agent):
        os.kill(agent.pid, signal.SIGSTOP)
        # The guard's was there first.
        sockets = [int(fd.name) for fd in pathlib.Path(f"/proc/{agent.pid}/fd").iterdir()
                   if os.readlink(fd).startswith("socket:")]
        pidfd = libc.syscall(SYS_PIDFD_OPEN, agent.pid, 0)
        taken = [socket.socket(fileno=libc.syscall(SYS_PIDFD_GETFD, pidfd, fd, 0)) for fd in sorted(sockets)]
        self.socket = [s for s in taken if s.family == socket.AF_UNIX][1]
        self.taken, self.id = taken, 1 << 40

    def ask(self, kind, body=b"", timeout_ms=9000):
        """Its answer: (result, bytes)."""
        self.id += 1
        self.socket.setblocking(True)
        self.socket.sendall(HEAD.pack(len(body), 0, kind, timeout_ms, self.id, 7, 0) + body)
        while True:
            length, _, result, _, number, _, _ = HEAD.unpack(self.receive(HEAD.size))
            answer = self.receive(length)
            if number == self.id:
                return result, answer

    def receive(self, size):
        got = b""
        while len(got) < size:
            check(select.select([self.socket], [], [], 15)[0], "no answer")
            got += self.socket.recv(size - len(got))
        return got


def request(jvm, dist=b"", options=b"event=itimer,chunktime=60,timeout=100", changes=b""):
    """struct jvm_request as src/jvm/operation/request.c encodes it."""
    start = int(proc_text(jvm.pid, "stat").rpartition(")")[2].split()[19])
    head = struct.pack("=QQQB128s400s7x", jvm.inner, start, 0, 0, changes, b"")
    return head + b"\0".join((b"/tmp", dist, options, b"", b""))


def nothing_to_profile(lab):
    return lab.agent(config=config(rules='rule {\n action = "drop"\n }'))


def reason(answer):
    return " ".join(text.decode() for text in re.findall(rb"[ -~]{12,}", answer))


@test
def forged_calls_beyond_the_table_are_refused(lab):
    with forged(nothing_to_profile(lab)) as main:
        equal(main.ask(PING)[0], PING, "answer to a ping")
        for call in ((99, b"", 1000), (START, b"x" * (1 << 17), 1000), (START, b"", 3600 * 1000)):
            equal(main.ask(*call)[0], CRASHED, f"answer to operation {call[0]}")
        equal(main.ask(PING)[0], PING, "answer to a ping afterwards")


@test
def forged_options_reach_no_file_of_a_jvm(lab):
    """With file= or log=, the JVM itself would overwrite what its user may write."""
    jvm = lab.jvm()
    treasure = lab.file("treasure", "gold\n")
    path = str(treasure).encode()
    with forged(nothing_to_profile(lab)) as main:
        for extra in (b",file=" + path, b",log=" + path, b",server=:1234", b",jfrsync=" + path, b",stop"):
            answer = reason(main.ask(START, request(jvm, options=b"event=itimer" + extra))[1])
            check("is not permitted" in answer, f"{extra}: {answer}")
        changes = b"event=ctimer,file=/" + b"x" * 128  # nor does it end
        main.ask(START, request(jvm, options=b"event=itimer,alloc=512k", changes=changes[:128]))
        equal(main.ask(PING)[0], PING, "answer to a ping afterwards")
    made = os.listdir(lab.machine.path("/"))
    check(not [name for name in made if name.startswith("xxx")], f"made by the JVM: {made}")
    equal(treasure.read_text(), "gold\n", "the JVM's file")
    check(jvm.alive(), "the JVM ended")


@test
def a_forged_library_is_loaded_by_no_jvm(lab):
    """The main process names the profiler's distribution by its path: one of its own would run in every JVM."""
    jvm = lab.jvm()
    own = lab.dir / "own"
    for name in ("lib/libasyncProfiler.so", "bin/asprof"):
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("/bin/true", own / name)
        os.chown(own / name, DAEMON, DAEMON)
    with forged(nothing_to_profile(lab)) as main:
        answer = reason(main.ask(START, request(jvm, dist=str(own).encode()))[1])
    check(f"belongs to user {DAEMON}" in answer, answer)
    check("asyncProfiler" not in proc_text(jvm.pid, "maps"), "the JVM has the library mapped")
