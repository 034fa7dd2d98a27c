"""JVMs of which the usual sources say nothing: launchers of another name, programs with a JVM inside, options from
files that are gone, users without a name."""
import shutil

from lab import CACHE, HERE, built, check, config, equal, need_java, test

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
