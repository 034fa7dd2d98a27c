"""The state of a JVM says what arrives, not what was done."""
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
    """SIGPROF is blocked, no thread receives an itimer signal: another signal is used, and the state says so."""
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
