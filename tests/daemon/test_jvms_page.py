"""The view of the JVMs: the API of the agent that it needs, and the page in a real browser."""
import http.client
import json
import signal

from browser import Browser
from lab import Failure, check, config, cpu_seconds, equal, test, wait_for


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


CPU_LEAST_S = 0.5


def recorded(lab, jvm, query):
    """All frames of a recording in which the JVM had enough CPU time for samples of what it does: on a machine that has
    little for it, a longer one."""
    for seconds in (2, 4, 8, 16, 32):
        answer, connection = record(lab, f"{query}&seconds={seconds}")
        equal(answer.status, 200, "status")
        before, data = None, b""
        while more := answer.read1(65536):
            data += more
            if before is None and b'"phase":"recording"' in data:
                before = cpu_seconds(jvm.pid)
            if b'"phase":"converting"' not in data:
                after = cpu_seconds(jvm.pid)
        connection.close()
        if after - before >= CPU_LEAST_S:
            return frames(data)
    raise Failure(f"the JVM had {after - before:.2f} s of CPU time in {seconds} s")


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
    got = recorded(lab, jvm, selected(agent, jvm) + "&events=itimer")
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


@test
def page_recordings_end_with_the_agent(lab):
    """And with the JVM: what was recorded until then is converted."""
    lab.receiver()
    jvm, other = lab.jvm(version=17), lab.jvm(version=17)
    agent = lab.agent(config=config('interval = "60s"'))
    agent.wait_state(jvm, "profiling")
    agent.wait_state(other, "profiling")
    answer, connection = record(lab, selected(agent, other) + "&seconds=600")
    data = b""
    while b'"recording"' not in data:
        data += answer.read1(65536)
    begun = cpu_seconds(other.pid)
    wait_for("CPU time of the JVM", lambda: cpu_seconds(other.pid) - begun >= CPU_LEAST_S, 60)
    other.signal(signal.SIGTERM)
    got = frames(data + answer.read())
    connection.close()
    equal(got[-1][0], {"phase": "done"}, "the last frame")
    check(any(line.get("file") == "graphs" for line, _ in got), "no graph of what was recorded until the end")
    answer, connection = record(lab, selected(agent, jvm) + "&seconds=600")
    equal(answer.status, 200, "status")
    agent.stop()
    connection.close()


API_PAGE = "http://127.0.0.1:12345/"


def text(element):
    return f"document.getElementById('{element}').textContent"


def shown(browser):
    """Service names of the rows, in their order."""
    return browser.run("[...document.querySelectorAll('.jvm-row:not(.heads) .c-service b')].map(e => e.textContent)")


def put(browser, element, value):
    browser.run(f"{{ const e = document.getElementById('{element}'); e.value = {json.dumps(value)}; "
                "e.dispatchEvent(new Event('input', {bubbles: true})); "
                "e.dispatchEvent(new Event('change', {bubbles: true})); }")


FRAME_MS = 1000 / 60
MANY = """(() => {
  const plain = window.fetch;
  window.fetch = async (...a) => {
    const answer = await plain(...a);
    if (!/^api\\/(v0\\/web\\/)?jvms/.test(String(a[0]))) return answer;
    const list = await answer.json(), states = ['profiling', 'profiling', 'profiling', 'refused', 'waiting'];
    list.jvms = Array.from({length: 500}, (_, i) => ({component: 'pyroscope.java.x', pid: 1000 + i, start_time: i,
      service_name: 'service-' + i, main: 'com.example.Main', state: states[i % 5], reason_code: 'ok', remedy: 'none',
      reason: i % 5 === 3 ? 'attach is disabled' : '', since: '', last_profile: '', next_profile_seconds: 0,
      profiles: i, samples: i, labels: {zone: i % 2 ? 'eu' : 'us'}, version: '17.0.' + (i % 20) + '+1', vendor: 'V',
      options: 'event=itimer,interval=10000000', container: '', profiled_since_ms: list.now_ms - 60000,
      last_delivered_ms: i % 3 ? list.now_ms - i : null, ended_ms: null, recorded_bytes: i * 1000, lost: 0,
      delivered: i, dropped: 0, agent_cpu_ms: i}));
    return new Response(JSON.stringify(list), {status: 200});
  };
})()"""


@test
def jvms_view_is_fluent_with_five_hundred(lab):
    """Rows in view only, filter, sort, keyboard, details, and the address that has it all."""
    lab.agent("--store.listen=127.0.0.1:4040", config="")
    with Browser(machine=lab.machine) as browser:
        browser.call("Page.addScriptToEvaluateOnNewDocument", source=MANY)
        browser.open(API_PAGE + "#view=jvms")
        browser.wait(f"document.getElementById('jvm-shown') && {text('jvm-shown')} === '500 JVMs'")
        check(10 < browser.run("document.querySelectorAll('.jvm-row').length") < 60, "rows that are elements")
        equal(shown(browser)[0], "service-3", "the first one: refused")
        took = []
        for _ in range(3):
            begun = browser.busy()
            browser.run("""(async () => {
              const box = document.getElementById('jvm-table');
              for (let i = 0; i < 60; i++) {
                box.scrollTop += box.scrollTop < 15000 ? 280 : -15000;
                await new Promise(requestAnimationFrame);
              }
            })()""")
            took.append((browser.busy() - begun) / 60 * 1000)
        check(min(took) < FRAME_MS, f"milliseconds of CPU time of a frame of scrolling, three times: {took}")
        browser.run("document.getElementById('jvm-table').scrollTop = 0")
        browser.run("[...document.querySelectorAll('.heads button')].find(b => b.textContent === 'Recorded').click()")
        browser.wait("location.hash.includes('sort=recorded')")
        equal(shown(browser)[:2], ["service-0", "service-1"], "sorted by what was recorded")
        browser.run("document.querySelector('.heads .c-recorded button').click()")
        browser.wait("location.hash.includes('sort=-recorded')")
        equal(shown(browser)[:2], ["service-499", "service-498"], "the other way round")
        order = browser.run("document.querySelector('.heads .c-recorded').getAttribute('aria-sort')")
        equal(order, "descending", "how it is sorted")
        put(browser, "jvm-find", "zone=eu refused")
        browser.wait(f"{text('jvm-shown')} === '50 JVMs'")
        put(browser, "jvm-find", "service-49")
        browser.wait(f"{text('jvm-shown')} === '11 JVMs'")
        browser.run("document.getElementById('jvm-table').focus()")
        browser.key("ArrowDown")
        browser.key("ArrowDown")
        browser.key("Enter")
        browser.wait("document.querySelector('#jvm-details h2').textContent === 'service-498'")
        check("17.0.18+1" in browser.run(text("jvm-details")), browser.run(text("jvm-details")))
        address = browser.run("location.href")
        check("find=service-49" in address and "jvm=1498-498" in address, address)
        browser.run("document.getElementById('jvm-close').focus()")
        browser.key("Enter")
        browser.wait("!document.getElementById('jvm-details') && document.activeElement.id === 'jvm-table'")
        browser.key("Enter")
        browser.wait("!!document.getElementById('jvm-details')")
        browser.key("Escape")
        browser.wait("!document.getElementById('jvm-details')")
        browser.open("about:blank")
        browser.open(address)
        browser.wait("!!document.querySelector('#jvm-details h2')")
        put(browser, "jvm-find", "no such thing")
        browser.wait("!!document.getElementById('jvm-none')")
        equal(browser.problems(API_PAGE), [], "what the browser complained about")
        browser.open("http://127.0.0.1:4040/")
        more = "[...document.querySelectorAll('#jvms .note')].map(e => e.textContent).join()"
        browser.wait(f"{more} === '450 more JVMs'")


@test
def jvms_view_records_a_jvm(lab):
    """From the button to the flame graph and the files, with a real JVM; cancelled, it is over for the agent, too."""
    lab.receiver()
    jvm = lab.jvm(version=17)
    agent = lab.agent(config=config('interval = "60s"'))
    agent.wait_state(jvm, "profiling")
    j = next(j for j in listed(agent)["jvms"] if j["pid"] == jvm.inner)
    with Browser(machine=lab.machine) as browser:
        browser.open(f"{API_PAGE}#jvm={j['pid']}-{j['start_time']}")
        browser.wait("!!document.getElementById('record-start')")
        put(browser, "record-seconds", "600")
        browser.run("document.getElementById('record-start').click()")
        browser.wait(f"!!document.getElementById('record-phase') && {text('record-phase')}.startsWith('Recording,')")
        browser.run("document.getElementById('record-cancel').click()")
        browser.wait(f"{text('record-error')} === 'Cancelled.'")
        put(browser, "record-event", "itimer")
        for seconds in (2, 4, 8, 16, 32):
            put(browser, "record-seconds", str(seconds))
            browser.run("document.getElementById('record-start').click()")
            browser.wait("!!document.getElementById('record-phase') && "
                         f"{text('record-phase')}.startsWith('Recording,')")
            begun = cpu_seconds(jvm.pid)
            browser.wait("!document.getElementById('record-phase') || "
                         f"!{text('record-phase')}.startsWith('Recording,')", seconds + 20)
            if cpu_seconds(jvm.pid) - begun >= CPU_LEAST_S:
                break
            browser.wait("!document.getElementById('record-phase')", 60)
        browser.wait("document.querySelector('.record-files') && !document.getElementById('record-phase')", 60)
        names = browser.run("[...document.querySelectorAll('.record-files button')].map(b => b.textContent)")
        for end in (".jfr", ".process_cpu.pb.gz"):
            check(any(n.endswith(end) for n in names), f"no file *{end}: {names}")
        browser.wait("!document.getElementById('graph').hidden")
        check("CPU time" in browser.run(text("title")), browser.run(text("title")))
        names = browser.run("document.getElementById('graph').flame.model.names")
        check(any("Shop.bake" in n for n in names), f"frames: {names[:20]}")
        put(browser, "search", "Shop.bake")
        browser.wait(f"{text('hits')}.includes('%')")
        equal(browser.problems(API_PAGE), [], "what the browser complained about")
    equal(agent.jvms()[jvm.inner]["state"], "profiling", "state")


@test
def page_says_what_is_elsewhere(lab):
    """The same page at both addresses: each view says where its API is."""
    agent = lab.agent("--store.listen=127.0.0.1:4040")
    jvm = lab.jvm(version=17)
    wait_for("the JVM", lambda: [j for j in listed(agent)["jvms"] if j["state"] == "profiling"], 60)
    with Browser(machine=lab.machine) as browser:
        browser.open(API_PAGE)
        browser.wait("!!document.getElementById('jvm-table')")
        browser.open(API_PAGE + "#view=explore")
        equal(browser.wait("document.querySelector('.note a') && document.querySelector('.note a').href"),
              "http://127.0.0.1:4040/", "where the store is")
        browser.open("http://127.0.0.1:4040/#view=jvms")
        browser.wait("document.querySelectorAll('.jvm-row').length > 1")
        browser.run("document.querySelectorAll('.jvm-row')[1].click()")
        link = browser.wait("document.querySelector('#jvm-details a') && document.querySelector('#jvm-details a').href")
        check(link.startswith(API_PAGE + "#view=jvms&jvm="), link)
        browser.open(link)
        browser.wait("!!document.getElementById('record-start')")
    equal(agent.http("POST", "/api/v0/web/record?pid=1&start_time=1&seconds=1", "")[0], 404, "at the agent")
    check(lab.machine.http("POST", "http://127.0.0.1:4040/api/v0/web/record", "")[0] in (404, 405), "at the store")
    jvm.kill()


@test
def jvms_view_fits_a_phone(lab):
    """400 pixels, dark: nothing is wider than the window, with details and without."""
    jvm = lab.jvm(version=17)
    lab.agent("--store.listen=127.0.0.1:4040")
    with Browser(machine=lab.machine, width=400, dark=True) as browser:
        browser.call("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=2, mobile=True)
        browser.open(API_PAGE)
        browser.wait("document.querySelectorAll('.jvm-row').length > 1")
        equal(browser.run("document.documentElement.scrollWidth"), 400, "the width of the page")
        browser.run("document.querySelectorAll('.jvm-row')[1].click()")
        browser.wait("!!document.getElementById('jvm-details')")
        equal(browser.run("document.documentElement.scrollWidth"), 400, "the width with details")
    jvm.kill()


@test
def jvms_view_explains_an_empty_list(lab):
    """No JVM, no component for JVMs, no agent."""
    agent = lab.agent(config="")
    with Browser(machine=lab.machine) as browser:
        browser.open(API_PAGE)
        browser.wait("document.querySelector('.note') && document.querySelector('.note').textContent.includes("
                     "'no pyroscope.java component')")
        agent.stop()
        browser.wait(f"{text('trouble')}.includes('does not answer')", 60)
