"""The state of a JVM says what arrives, not what was done."""
import os
import resource
import shutil
import signal

from lab import check, config, equal, need_java, test, wait_for


def state(agent, jvm):
    return agent.jvms().get(jvm.inner, {})


def busy(lab, *wrapper, options=()):
    """A JVM that uses a whole core: in a second enough samples to count."""
    java = f"{need_java(17)}/bin/java"
    return lab.jvm(command=[*wrapper, java, "-Xmx64m", "-XX:+UseSerialGC", *options, "-cp", lab.stage.classes, "Shop",
                            "1"])


@test
def blocked_sigprof(lab):
    """Started with SIGPROF blocked, no thread receives an itimer signal: another signal is used, with a reason."""
    receiver = lab.receiver()
    jvm = busy(lab, "env", "--block-signal=PROF")
    agent = lab.agent(config=config('interval = "1s"'))
    agent.wait_state(jvm, "degraded")
    equal(state(agent, jvm)["reason_code"], "coverage_none", "code")
    check("ctimer" in state(agent, jvm)["reason"], "the remedy is not named: " + state(agent, jvm)["reason"])
    check(state(agent, jvm)["remedy"], "no remedy")
    receiver.wait_stack("Shop.bake", type="process_cpu")
    check(agent.metric("smolder_cpu_coverage_ratio_count") >= 3, "no ratios")
    equal(len(agent.lines("no CPU samples although")), 1, "lines about it")
    equal(agent.metric("smolder_sessions", state="degraded"), 1, "sessions")
    agent.stop()


@test
def limits_of_the_jvm(lab):
    """What its own limits forbid is named, not what fails because of them."""
    receiver = lab.receiver()
    small = lab.jvm(wrapper=["bash", "-c", 'ulimit -f 64; exec "$@"', "limited"])
    full = lab.jvm()
    resource.prlimit(full.pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{full.pid}/fd")), 4096))
    agent = lab.agent(config=config())
    agent.wait_reason(small, r"limited to files of 64 KiB \(ulimit -f\)")
    equal(state(agent, small)["reason_code"], "file_size_limit", "code")
    agent.wait_reason(full, "has no file descriptors left")
    equal(state(agent, full)["reason_code"], "no_descriptors_in_target", "code")
    resource.prlimit(full.pid, resource.RLIMIT_NOFILE, (4096, 4096))
    receiver.wait_stack("Shop.bake", type="process_cpu")
    agent.wait_state(full, "profiling")
    check(small.alive(), "the JVM ended")
    agent.stop()


@test
def jdk_removed_under_the_jvm(lab):
    """Renamed, then removed, with another JDK at its place: the profiler's own words do not say so."""
    home = lab.dir / "jvm" / "jdk"
    shutil.copytree(need_java(17), home, symlinks=False, ignore=shutil.ignore_patterns("jmods", "src.zip", "*.jsa"),
                    ignore_dangling_symlinks=True)
    jvm = lab.jvm(java=home / "bin" / "java")
    home.rename(home.parent / "old")
    shutil.copytree(home.parent / "old", home)
    shutil.rmtree(home.parent / "old")
    agent = lab.agent(config=config())
    agent.wait_reason(jvm, "its JDK was removed or replaced")
    equal(state(agent, jvm)["reason_code"], "jdk_removed", "code")
    equal(state(agent, jvm)["state"], "refused", "state")
    agent.stop()


@test
def continued_after_a_stop(lab):
    """Suspended for longer than a roll-over: the reason goes with the first profile."""
    receiver = lab.receiver()
    jvm = lab.jvm()
    agent = lab.agent(config=config('interval = "5s"\nroll_over = "10s"'))
    agent.wait_state(jvm, "profiling")
    os.kill(jvm.pid, signal.SIGSTOP)
    agent.wait_reason(jvm, "is stopped", 60)
    equal(state(agent, jvm)["reason_code"], "stopped", "code")
    wait_for("retries that are seconds apart", lambda: state(agent, jvm)["next_profile_seconds"] > 14, 60)
    os.kill(jvm.pid, signal.SIGCONT)
    seen = len(receiver.profiles())
    wait_for("profile", lambda: len(receiver.profiles()) > seen, 20, 0.05)
    wait_for("state", lambda: state(agent, jvm)["state"] == "profiling", 2, 0.1)
    agent.stop()


@test
def what_is_lost_is_counted_and_named(lab):
    receiver = lab.receiver()
    killed = lab.jvm()
    agent = lab.agent(config=config('interval = "1s"'))
    agent.wait_state(killed, "profiling")
    receiver.wait_stack("Shop.bake", type="process_cpu")
    killed.signal(signal.SIGKILL)
    agent.wait_log(f"samples are lost.*pid={killed.inner} chunks=1 .*ended within a chunk")
    equal(agent.metric("smolder_chunks_total", result="unfinished"), 1, "unfinished chunks")
    (lab.dir / "config.alloy").write_text(config(java='min_age = "1h"'))
    agent.reload()
    young = lab.jvm()
    agent.wait_reason(young, "min_age")
    young.signal(signal.SIGKILL)
    agent.wait_log(f"ended without having been profiled.*pid={young.inner} .*code=min_age")
    equal(agent.metric("smolder_unprofiled_jvms_total", reason="min_age"), 1, "JVMs that were not profiled")
    agent.stop()
