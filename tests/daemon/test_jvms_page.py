"""What a table of JVMs needs: the API of the agent."""
import http.client
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


def frames(data):
    """What "record now" answers: [(line, bytes)]"""
    found = []
    while data:
        line, _, data = data.partition(b"\n")
        line = json.loads(line)
        size = line.get("bytes", 0)
        found.append((line, data[:size]))
        check(len(data) >= size, f"a frame of {size} bytes has {len(data)}")
        data = data[size:]
    return found


def record(lab, query, headers=None, timeout=60):
    """An answer that is still to be read, and its connection."""
    with lab.machine.network():
        connection = http.client.HTTPConnection("127.0.0.1", 12345, timeout=timeout)
        connection.connect()
    connection.request("POST", "/api/v0/web/record?" + query, "", headers or {})
    return connection.getresponse(), connection


def selected(agent, jvm):
    j = next(j for j in listed(agent, "/api/v0/web/jvms")["jvms"] if j["pid"] == jvm.inner)
    return f"pid={j['pid']}&start_time={j['start_time']}"


@test
def page_records_a_jvm(lab):
    """Progress, the recording, its profiles and their graphs, in one answer; the agent's own profiling goes on."""
    lab.receiver()
    jvm = lab.jvm(version=17)
    agent = lab.agent(config=config('interval = "60s"'))
    agent.wait_state(jvm, "profiling")
    before = jvm.recordings()
    answer, connection = record(lab, selected(agent, jvm) + "&seconds=2&events=itimer")
    equal(answer.status, 200, "status")
    got = frames(answer.read())
    connection.close()
    phases = [line["phase"] for line, _ in got if "phase" in line]
    equal(list(dict.fromkeys(phases)), ["starting", "recording", "converting", "done"], "phases")
    elapsed = [line["elapsed_ms"] for line, _ in got if "elapsed_ms" in line]
    check(elapsed == sorted(elapsed) and elapsed[-1] >= 1000, f"progress: {elapsed}")
    recording = b"".join(data for line, data in got if line.get("file") == "jfr")
    check(recording.startswith(b"FLR\0"), f"the recording begins with {recording[:8]}")
    (lab.dir / "page.jfr").write_bytes(recording)
    status, text = lab.call([lab.smolder, "convert", "--output=-", "--format=collapsed", lab.dir / "page.jfr"])
    check(status == 0 and "Shop.bake" in text, f"convert: {text}")
    cpu = next(data for line, data in got if line.get("file") == "pprof" and line["type"] == "process_cpu")
    equal(cpu[:2], b"\x1f\x8b", "how the pprof begins")
    graphs = json.loads(next(d for line, d in got if line.get("file") == "graphs" and line["type"] == "process_cpu"))
    equal([(g["sample_type"], g["unit"]) for g in graphs], [("cpu", "nanoseconds")], "graphs")
    check(any("Shop.bake" in name for name in graphs[0]["names"]), f"names: {graphs[0]['names'][:20]}")
    equal(graphs[0]["nodes"][3], graphs[0]["total"], "total of the root")
    memory = json.loads(next(d for line, d in got if line.get("file") == "graphs" and line["type"] == "memory"))
    equal(len(memory), 2, "sample types of allocations")
    equal(jvm.recordings(), before, "recordings of the JVM")
    equal(agent.jvms()[jvm.inner]["state"], "profiling", "state")


@test
def page_recordings_are_guarded(lab):
    """As the other requests that start something: not from another origin, not by GET, no more than a few; and one
    whose client goes away is over."""
    lab.receiver()
    jvm = lab.jvm(version=17)
    agent = lab.agent(config=config('interval = "60s"'))
    agent.wait_state(jvm, "profiling")
    query = selected(agent, jvm)

    def refused(query, **kw):
        answer, connection = record(lab, query, **kw)
        text = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, text
    foreign = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    equal(refused(query + "&seconds=1", headers=foreign)[0], 403, "from another origin")
    equal(agent.http("GET", "/api/v0/web/record?" + query + "&seconds=1")[0], 405, "by GET")
    for seconds in ("0", "601", "x", ""):
        equal(refused(query + "&seconds=" + seconds)[0], 400, f"seconds={seconds}")
    equal(refused("pid=1&start_time=1&seconds=1")[0], 404, "another process")
    status, text = refused(query + "&seconds=1&events=wall")
    check(status == 409 and "without wall" in text, f"{status}: {text}")
    running = [record(lab, query + "&seconds=600") for _ in range(4)]
    for answer, _ in running:
        equal(answer.status, 200, "status of those that run")
    equal(refused(query + "&seconds=1")[0], 503, "status of one more")
    for answer, connection in running:
        answer.close()
        connection.close()
    wait_for("room for another", lambda: refused(query + "&seconds=1")[0] == 200, 60)
    equal(agent.jvms()[jvm.inner]["state"], "profiling", "state")
