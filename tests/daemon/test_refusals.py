"""JVMs that cannot or must not be profiled get a reason, and never a signal that could harm them."""
import shutil

from lab import check, config, equal, need_java, test, wait_for


def library(lab):
    """The profiler at a path that is not ours, as another product would bring it."""
    copy = lab.dir / "elsewhere" / "libasyncProfiler.so"
    copy.parent.mkdir()
    shutil.copy(lab.layout() / "lib" / "libasyncProfiler.so", copy)
    return copy


def refused(lab, options, reason):
    receiver = lab.receiver()
    jvm = lab.jvm(options=options)
    agent = lab.agent(config=config())
    agent.wait_reason(jvm, reason)
    equal(len(agent.wait_log("not profiling.*" + reason)), 1, "lines about it")
    check(jvm.alive(), "the JVM ended")
    check(not jvm.profiler_runs(), "a profiler runs")
    agent.stop()
    equal(receiver.profiles(), [], "profiles")
    check(jvm.alive(), "the JVM ended")


@test
def attach_disabled(lab):
    refused(lab, ["-XX:+DisableAttachMechanism"], "DisableAttachMechanism")


@test
def attach_disabled_without_counters(lab):
    """What the JVM says about itself is not there: its options must be read."""
    refused(lab, ["-XX:+DisableAttachMechanism", "-XX:-UsePerfData"], "DisableAttachMechanism")


@test
def attach_disabled_by_environment(lab):
    receiver = lab.receiver()
    jvm = lab.jvm(env={"JDK_JAVA_OPTIONS": "-XX:+DisableAttachMechanism -XX:-UsePerfData"}, ready=False)
    wait_for("JVM", lambda: "ready\n" in jvm.text())
    jvm.quiet = "NOTE: Picked up JDK_JAVA_OPTIONS: -XX:+DisableAttachMechanism -XX:-UsePerfData\nready\n"
    agent = lab.agent(config=config())
    agent.wait_reason(jvm, "DisableAttachMechanism|is unknown whether")
    check(jvm.alive(), "the JVM ended")
    equal(receiver.profiles(), [], "profiles")


@test
def dynamic_agents_disabled(lab):
    refused(lab, ["-XX:-EnableDynamicAgentLoading"], "EnableDynamicAgentLoading")


@test
def reduced_signals_with_socket(lab):
    """-Xrs: SIGQUIT would end the JVM, but its attach socket is there from the start."""
    receiver = lab.receiver()
    jvm = lab.jvm(options=["-Xrs"])
    check(lab.machine.path(f"/tmp/.java_pid{jvm.inner}").exists(), "this JVM made no socket")
    lab.agent(config=config())
    receiver.wait_stack("Shop.bake", type="process_cpu")
    check(jvm.alive(), "the JVM ended")


@test
def reduced_signals_without_socket(lab):
    receiver = lab.receiver()
    jvm = lab.jvm(options=["-Xrs"])
    lab.machine.path(f"/tmp/.java_pid{jvm.inner}").unlink()
    agent = lab.agent(config=config())
    agent.wait_reason(jvm, "-Xrs")
    agent.stop()
    check(jvm.alive(), "the JVM ended")
    equal(receiver.profiles(), [], "profiles")


def foreign(lab, options):
    copy, recording = library(lab), lab.dir / "foreign.jfr"
    receiver = lab.receiver()
    jvm = lab.jvm(options=[f"-agentpath:{copy}=start,event=itimer,{options},file={recording},log=/dev/null"])
    agent = lab.agent(config=config())
    agent.wait_reason(jvm, "another async-profiler session is running")
    equal(jvm.recordings(), [str(recording)], "open recordings")
    equal(receiver.profiles(), [], "profiles")
    # Its owner ends it: then it is our turn.
    jcmd = [f"{need_java(17)}/bin/jcmd", str(jvm.inner), "JVMTI.agent_load", copy, "stop,log=/dev/null"]
    status, text = lab.call(jcmd)
    check(status == 0, f"jcmd: {text}")
    jvm.quiet = jvm.text()  # the other product's words
    check(recording.stat().st_size > 1000, "the other session's recording is not whole")
    receiver.wait_stack("Shop.bake", type="process_cpu")
    agent.wait_state(jvm, "profiling")


@test
def foreign_session(lab):
    foreign(lab, "jfr,timeout=600")


@test
def foreign_session_without_timeout(lab):
    foreign(lab, "jfr")


@test
def foreign_copy_loaded_only(lab):
    copy = library(lab)
    receiver = lab.receiver()
    jvm = lab.jvm()
    jcmd = [f"{need_java(17)}/bin/jcmd", str(jvm.inner), "JVMTI.agent_load", copy, "version,log=/dev/null"]
    status, text = lab.call(jcmd)
    check(status == 0, f"jcmd: {text}")
    jvm.quiet = jvm.text()  # the version
    check(str(copy) in (lab.machine.path("/proc") / str(jvm.inner) / "maps").read_text(), "the copy is not loaded")
    lab.agent(config=config())
    receiver.wait_stack("Shop.bake", type="process_cpu")
    receiver.check_valid()


@test
def no_jvm_at_all(lab):
    """A program called java that is none."""
    fake = lab.dir / "java"
    shutil.copy("/bin/sleep", fake)
    process = lab.run([fake, "600"])
    agent = lab.agent(config=config())
    agent.wait_reason(process, "no HotSpot JVM")
    check(process.alive(), "it ended")
