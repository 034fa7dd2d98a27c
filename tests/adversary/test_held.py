"""What held when it was tried first and must go on holding: hostile files, sockets, counters and numbers of
processes."""
import os
import re
import signal
import struct
import sys
import time

import jfr
from attack import (MALLORY, NO_VAR_TMP, PRIVATE_TMP, Victim, check_live, check_memory, fake, flames, innocent,
                    library_place, listener, need_user_namespaces, own_namespaces, settled)
from lab import check, config, descendants, equal, test, wait_for


def refused_each(lab, scripts, seconds=20, **options):
    """A fake for each layout: each gets its decision, an innocent JVM is profiled, the agent answers."""
    need_user_namespaces(lab)
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    targets = {name: fake(lab, own_namespaces(MALLORY, PRIVATE_TMP + script), ready=False,
                          **{"mode": "refuse", "early": 0, **options})
               for name, script in scripts.items()}
    jvm = innocent(lab)
    decided = {name: settled(agent, target, seconds) for name, target in targets.items()}
    flames(receiver, jvm, 15)
    check_live(agent, 1)
    check(all(t.alive() for t in targets.values()), "a target ended")
    return agent, decided


@test
def sockets_that_are_none_get_nothing(lab):
    """The attach socket is a link to another's socket, that socket itself by mount, a pipe, a file, a folder."""
    folder = lab.dir
    other = listener(lab, f"{folder}/victim.sock")
    refused_each(lab, {
        "link": f"ln -s {folder}/victim.sock /tmp/.java_pid$$",
        "mount": f"touch /tmp/.java_pid$$; mount --bind {folder}/victim.sock /tmp/.java_pid$$",
        "pipe": "mkfifo /tmp/.java_pid$$",
        "file": "head -c 100 /dev/urandom >/tmp/.java_pid$$",
        "folder": "mkdir /tmp/.java_pid$$",
    }, mode="nosocket")
    check(not re.search("GOT b'.", other.text()), f"the victim's socket got {other.text()}")


@test
def triggers_that_are_in_the_way_harm_nobody(lab):
    """.attach_pidN is a link to a file of root's, a folder with something in it, a pipe."""
    victim = Victim(lab)
    refused_each(lab, {"link": f"ln -s {victim.inner}/new /tmp/.attach_pid$$",
                       "folder": "mkdir -p /tmp/.attach_pid$$/x",
                       "pipe": "mkfifo /tmp/.attach_pid$$", "file": f"ln -s {victim.inner}/file /tmp/.attach_pid$$"})
    victim.check_untouched()


@test
def libraries_that_are_none_harm_nobody(lab):
    """In the library's place: a pipe, a file of 100 GB, a folder that is a link to itself, a device, a folder without
    end."""
    folder, library = library_place(lab)
    lib = os.path.dirname(library)
    agent, _ = refused_each(lab, {
        "pipe": f"mkdir -p {lib}; mkfifo {library}", "huge": f"mkdir -p {lib}; truncate -s 100G {library}",
        "self": f"mkdir -p {folder}; rm -rf {lib}; ln -s . {lib}", "file": f"rm -rf {folder}; echo x >{folder}",
        "zero": f"mkdir -p {lib}; ln -s /dev/zero {library}", "folder": f"mkdir -p {library}/x",
        "immutable": f"mkdir -p {lib}; echo x >{library}; chmod 444 {library}; chmod 555 {lib} {folder}",
    }, mode="answer")
    check_memory(agent, 150)


def bad_counters():
    head = bytes.fromhex("cafec0c0") + b"\x01" + bytes(19)
    entry = struct.pack("<III", 24, 0xFFFFFFFF, 5) + b"B\0\0\0" + struct.pack("<I", 0xFFFFFFF0)
    return head + struct.pack("<II", 32, 0xFFFFFFFF) + entry + b"z" * 90000


@test
def counters_that_are_none_harm_nobody(lab):
    """hsperfdata: a pipe, 50 GB of nothing, links to /proc, numbers out of range, loops, three thousand folders."""
    (lab.dir / "bad").write_bytes(bad_counters())
    (lab.dir / "loop").write_bytes(bytes.fromhex("cafec0c0") + b"\x01" + bytes(19) + struct.pack("<II", 32, 5)
                                   + bytes(4000))
    refused_each(lab, {
        "pipe": "mkdir /tmp/hsperfdata_x; mkfifo /tmp/hsperfdata_x/$$",
        "sparse": "mkdir /tmp/hsperfdata_x; truncate -s 50G /tmp/hsperfdata_x/$$",
        "link": "ln -s /proc/self/fd /tmp/hsperfdata_x",
        "bad": f"mkdir /tmp/hsperfdata_x; cp {lab.dir}/bad /tmp/hsperfdata_x/$$",
        "loop": f"mkdir /tmp/hsperfdata_x; cp {lab.dir}/loop /tmp/hsperfdata_x/$$",
        "many": "mkdir $(seq -f /tmp/hsperfdata_%.0f 0 2999); ln -s /dev/zero /tmp/hsperfdata_7/$$",
    })


@test
def options_in_odd_files_harm_nobody(lab):
    """Arguments name devices, pipes and /proc files as files of options."""
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    pipe = lab.dir / "pipe"
    os.mkfifo(pipe)
    targets = [fake(lab, env={"JDK_JAVA_OPTIONS": v, "JAVA_TOOL_OPTIONS": v}, early=0, mode="refuse") for v in
               ("@/dev/zero", f"-XX:Flags={pipe}", "-XX:VMOptionsFile=/proc/self/mem", "@" * 70000, "\\" * 70000,
                '"' + "a" * 70000)]
    jvm = innocent(lab)
    for target in targets:
        settled(agent, target)
    flames(receiver, jvm, 15)
    check_memory(agent, 100)


@test
def a_full_tmp_is_a_reason(lab):
    """No space anywhere in the target: a reason, and nothing is left behind."""
    agent, decided = refused_each(lab, {"full": "mount -t tmpfs -o size=64k,mode=1777 small /tmp; for d in /dev/shm "
                                                "/run; do "
                                        "mount -t tmpfs -o size=64k,mode=1777 small $d; done; " + NO_VAR_TMP},
                                  mode="answer")
    check(re.search("(?i)space|full|MiB", decided["full"].get("reason", "")), f"{decided}")


@test
def recordings_that_are_none_harm_nobody(lab):
    """Random bytes, 8 EB of nothing, chunks of impossible sizes and offsets: counted, bounded, and others are
    profiled."""
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    good = jfr.named("C", "m")
    bad = {"random": os.urandom(100000), "size0": good[:8] + bytes(8) + good[16:],
           "huge": good[:8] + (1 << 62).to_bytes(8, "big") + good[16:],
           "offset": good[:16] + (1 << 62).to_bytes(8, "big") + good[24:],
           "meta": good[:24] + (67).to_bytes(8, "big") + good[32:],
           "text": b"FLR\0" * 30000, "cut": good[:-50] + good}
    for name, data in bad.items():
        path = lab.dir / f"{name}.jfr"
        path.write_bytes(data * 3)
        fake(lab, records=path)
    jvm = innocent(lab)
    flames(receiver, jvm, 15)
    check_live(agent, 2)
    check_memory(agent, 150)


@test
def a_recording_that_grows_and_shrinks_harms_nobody(lab):
    """Its size is nothing and 8 EB by turns, a thousand times a second, while it is read."""
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    path = lab.dir / "good.jfr"
    path.write_bytes(jfr.named("C", "m") * 5)
    fake(lab, count=6, records=path, pause=300, wobble=1)
    jvm = innocent(lab)
    flames(receiver, jvm, 15)
    check_live(agent, 3)
    check_memory(agent, 150)


@test
def a_pid_that_changes_hands_is_another_process(lab):
    """Processes that end at once, so that numbers come back: nobody gets a signal that was meant for another."""
    lab.call(["sh", "-c", "echo 400 >/proc/sys/kernel/ns_last_pid"])
    agent = lab.agent(config=config())
    fake(lab, count=5)
    quiet = fake(lab, sleeping=1, count=20, ready=False)
    loop = ("while :; do for i in 1 2 3 4 5 6 7 8; do sleep 0.05 & done; wait; "
            "echo 400 >/proc/sys/kernel/ns_last_pid; done")
    lab.run(["sh", "-c", loop])
    check_live(agent, 4)
    equal(len(quiet.pids), 20, "processes without a handler")
    check(all(os.path.exists(f"/proc/{p}") for p in descendants(quiet.pid)), "one of them was ended")
    equal(len(list(descendants(quiet.pid))), 20, "processes without a handler that live")


@test
def what_handles_no_sigquit_gets_none(lab):
    """A process with libjvm mapped that a SIGQUIT would end."""
    agent = lab.agent(config=config())
    target = fake(lab, sleeping=1)
    entry = settled(agent, target)
    check(entry.get("reason"), f"{entry}")
    time.sleep(2)
    check(target.alive(), "it was ended")


@test
def killed_agents_leave_nothing_that_grows(lab):
    """Seven agents, each killed at another moment: at most one recording per JVM, no trigger, no process, and the JVM
    lives."""
    jvm = innocent(lab)
    fake(lab, mode="mute")
    for i in range(7):
        agent = lab.start_agent(config=config()).locate()
        time.sleep(0.35 * i + 0.1)
        agent.signal(signal.SIGKILL)
        agent.wait(5)
    ours = lambda: [p for p in lab.machine.path("/proc").glob("[0-9]*/comm") if comm(p).startswith("smolder")]
    wait_for("end of the helpers", lambda: not ours(), 20)
    left = [p.name for p in lab.machine.path("/tmp").iterdir() if p.name.startswith((".smolder-", ".attach_pid"))]
    check(len(left) <= 6, f"left behind: {left}")
    equal(len(jvm.recordings()) <= 2, True, f"open recordings: {jvm.recordings()}")
    check(jvm.alive(), "the JVM ended")
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    flames(receiver, jvm, 15)
    agent.stop()
    check(not jvm.profiler_runs(), "the profiler still runs")


def comm(path):
    try:
        return path.read_text().strip()
    except OSError:
        return ""


@test
def thousands_of_processes_delay_nobody(lab):
    """2,000 processes that are no JVMs; one that is, later."""
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    lab.run([sys.executable, "-c", "import os,time\nfor i in range(2000):\n if os.fork()==0: time.sleep(60); "
                                   "os._exit(0)\ntime.sleep(60)"])
    jvm = innocent(lab)
    flames(receiver, jvm, 15)
    check_live(agent, 1)
