"""Targets whose file system or state is against us: they delay nobody but themselves."""
import os
import signal
import subprocess
import sys

from lab import CONTAINER, HERE, Skip, check, config, equal, test


def both_profiled(lab, *jvms):
    receiver = lab.receiver()
    lab.agent(config=config())
    for jvm in jvms:
        receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner))
        check(jvm.alive(), "the JVM ended")


@test
def fifo_instead_of_the_library(lab):
    """What stands where the library goes is left alone; the library goes elsewhere."""
    name = lab.layout().name
    bad, good = lab.jvm(wrapper=CONTAINER), lab.jvm()
    folder = bad.root(f"/tmp/{name}/lib")
    folder.mkdir(parents=True)
    os.mkfifo(folder / "libasyncProfiler.so")
    both_profiled(lab, bad, good)
    check((folder / "libasyncProfiler.so").is_fifo(), "the FIFO was replaced")


@test
def symlink_instead_of_the_folder(lab):
    name = lab.layout().name
    bad, good = lab.jvm(wrapper=CONTAINER), lab.jvm()
    bad.root("/tmp/victim").mkdir(mode=0o777)
    bad.root(f"/tmp/{name}").symlink_to("victim")
    both_profiled(lab, bad, good)
    equal(list(bad.root("/tmp/victim").iterdir()), [], "written through the symlink")


@test
def symlink_out_of_the_root(lab):
    """tmp_dir in the target is a link that would lead the unwary into the host's file system."""
    victim = lab.dir / "victim"
    victim.mkdir()
    bad, good = lab.jvm(wrapper=CONTAINER), lab.jvm()
    bad.root("/tmp/sub").symlink_to(victim)
    lab.machine.path("/tmp/sub").mkdir(mode=0o755)
    subprocess.run(["nsenter", "-t", str(bad.pid), "-m", "mount", "-t", "tmpfs", "none", str(victim)], check=True)
    receiver = lab.receiver()
    lab.agent(config=config(java='tmp_dir = "/tmp/sub"'))
    receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(good.inner))
    equal(list(victim.iterdir()), [], "written outside of the target's root")


@test
def planted_by_another_user(lab):
    """Whoever takes the folder's name first keeps it, and stops nobody by that: not in a container, not on the host."""
    name = lab.layout().name
    bad, good = lab.jvm(wrapper=CONTAINER), lab.jvm()
    for folder in [bad.root(f"/tmp/{name}"), lab.machine.path(f"/tmp/{name}")]:
        folder.mkdir(exist_ok=True)
        os.chown(folder, 4321, 4321)
    both_profiled(lab, bad, good)


@test
def dead_mount_over_tmp(lab):
    bad = lab.jvm(wrapper=CONTAINER)
    # As text, not as a file: this checkout may lie below a /tmp that the container does not see.
    program = (HERE / "dead_fuse.py").read_text()
    command = ["nsenter", "-t", str(bad.pid), "-m", "--", sys.executable, "-c", program, "/tmp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as fuse:
        try:
            said = fuse.stdout.readline()
            if said != "mounted\n":
                raise Skip(f"no FUSE here: {said.strip()}")
            good = lab.jvm()
            receiver = lab.receiver()
            agent = lab.agent(config=config())
            receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(good.inner), seconds=10)
            receiver.wait(4, type="process_cpu", pid=str(good.inner), seconds=8)
            agent.wait_reason(bad, ".", seconds=30)
            agent.stop()
            check(bad.alive(), "the JVM ended")
        finally:
            fuse.kill()


@test
def stopped_jvm(lab):
    """Stopped before the attach: a reason at once; stopped later: noticed, and the end is not held up."""
    early, late, good = lab.jvm(), lab.jvm(), lab.jvm()
    early.signal(signal.SIGSTOP)
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    agent.wait_reason(early, "is stopped")
    receiver.wait(1, type="process_cpu", pid=str(late.inner))
    late.signal(signal.SIGSTOP)
    receiver.wait(1, type="process_cpu", pid=str(good.inner))
    early.signal(signal.SIGCONT)
    receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(early.inner), seconds=30)
    count = len(receiver.profiles(type="process_cpu", pid=str(good.inner)))
    receiver.wait(count + 3, type="process_cpu", pid=str(good.inner), seconds=8)
    agent.stop()
    equal(len(agent.lines(f"not profiling.*pid={early.inner} .*is stopped")), 1, "lines about the JVM stopped first")
    check(not good.profiler_runs(), "the profiler of the healthy JVM still runs")
    late.signal(signal.SIGCONT)
    receiver.check_valid()
