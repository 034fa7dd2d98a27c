"""JVMs of which the usual sources say nothing: launchers of other names, programs with a JVM inside, options in
files that are gone, users without a name."""
import contextlib
import os
import pathlib
import shutil

from lab import (CACHE, HERE, Skip, built, check, config, equal, need_java, pid_numbers, proc_text, test,
                 wait_for)

# Every process that maps libjvm, whatever its program is called.
ANY_JVM = """
discovery.process "jvms" {
  refresh_interval = "60s"
  discover_config {
    java = true
  }
}
discovery.relabel "jvms" {
  targets = discovery.process.jvms.targets
  rule {
    action        = "keep"
    source_labels = ["__meta_process_java_vm"]
    regex         = "hotspot"
  }
  rule {
    source_labels = ["__process_pid__"]
    target_label  = "pid"
  }
  rule {
    source_labels = ["__meta_process_java_main"]
    target_label  = "main"
  }
}
"""


def any_jvm(profiling='interval = "1s"', java=""):
    text = config(profiling, java=java)
    return ANY_JVM + text.replace("discovery.relabel.java.output", "discovery.relabel.jvms.output")


def launcher(lab, name):
    """A launcher of the JDK under another name, which a link beside it may have as well."""
    home = lab.jdk_copy()
    shutil.move(home / "bin" / "java", home / "bin" / name)
    return home / "bin" / name


def embedded():
    """A program that starts a JVM by itself, without the property that names the main class."""
    home, source = need_java(17), HERE / "embedded.c"
    return built(CACHE / "embedded", [source],
                 ["cc", "-O1", f"-I{home}/include", f"-I{home}/include/linux", str(source), "-ldl", "-lpthread"])


# A user without a passwd entry, for whom HotSpot writes no perf data.
NOBODY = ["setpriv", "--reuid=59876", "--regid=59876", "--clear-groups", "--"]


@test
def a_renamed_launcher_of_a_user_without_a_name(lab):
    receiver = lab.receiver()
    jvm = lab.jvm(java=launcher(lab, "shop-server"), options=["-XX:-UsePerfData"], wrapper=NOBODY)
    lab.agent(config=any_jvm())
    receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner), main="Shop")
    receiver.check_valid()


@test
def a_renamed_launcher_that_forbids_it(lab):
    """What is read from its memory is also what forbids."""
    receiver = lab.receiver()
    options = ["-XX:-UsePerfData", "-XX:Flags=flags"]
    lab.file("flags", "+DisableAttachMechanism\n")
    jvm = lab.jvm(java=launcher(lab, "shop-server"), options=options, wrapper=NOBODY)
    (lab.dir / "flags").unlink()
    agent = lab.agent(config=any_jvm())
    agent.wait_reason(jvm, "DisableAttachMechanism")
    check(jvm.alive() and not jvm.profiler_runs(), "it was attached to")
    equal(receiver.profiles(), [], "profiles")


@test
def options_from_a_file_that_is_gone(lab):
    receiver = lab.receiver()
    lab.file("options", f"-XX:+PerfDisableSharedMem\n-XX:+UseSerialGC\n-cp\n{lab.stage.classes}\nShop\n")
    jvm = lab.jvm(command=[f"{need_java(17)}/bin/java", "@options"])
    (lab.dir / "options").unlink()
    lab.agent(config=any_jvm())
    receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner), main="Shop")


@test
def a_program_with_a_jvm_inside(lab):
    receiver = lab.receiver()
    program = lab.dir / "shopd"
    shutil.copy(embedded(), program)
    command = [program, f"{need_java(17)}/lib/server/libjvm.so", "Shop", f"-Djava.class.path={lab.stage.classes}",
               "-XX:+PerfDisableSharedMem", "-XX:+UseSerialGC", "-Xmx64m"]
    jvm = lab.jvm(command=command, java=program)
    lab.agent(config=any_jvm())
    receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner), main="shopd")


def with_tmp(script, user="--reuid=59876 --regid=59876 --clear-groups"):
    """In a mount namespace of its own, where `script` runs before the JVM is started as that user."""
    command = f'{script} && exec setpriv {user} -- "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", command, "in"]


def placed(lab, wrapper, place, **kw):
    """Profiled, by a copy of the library in `place`."""
    receiver = lab.receiver()
    jvm = lab.jvm(wrapper=wrapper, **kw)
    agent = lab.agent(config=config())
    receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner))
    maps = proc_text(jvm.pid, "maps")
    found = {line.split()[5] for line in maps.splitlines() if "libasyncProfiler" in line}
    equal(len(found), 1, "copies of the library")
    check(found.pop().startswith(f"{place}/grafana-agent-asprof-glibc-"), f"it is not in {place}: {maps[-2000:]}")
    agent.stop()
    check(not jvm.profiler_runs(), "the profiler still runs")
    receiver.check_valid()


NOEXEC_TMP = "mount -t tmpfs -o mode=1777,noexec t /tmp"
# The machine's /var/tmp, where the tests' programs are: what is written there stays in the namespace, or is not loaded.
OWN_VAR_TMP = ("mount -t tmpfs t /mnt && mkdir -m 1777 /mnt/up /mnt/work && "
               "mount -t overlay -o lowerdir=/var/tmp,upperdir=/mnt/up,workdir=/mnt/work t /var/tmp")
NOEXEC_VAR_TMP = "mount --bind /var/tmp /var/tmp && mount -o remount,bind,noexec /var/tmp"


@test
def tmp_mounted_noexec(lab):
    placed(lab, with_tmp(f"{NOEXEC_TMP} && {OWN_VAR_TMP}"), "/var/tmp")


@test
def tmp_mounted_noexec_as_root(lab):
    placed(lab, with_tmp(f"{NOEXEC_TMP} && mount -t tmpfs -o mode=755 t /run", "--reuid=0"), "/run")


@test
def no_place_but_the_working_directory(lab):
    work = lab.dir / "work"
    work.mkdir(mode=0o755)
    script = f"{NOEXEC_TMP} && {NOEXEC_VAR_TMP} && mount -t tmpfs -o uid=59876,mode=700 t {work}"
    placed(lab, with_tmp(f"{script} && cd {work}"), work)


@test
def no_place_at_all(lab):
    """The reason is that of tmp_dir, and nothing is left anywhere."""
    receiver = lab.receiver()
    jvm = lab.jvm(wrapper=with_tmp(f"{NOEXEC_TMP} && {NOEXEC_VAR_TMP}"))
    agent = lab.agent(config=config())
    agent.wait_reason(jvm, "/tmp of the target is mounted noexec")
    equal(jvm.temporaries(), [], "left in its /tmp")
    equal(receiver.profiles(), [], "profiles")


@test
def a_jvm_in_a_chroot(lab):
    root = lab.dir / "root"
    root.mkdir()
    script = f"mount --rbind / {root} && mount -t tmpfs -o mode=1777 t {root}/tmp"
    wrapper = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
               f'{script} && exec chroot --userspec=59876:59876 {root} "$@"', "in"]
    receiver = lab.receiver()
    jvm = lab.jvm(wrapper=wrapper)
    agent = lab.agent(config=config())
    receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner))
    equal([name.rpartition("-")[0] for name in jvm.temporaries()], ["grafana-agent-asprof-glibc"], "in its /tmp")
    agent.stop()


@test
def java_io_tmpdir_moved(lab):
    """HotSpot's own files stay in /tmp."""
    receiver = lab.receiver()
    jvm = lab.jvm(options=["-Djava.io.tmpdir=/nowhere/at/all"])
    jvm.quiet = None  # newer JVMs warn about the directory
    lab.agent(config=config())
    receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner))


@test
def a_jvm_that_is_pid_1(lab):
    receiver = lab.receiver()
    jvm = lab.jvm(wrapper=["unshare", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"])
    equal(pid_numbers(jvm.pid)[-1], 1, "its own number")
    lab.agent(config=config())
    receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner))


@test
def a_jvm_without_a_tmp(lab):
    """HotSpot makes its socket there: the reason says so."""
    lab.receiver()
    root = lab.dir / "root"
    root.mkdir()
    entries = " ".join(name for name in ("usr", "lib", "lib64", "bin", "etc", "proc", "dev", "var", "root", "opt"))
    script = (f"mount -t tmpfs t {root} && cd / && for d in {entries}; do [ -e /$d ] || continue; mkdir {root}/$d; "
              f"mount --rbind /$d {root}/$d; done; mkdir -p {root}{lab.stage.classes}; "
              f"mount --bind {lab.stage.classes} {root}{lab.stage.classes}; "
              f"rmdir {root}/tmp 2>/dev/null; true")
    wrapper = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{script} && exec chroot {root} "$@"',
               "in"]
    jvm = lab.jvm(wrapper=wrapper)
    agent = lab.agent(config=config())
    agent.wait_reason(jvm, "the JVM creates its attach socket in /tmp")
    check(jvm.alive(), "the JVM ended")


@contextlib.contextmanager
def freezer(jvm):
    """A cgroup with the JVM alone, of either version: freeze(True) and freeze(False)."""
    name = f"smolder-test-{os.getpid()}-{jvm.pid}"
    for top, file, words in (("/sys/fs/cgroup/freezer", "freezer.state", ("THAWED", "FROZEN")),
                             ("/sys/fs/cgroup", "cgroup.freeze", "01"),
                             ("/sys/fs/cgroup/unified", "cgroup.freeze", "01")):
        group = pathlib.Path(top) / name
        try:
            group.mkdir()
            if (group / file).exists():
                break
            group.rmdir()
        except OSError:
            continue
    else:
        raise Skip("no cgroup of our own that can be frozen")
    (group / "cgroup.procs").write_text(str(jvm.pid))
    try:
        yield lambda on: (group / file).write_text(words[on])
    finally:
        (group / file).write_text(words[0])
        jvm.kill()

        def gone():
            with contextlib.suppress(OSError):
                group.rmdir()
            return not group.exists()
        wait_for("the cgroup's end", gone)


@test
def a_frozen_cgroup(lab):
    """Frozen before the attach: a reason of its own at once; thawed: profiled."""
    receiver = lab.receiver()
    jvm = lab.jvm()
    with freezer(jvm) as freeze:
        freeze(True)
        agent = lab.agent(config=config())
        agent.wait_reason(jvm, "is frozen by its cgroup")
        freeze(False)
        receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner))
        agent.stop()
