"""What attackers are made of: fake JVMs, the rights they have, what they must not reach, and proof that it was not
reached.

The programs beside this file are compiled into the cache of the end-to-end tests and are run from the staging folder,
by users of the machine that have no right but those of any local user.
"""
import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import time

from lab import CACHE, Failure, Process, Skip, built, check, config, equal, exe_of, need_java, proc_text, wait_for

HERE = pathlib.Path(__file__).resolve().parent
MALLORY, EVE, ALICE = 4321, 4322, 1234  # two attackers and a user who has nothing to do with them
FOLDER = "grafana-agent-asprof-glibc-"


def compiled(name):
    """The program of NAME.c."""
    source = HERE / f"{name}.c"
    return built(CACHE / "adversary" / name, [source],
                 ["cc", "-O1", "-Wall", "-Wextra", "-Werror", str(source), "-lpthread"])


def staged(lab, name, called=None):
    """The program where users of the machine can run it."""
    path = lab.dir / "programs" / name / (called or name)
    if not path.exists():
        # By a process of its own: a child that another test forks meanwhile would hold the file open for writing
        # (ETXTBSY).
        subprocess.run(["install", "-D", "-m", "755", str(compiled(name)), str(path)], check=True)
    return path


def real_library():
    return next(pathlib.Path(need_java(17)).glob("lib/server/libjvm.so"))


# ---------------------------------------------------------------------------------------------- who attacks

def user(uid=MALLORY):
    """An ordinary local user."""
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"]


def own_namespaces(uid=MALLORY, script="", *more):
    """A local user who is root of a user namespace of his own, with mounts of his own. `script` sets them up."""
    return [*user(uid), "unshare", "--user", *(more or ["--map-root-user"]), "--mount", "--propagation", "private",
            "sh", "-c", 'set -e\n' + script + '\nexec "$@"', "attacker"]


PRIVATE_TMP = "mount -t tmpfs -o mode=1777 attacker /tmp\n"
NO_VAR_TMP = "mount --bind /var/tmp /var/tmp; mount -o remount,bind,ro /var/tmp\n"  # the tests' programs lie there

# What a container runtime leaves its root.
DOCKER = ("chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,mknod,"
          "audit_write,setfcap")


def container_root(script="", capabilities=DOCKER):
    """Root in a container without a user namespace: what `script` sets up is what its runtime, or whoever wrote its
    specification, has mounted."""
    bounding = "-all" + "".join(",+" + c for c in capabilities.split(",") if c)
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
            "sh", "-c", "set -e\n" + PRIVATE_TMP + script + '\nexec setpriv --bounding-set=' + bounding +
            ' --inh-caps=-all "$@"', "container"]


def mapped(ranges, script="", creator=()):
    """Root of a user namespace whose ids root has mapped, as newuidmap and container runtimes do; `ranges` is the map's
    text. `creator` is put before what makes the namespace."""
    inside = "until [ \"$(cat /proc/self/uid_map)\" ]; do sleep 0.05; done; exec \"$@\""
    outside = ('"$@" & p=$!; until [ "$(readlink /proc/$p/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do sleep '
               '0.02; done; '
               f'printf "{ranges}" >/proc/$p/gid_map && printf "{ranges}" >/proc/$p/uid_map; wait $p')
    return ["sh", "-c", outside, "runtime", *creator, "unshare", "--user", "--keep-caps", "sh", "-c", inside, "mapped",
            "setpriv", "--reuid=0", "--regid=0", "--clear-groups", "unshare", "--mount", "--pid", "--fork",
            "--kill-child",
            "--mount-proc", "--propagation", "private", "sh", "-c", "set -e\n" + script + '\nexec "$@"', "container"]


def pod(tmp="1777", owner="0:0", script="", uid=ALICE, capabilities=None):
    """A container of an orchestrator: a fresh volume at /tmp of that mode and owner, and a user that no passwd
    names."""
    drop = []
    if capabilities is not None:
        drop = ["--bounding-set=-all" + "".join(",+" + c for c in capabilities.split(",") if c), "--inh-caps=-all"]
    volume = f"mount -t tmpfs -o mode=0755 volume /tmp\nchown {owner} /tmp\nchmod {tmp} /tmp\n"
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
            "sh", "-c", "set -e\n" + volume + script + '\nexec "$@"', "pod",
            "setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *drop, "--"]


def need_user_namespaces(lab):
    status, text = lab.call([*own_namespaces(), "true"])
    if status:
        raise Skip(f"no user namespaces here: {text.strip()}")


def need_fuse(lab):
    """Puts a /dev/fuse for everyone into the machine, as distributions have it."""
    status, text = lab.call(["sh", "-c", "mknod /tmp/fuse c 10 229 && chmod 666 /tmp/fuse && "
                             "{ [ -e /dev/fuse ] || { mkdir -p /tmp/dev && cp -a /dev/. /tmp/dev 2>/dev/null; }; } && "
                             "mount --bind /tmp/fuse /dev/fuse && "
                             f"mkdir /tmp/try && {staged(lab, 'silentfs')} page /tmp/try && umount -l /tmp/try"])
    if status:
        raise Skip(f"no FUSE here: {text.strip()}")


# ---------------------------------------------------------------------------------------------- fake JVMs

class Fake(Process):
    """fakejvm.c: what it says on its output is what it saw."""

    def said(self, word):
        return [line.split(" ", 4) for line in self.text().splitlines() if line.startswith(word + " ")]

    def connections(self):
        """[(uid, gid, pid, request)] of those who connected, as this process sees them."""
        return [(int(w[1]), int(w[2]), int(w[3]), w[4] if len(w) > 4 else "") for w in self.said("conn")]

    def quits(self):
        return len(re.findall(r"^quit$", self.text(), re.M))

    def root(self, name):
        return pathlib.Path(f"/proc/{self.pid}/root{name}")

    @property
    def pids(self):
        """Of all of them, in their own numbers."""
        return [int(w[1]) for w in self.said("ready")]


def fake(lab, wrapper=None, ready=True, env=None, **options):
    """A fake JVM, by default of an ordinary user. Its executable is called java; options are fakejvm.c's."""
    options.setdefault("lib", real_library())
    java = staged(lab, "fakejvm", "java")
    command = [*(user() if wrapper is None else wrapper), java, *(f"{k}={v}" for k, v in options.items())]
    process = Fake(lab.machine, command, lab.output("fake"), find=lambda pid: exe_of(pid).endswith("/java"), env=env)
    process.locate()
    if ready:
        wait_for("fake JVM", lambda: len(process.pids) >= int(options.get("count", 1)) or not process.alive(), 30)
        check(process.alive(), f"the fake JVM ended: {process.text()}")
    return process


def innocent(lab, uid=ALICE, wrapper=None, **kw):
    """A real JVM of a user who has nothing to do with all this."""
    return lab.jvm(wrapper=user(uid) if wrapper is None else wrapper, **kw)


def settled(agent, process, seconds=20):
    """Waits until the agent has made up its mind about the process, and returns what it says."""
    def decided():
        entry = agent.jvms().get(process.inner) or {}
        waits = "min_age" in entry.get("reason", "")  # it is too young to be looked at
        return entry if entry.get("state") == "profiling" or entry.get("reason") and not waits else None
    return wait_for(f"decision about {process.inner}", decided, seconds, 0.1)


def settled_twice(agent, process, seconds=20):
    """Waits for a decision, and for the tries of a few seconds after it."""
    settled(agent, process, seconds)
    time.sleep(1.5)  # what comes later must do no harm either: there is no event to wait for
    return settled(agent, process, seconds)


_places = {}


def library_place(lab, uid=MALLORY):
    """(folder, file): where the library goes in the /tmp of a target of this user, as the agent told a target to load
    it; so an attacker who has seen it once knows it. A pattern when it is another each time."""
    if uid not in _places:
        agent = lab.agent(config=config())
        target = fake(lab, own_namespaces(uid, PRIVATE_TMP))
        loaded = wait_for("library", lambda: target.said("load"), 20)[0][4]
        agent.stop()
        target.kill()
        _places[uid] = str(pathlib.Path(loaded).parent.parent), loaded
    return _places[uid]


LISTENER = """
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
s.listen(5)
print("up", flush=True)
while True:
    c, _ = s.accept()
    c.settimeout(1)
    try: print("GOT", c.recv(100), flush=True)
    except OSError as e: print("OPEN", e, flush=True)
"""


def listener(lab, path, wrapper=()):
    """Somebody's socket, which says what it gets: "GOT b'…'", and "OPEN" for a connection that says nothing."""
    process = lab.run([*wrapper, sys.executable, "-c", LISTENER, path], name="listener")
    wait_for("listener", lambda: "up" in process.text())
    return process


def remove_group(path, above=0):
    """Ends what is in a control group and removes it, and so many folders above it."""
    path = pathlib.Path(path)
    wait_for("end of the control group's processes", lambda: not kill_all(path), 10)
    for folder in [path, *list(path.parents)[:above]]:
        wait_for(f"end of {folder}", lambda folder=folder: gone(folder), 10)


def kill_all(group):
    pids = [int(p) for p in (group / "cgroup.procs").read_text().split()]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return pids


def gone(folder):
    """Control groups are busy for a moment after their last process."""
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


# ---------------------------------------------------------------------------------------------- what must stay as it is

def snapshot(folder):
    """Everything about a tree that a caller could have changed: {path: (type and mode, uid, gid, links, size, times,
    content)}."""
    result = {}
    folder = pathlib.Path(folder)
    for path in [folder, *sorted(folder.rglob("*"))]:
        st = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(st.st_mode) else ""
        result[str(path.relative_to(folder))] = (oct(st.st_mode), st.st_uid, st.st_gid, st.st_nlink, st.st_size,
                                                 st.st_mtime_ns, st.st_ctime_ns, content)
    return result


class Victim:
    """A folder that only root may enter, with files of the names that the agent itself uses."""

    NAMES = ("log", "out", "session.jfr", "file", "libasyncProfiler.so")

    def __init__(self, lab, name="victim", mode=0o700):
        self.inner = f"/srv/{name}"
        lab.call(["sh", "-c", "mountpoint -q /srv || mount -t tmpfs -o mode=0755 victims /srv; "
                  f"mkdir -p {self.inner}/lib {self.inner}/bin"])
        self.path = lab.machine.path(self.inner)
        for file in self.NAMES:
            (self.path / file).write_text("root's own")
            (self.path / file).chmod(0o600)
        (self.path / "lib" / "libasyncProfiler.so").write_text("root's own")
        self.path.chmod(mode)
        self.before = snapshot(self.path)

    def check_untouched(self):
        after = snapshot(self.path)
        changed = {k: (self.before.get(k), after.get(k)) for k in self.before.keys() | after.keys()
                   if self.before.get(k) != after.get(k)}
        check(not changed, f"changed in root's folder: {changed}")


def owned_by_root(folder, known=()):
    """Files below a folder that belong to root of the host and are not among the known."""
    found = []
    for path in sorted(pathlib.Path(folder).rglob("*")):
        with contextlib.suppress(OSError):
            if path.lstat().st_uid == 0 and str(path) not in known:
                found.append(str(path.relative_to(folder)))
    return found


def rights(status):
    """Of a process, from the text of its /proc/PID/status."""
    def field(name):
        line = re.search(rf"^{name}:[ \t]*(.*)$", status, re.M)
        return line[1].split() if line else []
    return {name: field(name) for name in ("Name", "Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapInh", "CapAmb",
                                           "NoNewPrivs")}


def check_rights(got, uid, gid, groups=()):
    """The rights of `uid`, and none of root's."""
    equal(got["Uid"], [str(uid)] * 4, f"user ids of {got['Name']}")
    equal(got["Gid"], [str(gid)] * 4, f"group ids of {got['Name']}")
    equal(sorted(got["Groups"]), sorted(map(str, groups)), f"groups of {got['Name']}")
    for name in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
        equal(int(got[name][0], 16), 0, f"{name} of {got['Name']}")
    equal(got["NoNewPrivs"], ["1"], f"no_new_privs of {got['Name']}")


def machine_status(lab, pid):
    """/proc/PID/status by the machine's number."""
    try:
        return lab.machine.path(f"/proc/{pid}/status").read_text()
    except OSError:
        return ""


def connected(lab, target):
    """Processes at the other end of the target's attach socket, by the machine's numbers: those of the agent that have
    a socket open while the target still owes an answer."""
    if len(target.connections()) == 0:
        return []
    pid = target.connections()[-1][2]
    if pid:
        return [pid]
    found = []
    for status in lab.machine.path("/proc").glob("[0-9]*/comm"):
        try:
            # One that reads recordings stays a while, as the user of an earlier target.
            if status.read_text().startswith("smolder-") and status.read_text().strip() not in (
                    "smolder-guard", "smolder-priv", "smolder-read"):
                found.append(int(status.parent.name))
        except OSError:
            pass
    return found


def probe_seconds(agent, path="/-/ready", timeout=10):
    """How long the agent took to say that it is ready."""
    begun = time.monotonic()
    try:
        status, text = agent.http("GET", path, timeout=timeout)
    except OSError as e:
        raise Failure(f"no answer to {path} within {time.monotonic() - begun:.1f} s: {e}") from None
    equal(status, 200, f"{path}: {text[:200]}")
    return time.monotonic() - begun


def check_live(agent, seconds=3, worst=0.5):
    """The agent answers at once, for so long. A machine that others use stalls now and then: once that is forgiven, if
    it is not long."""
    end, slow = time.monotonic() + seconds, []
    while time.monotonic() < end:
        took = probe_seconds(agent)
        if took > worst:
            slow.append(took)
        check(len(slow) <= 1 and took <= 4 * worst, "the agent took so many seconds to answer: "
              f"{', '.join(f'{t:.2f}' for t in slow)}")
        time.sleep(0.05)


def flames(receiver, jvm, seconds=15):
    """The innocent JVM is profiled."""
    receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner), seconds=seconds)


def sanitized(program):
    """Sanitizers have a memory of their own."""
    return b"__asan_init" in pathlib.Path(program).read_bytes()


def check_memory(agent, most):
    """So many megabytes are the most that the main process ever had."""
    if not sanitized(f"/proc/{agent.pid}/exe"):
        had = int(re.search(r"^VmHWM:\s*(\d+)", proc_text(agent.pid, "status"), re.M)[1]) / 1024
        check(had <= most, f"the agent took {had:.0f} MB, {most} at most")
