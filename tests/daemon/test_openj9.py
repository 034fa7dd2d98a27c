"""OpenJ9, simulated: openj9.c speaks its attach protocol, and the real profiler profiles the JVM behind it."""
import contextlib
import fcntl
import os
import re
import shutil
import sys

from lab import CACHE, HERE, built, check, equal, helpers_of, need_java, proc_text, test, wait_for
from test_recognition import any_jvm
from test_service import capabilities

USER = ["setpriv", "--reuid=59876", "--regid=59876", "--clear-groups", "--"]
OTHER = ["setpriv", "--reuid=59877", "--regid=59877", "--clear-groups", "--"]
COMMON = "/tmp/.com_ibm_tools_attach"

# Takes every post of the semaphore that it can get.
EATER = """
import ctypes, sys
libc = ctypes.CDLL(None)
class Step(ctypes.Structure):
    _fields_ = [("number", ctypes.c_ushort), ("step", ctypes.c_short), ("flags", ctypes.c_short)]
semaphore = libc.semget(libc.ftok(sys.argv[1].encode(), 0xa1), 0, 0)
while libc.semop(semaphore, ctypes.byref(Step(0, -1, 0)), 1) == 0:
    pass
"""


def simulator():
    home, source = need_java(17), HERE / "openj9.c"
    return built(CACHE / "openj9", [source],
                 ["cc", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{home}/include", f"-I{home}/include/linux",
                  str(source), "-ldl", "-lpthread"])


def openj9(lab, wrapper=USER, options=(), **keys):
    """A JVM that is attached to as OpenJ9 is; what happens is in its `.log`. Keys are those of openj9.c."""
    lab.count += 1
    program, mapped, log = lab.dir / "shopd", lab.dir / "libj9vm29.so", lab.dir / f"{lab.count:02}-openj9.log"
    if not program.exists():
        shutil.copy(simulator(), program)
        mapped.write_text("stands for OpenJ9's library")
    log.touch()
    log.chmod(0o666)
    command = [*wrapper, program, f"j9={mapped}", f"log={log}", *(f"{k}={v}" for k, v in keys.items()),
               f"{need_java(17)}/lib/server/libjvm.so", "Shop", f"-Djava.class.path={lab.stage.classes}",
               "-XX:-UsePerfData", "-XX:+UseSerialGC", "-Xmx64m", *options]
    jvm = lab.jvm(command=command, java=program)
    jvm.log = log
    return jvm


def configuration(java="untested_versions = true", profiling='interval = "1s"'):
    return any_jvm(profiling, java=java).replace('regex         = "hotspot"', 'regex         = "hotspot|openj9"')


def happened(jvm, pattern):
    return re.findall(pattern, jvm.log.read_text(), re.M)


def profiled(receiver, jvm):
    return receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner))


def untouched(jvm):
    """Nobody attached, and nobody sent the signal that makes OpenJ9 write a dump."""
    check(jvm.alive() and not jvm.profiler_runs(), "it was attached to")
    equal(happened(jvm, "^(?:connect|command) .*"), [], "attachments")
    no_signal(jvm)


def no_signal(jvm):
    """SIGQUIT would have started HotSpot's own attach listener."""
    check(not jvm.root(f"/tmp/.java_pid{jvm.inner}").exists(), "a signal was sent")


def own_folder(jvm):
    return jvm.root(f"{COMMON}/{jvm.inner}")


@test
def openj9_is_profiled_on_demand(lab):
    """Start, profiles of several intervals, roll-over, stop; by its own means, and nothing is left behind."""
    receiver = lab.receiver()
    jvm = openj9(lab)
    agent = lab.agent(config=configuration(profiling='interval = "1s"\nroll_over = "10s"'))
    profiled(receiver, jvm)
    wait_for("roll-over", lambda: len(happened(jvm, r"^command ATTACH_LOADAGENTPATH\(.*,start,")) >= 2, 60)
    receiver.forget()
    profiled(receiver, jvm)
    equal(agent.jvms()[jvm.inner]["state"], "profiling", "state")
    no_signal(jvm)
    agent.stop()
    check(not jvm.profiler_runs(), "the profiler still runs")
    equal(happened(jvm, "^(?:not|no|wrong|cannot) .*"), [], "problems")
    equal(len(happened(jvm, "^detached$")), len(happened(jvm, "^connect ")), "attachments that were ended")
    equal(sorted(p.name for p in own_folder(jvm).iterdir()), ["attachInfo", "attachNotificationSync"], "files")
    receiver.check_valid()


@test
def openj9_is_refused_by_default(lab):
    receiver = lab.receiver()
    jvm = openj9(lab)
    agent = lab.agent(config=configuration(java=""))
    agent.wait_state(jvm, "refused")
    agent.wait_reason(jvm, "tested against a simulation only.*untested_versions = true")
    equal(agent.jvms()[jvm.inner]["reason_code"], "openj9", "reason code")
    status, text = lab.call([lab.smolder, "doctor", str(jvm.inner)])
    equal(status, 1, f"exit status of {text}")
    check("tested against a simulation only" in text, text)
    status, text = lab.call([lab.smolder, "doctor", "--untested", str(jvm.inner)])
    equal(status, 0, f"exit status of {text}")
    check("OpenJ9 has its attach directory and semaphore" in text, text)
    untouched(jvm)
    equal(receiver.profiles(), [], "profiles")


@test
def openj9_is_explained_by_the_usual_commands(lab):
    """Nobody has to have heard of OpenJ9: the built-in configuration and the list of JVMs say what it is."""
    jvm = openj9(lab)
    agent = lab.agent("--store.listen=127.0.0.1:4041")
    wait_for("its state", lambda: agent.jvms("pyroscope.java.jvms").get(jvm.inner, {}).get("state") == "refused", 30)
    equal(agent.jvms("pyroscope.java.jvms")[jvm.inner]["reason_code"], "openj9", "reason code")
    agent.stop()
    status, text = lab.call([lab.smolder, "jvms"])
    equal(status, 0, f"exit status of {text}")
    check(re.search(rf"^ *{jvm.inner} .*refused", text, re.M), text)
    check("tested against a simulation only" in text, text)
    untouched(jvm)


@test
def openj9_is_recorded_by_hand(lab):
    jvm = openj9(lab)
    output = lab.dir / "shop.collapsed"
    status, text = lab.call([lab.smolder, "record", "--untested", "-d", "2s", "-e", "itimer,alloc", "-o", output,
                             str(jvm.inner)], 60)
    equal(status, 0, f"exit status of {text}")
    check("Shop.bake" in output.read_text(), output.read_text())
    check(not jvm.profiler_runs(), "the profiler still runs")
    no_signal(jvm)


@test
def openj9_of_several_users_in_one_directory(lab):
    """Each is woken by the semaphore of all of them, and the right one answers. One has names of its own."""
    receiver = lab.receiver()
    jvms = [openj9(lab), openj9(lab, wrapper=OTHER), openj9(lab, wrapper=()),
            openj9(lab, options=["-Dcom.ibm.tools.attach.id=bakery"])]
    lab.agent(config=configuration())
    for jvm in jvms:
        profiled(receiver, jvm)
        no_signal(jvm)
    receiver.check_valid()


@test
def openj9_while_others_hold_every_lock(lab):
    """Who keeps the locks that every user may have and eats the semaphore delays an attach, and prevents none."""
    receiver = lab.receiver()
    jvm, other = openj9(lab), openj9(lab, wrapper=OTHER)
    with contextlib.ExitStack() as held:
        for path in (jvm.root(f"{COMMON}/_attachlock"), own_folder(jvm) / "attachNotificationSync",
                     own_folder(other) / "attachNotificationSync"):
            path.touch()
            path.chmod(0o666)
            file = held.enter_context(open(path, "r+b"))
            fcntl.flock(file, fcntl.LOCK_EX)
        lab.run([*OTHER, sys.executable, "-c", EATER, f"{COMMON}/_notifier"])
        lab.agent(config=configuration())
        profiled(receiver, jvm)


@test
def openj9_that_is_late_or_does_not_answer(lab):
    receiver = lab.receiver()
    late = openj9(lab, mode="late")
    deaf, mute, silent = openj9(lab, mode="deaf"), openj9(lab, mode="mute"), openj9(lab, mode="silent")
    stranger = openj9(lab, mode="stranger")
    agent = lab.agent(config=configuration())
    profiled(receiver, late)
    for jvm in (deaf, mute, silent, stranger):
        agent.wait_log(rf"not profiling.* pid={jvm.inner} .*did not answer in time.*code=hanging", 60)
        no_signal(jvm)
    equal(happened(stranger, "^command .*"), [], "commands to one who showed another key")
    agent.stop()
    for jvm in (late, deaf, mute, silent, stranger):
        wait_for("the end of what was under way", lambda jvm=jvm: not (own_folder(jvm) / "replyInfo").exists(), 30)


@test
def openj9_that_forbids_it(lab):
    lab.receiver()
    off = openj9(lab, options=["-Dcom.ibm.tools.attach.enable=no"])
    apart = openj9(lab, wrapper=["unshare", "--net", "--ipc", "--", *USER])
    agent = lab.agent(config=configuration())
    agent.wait_reason(off, "com.ibm.tools.attach.enable=no")
    agent.wait_reason(apart, "needs the JVM's network and IPC namespaces")
    for jvm in (off, apart):
        equal(agent.jvms()[jvm.inner]["state"], "refused", "state")
        status, text = lab.call([lab.smolder, "doctor", "--untested", str(jvm.inner)])
        equal(status, 1, f"exit status of {text}")
        check("com.ibm.tools.attach.enable=no" in text or "--java.enter-namespaces" in text, text)
        untouched(jvm)


@test
def openj9_whose_files_are_of_others(lab):
    """A directory that is a link, or of another user, and a reply that is a link: nothing of anybody is changed."""
    lab.receiver()
    linked, taken, replied = openj9(lab), openj9(lab), openj9(lab)
    elsewhere, victim = lab.dir / "elsewhere", lab.dir / "victim"
    shutil.copytree(own_folder(linked), elsewhere)
    os.chown(elsewhere, 59876, 59876)
    shutil.rmtree(own_folder(linked))
    own_folder(linked).symlink_to(elsewhere)
    os.chown(own_folder(taken), 59877, 59877)
    victim.write_text("precious")
    victim.chmod(0o666)
    (own_folder(replied) / "replyInfo").symlink_to(victim)
    agent = lab.agent(config=configuration())
    agent.wait_reason(linked, "OpenJ9 cannot be attached to through")
    agent.wait_reason(taken, "has owner 59877")
    wait_for("attach", lambda: happened(replied, "^detached"), 30)
    equal(victim.read_text(), "precious", "a file of somebody else")
    equal(sorted(p.name for p in elsewhere.iterdir()), ["attachInfo", "attachNotificationSync"], "files elsewhere")


# A container: a network and semaphores of its own.
APART = ["unshare", "--net", "--ipc", "sh", "-c", 'ip link set lo up && exec "$@"', "container", *USER]


@test
def openj9_in_a_container_on_demand(lab):
    """The helper may enter its namespaces, and nobody else."""
    receiver = lab.receiver()
    jvm = openj9(lab, wrapper=APART)
    agent = lab.agent("--java.enter-namespaces", config=configuration())
    profiled(receiver, jvm)
    helper, = helpers_of(agent)
    admin = 1 << 21
    check(capabilities(helper) & admin, "the helper has no CAP_SYS_ADMIN")
    equal(capabilities(agent.pid), 0, "capabilities of the main process")
    no_signal(jvm)
    agent.stop()
    check(not jvm.profiler_runs(), "the profiler still runs")


@test
def the_launcher_and_openj9(lab):
    """bin/asprof, also for root into a container with a network of its own, which it can enter."""
    layout = lab.layout()
    asprof = f"/tmp/{layout.name}/bin/asprof"
    jvm = openj9(lab, wrapper=APART)
    status, text = lab.call([asprof, "jcmd", str(jvm.inner), "Thread.print", "-l"])
    equal((status, text), (0, "a line\n\tand an=other"), "jcmd")
    equal(happened(jvm, "^command ATTACH_DIAG.*"), ["command ATTACH_DIAGNOSTICS:Thread.print,-l"], "commands")
    status, text = lab.call([asprof, "-d", "1", "-o", "collapsed", "-e", "itimer", str(jvm.inner)])
    check(status == 0 and "Shop.bake" in text, text)
    check("libasyncProfiler" in proc_text(jvm.pid, "maps"), "not loaded")
    no_signal(jvm)
