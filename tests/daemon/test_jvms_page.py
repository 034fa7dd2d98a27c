"""What a table of JVMs needs: the API of the agent."""
import json
import signal

from lab import check, config, equal, test, wait_for


def listed(agent, path="/api/v0/jvms"):
    status, text = agent.http("GET", path)
    equal(status, 200, f"status of {path}")
    return json.loads(text)


@test
def jvms_are_listed_with_what_was_delivered(lab):
    """Counts and times are those of the confirmations: while the server fails, nothing is delivered, whatever was
    sent."""
    receiver = lab.receiver()
    receiver.behave(status=503)
    jvm = lab.jvm(version=17)
    agent = lab.agent(config=config())
    agent.wait_state(jvm, "profiling")

    def of_jvm():
        return next(j for j in listed(agent)["jvms"] if j["pid"] == jvm.inner)
    wait_for("profiles", lambda: of_jvm()["profiles"] >= 3, 60)
    j = of_jvm()
    equal((j["delivered"], j["last_delivered_ms"]), (0, None), "delivered while the server fails")
    check(j["version"].startswith("17.") and j["vendor"], f"version {j['version']!r}, vendor {j['vendor']!r}")
    check("event=itimer" in j["options"], j["options"])
    check(j["recorded_bytes"] > 1000 and j["agent_cpu_ms"] > 0, f"{j['recorded_bytes']} bytes, {j['agent_cpu_ms']} ms")
    receiver.behave()
    wait_for("deliveries", lambda: of_jvm()["delivered"] >= 3, 60)
    answer = listed(agent)
    j = next(x for x in answer["jvms"] if x["pid"] == jvm.inner)
    check(j["profiled_since_ms"] <= j["last_delivered_ms"] <= answer["now_ms"], "order of times")
    got = receiver.profiles(pid=str(jvm.inner))
    check(len(got) >= 3, f"the receiver has {len(got)} profiles")


@test
def jvms_that_ended_are_remembered(lab):
    receiver = lab.receiver()
    jvm = lab.jvm(version=17)
    agent = lab.agent(config=config())
    receiver.wait(3)
    equal(listed(agent)["ended"], [], "JVMs that ended")
    jvm.signal(signal.SIGTERM)
    ended = wait_for("the end", lambda: listed(agent)["ended"], 60)[0]
    equal((ended["pid"], ended["state"], ended["reason_code"]), (jvm.inner, "gone", "ended"), "the JVM")
    check(ended["ended_ms"] >= ended["profiled_since_ms"], "order of times")
    check(ended["version"].startswith("17."), ended["version"])
    check(all(j["pid"] != jvm.inner for j in listed(agent)["jvms"]), "it is still listed with those that run")
    # What was collected last arrives after the end, and is counted.
    wait_for("the last deliveries", lambda: listed(agent)["ended"][0]["delivered"] == ended["profiles"], 60)
