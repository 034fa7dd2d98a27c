"""Crashes: nobody can have profiling of another user's JVMs stopped by what he writes or by what his own JVMs do."""
import os
import signal
import time

from attack import ALICE, MALLORY, check_live, flames, innocent, user
from lab import check, config, equal, test, wait_for

WINDOW_S = 10.5  # after an attach, in which every crash is the profiler's

FORGED = """#
# A fatal error has been detected by the Java Runtime Environment:
#
#  SIGSEGV (0xb) at pc=0x00007f0000000000, pid={pid}, tid={pid}
#
# Problematic frame:
# C  [libasyncProfiler.so+0x1234]  StackWalker::walkVM(void*)+0x12
#
"""


def forge(lab, path, uid, pid):
    """A report in that user's name, which everybody may read."""
    text = FORGED.format(pid=pid)
    status, said = lab.call([*user(uid), "sh", "-c", f"umask 022; cat >{path} <<'END'\n{text}END"])
    equal(status, 0, f"status of the forger: {said}")


def end(jvm, number):
    jvm.quiet = None
    jvm.signal(number)
    wait_for("the JVM's end", lambda: not jvm.alive())


@test
def forged_reports_stop_nobody_elses_profiling(lab):
    """A local user leaves reports of a crash in the profiler where another's JVM writes its own, which then crashes.

    In its working directory that all may write, and in /tmp: others of the workload are profiled on."""
    receiver = lab.receiver()
    place = lab.dir / "shared"
    place.mkdir()
    place.chmod(0o1777)
    inside = ["sh", "-c", f'cd {place} && exec "$@"', "inside"]
    agent = lab.agent(config=config())
    jvms = [innocent(lab, wrapper=[*user(ALICE), *inside]) for _ in range(3)]
    for jvm in jvms:
        agent.wait_state(jvm, "profiling")
    time.sleep(WINDOW_S)
    # HotSpot overwrites no file that it may not write, and then writes none of its own: what is found is the forged
    # one.
    forge(lab, place / f"hs_err_pid{jvms[0].inner}.log", MALLORY, jvms[0].inner)
    forge(lab, f"/tmp/hs_err_pid{jvms[0].inner}.log", MALLORY, jvms[0].inner)
    end(jvms[0], signal.SIGSEGV)
    # A link to one, and the file of another.
    forge(lab, place / "mine", MALLORY, jvms[1].inner)
    os.symlink("mine", place / f"hs_err_pid{jvms[1].inner}.log")
    end(jvms[1], signal.SIGSEGV)
    agent.wait_log("process ended", count=2)
    equal(agent.lines("level=error"), [], "errors")
    time.sleep(2)  # as long as another session of the workload takes to notice a quarantine
    equal(agent.jvms()[jvms[2].inner]["state"], "profiling", "state of the third")
    agent.wait_state(innocent(lab, wrapper=[*user(ALICE), *inside]), "profiling")
    flames(receiver, jvms[2])
    check_live(agent, 1)


@test
def a_report_of_terabytes_is_read_to_a_limit(lab):
    """A user's own report: a file without end, a pipe, or one line of megabytes. Others are profiled meanwhile."""
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    make = {"huge": "truncate -s 4T {}", "pipe": "mkfifo {}",
            "line": "head -c 3000000 /dev/zero | tr '\\0' '#' >{}", "folder": "mkdir {}"}
    jvms = {}
    for name in make:
        place = lab.dir / name
        place.mkdir()
        os.chown(place, MALLORY, MALLORY)
        inside = ["sh", "-c", f'cd {place} && exec "$@"', "inside"]
        jvms[name] = lab.jvm(options=[f"-Dworkload={name}"], wrapper=[*user(MALLORY), *inside])
    for name, jvm in jvms.items():
        agent.wait_state(jvm, "profiling")
        lab.call([*user(MALLORY), "sh", "-c", make[name].format(f"{lab.dir}/{name}/hs_err_pid{jvm.inner}.log")])
        end(jvm, signal.SIGABRT)
    wait_for("all ends", lambda: agent.metric("smolder_jvm_crashes_total") == len(make))
    jvm = innocent(lab)
    flames(receiver, jvm)
    check_live(agent, 1)
