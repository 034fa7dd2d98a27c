"""The embedded store, its page, and the built-in configuration."""
import base64
import gzip
import json
import time
import urllib.parse

from browser import Browser
from lab import check, config, equal, java_home, test, wait_for, within

STORE = "http://127.0.0.1:4040"
PUSH = STORE + "/push.v1.PusherService/Push"


def varint(n):
    out = b""
    while n > 0x7F:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    """A protobuf field: an int, bytes, or text."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def pprof(value):
    """main;work with one value, of now."""
    strings = ["", "cpu", "nanoseconds", "main", "work"]
    kind = field(1, 1) + field(2, 2)
    out = field(1, kind) + field(2, field(1, bytes([2, 1])) + field(2, varint(value)))
    for i in (1, 2):
        out += field(4, field(1, i) + field(4, field(1, i))) + field(5, field(1, i) + field(2, 2 + i))
    out += b"".join(field(6, s) for s in strings)
    return gzip.compress(out + field(9, time.time_ns()) + field(10, 10**9) + field(11, kind) + field(12, 10**7))


def labels(service):
    return {"__name__": "process_cpu", "service_name": service, "zone": "a"}


def ask(lab, path, **parameters):
    status, text = lab.machine.http("GET", STORE + path + "?" + urllib.parse.urlencode(parameters))
    check(status == 200, f"{path}: {status} {text}")
    return json.loads(text)


def types_of(lab, service):
    return [t["id"] for t in ask(lab, "/api/types", service=service)["types"]]


def flame(lab, service, kind):
    """{frame name: total} of a flame graph."""
    answer = ask(lab, "/api/flamegraph", service=service, type=kind)
    nodes, names, totals = answer["nodes"], answer["names"], {}
    for i in range(0, len(nodes), 4):
        _, name, _, total = nodes[i:i + 4]
        totals[names[name]] = totals.get(names[name], 0) + total
    return totals


@test
def store_takes_pushes(lab):
    lab.agent("--store.listen=127.0.0.1:4040", config="")
    equal(lab.machine.http("GET", STORE + "/ready")[0], 200, "/ready")
    page = lab.machine.http("GET", STORE + "/")
    equal(page[0], 200, "the page")
    check("<!doctype html" in page[1].lower(), page[1][:100])
    as_json = {"series": [{"labels": [{"name": k, "value": v} for k, v in labels("by-json").items()],
                           "samples": [{"ID": "00000000-0000-0000-0000-000000000001",
                                        "rawProfile": base64.b64encode(pprof(5000000)).decode()}]}]}
    status, text = lab.machine.http("POST", PUSH, json.dumps(as_json), {"Content-Type": "application/json"})
    equal(status, 200, f"a push in JSON ({text})")
    series = b"".join(field(1, field(1, k) + field(2, v)) for k, v in labels("by-protobuf").items())
    message = field(1, series + field(2, field(1, pprof(7000000))))
    status, text = lab.machine.http("POST", PUSH, message, {"Content-Type": "application/proto"})
    equal(status, 200, f"a push in protobuf ({text})")
    status, text = lab.machine.http("POST", PUSH, b"\xff\xff", {"Content-Type": "application/proto"})
    equal(status, 400, f"a broken push ({text})")
    for service, value in (("by-json", 5000000), ("by-protobuf", 7000000)):
        wait_for(f"service {service}", lambda: service in json.dumps(ask(lab, "/api/services")))
        kinds = types_of(lab, service)
        equal(kinds, ["process_cpu:cpu:nanoseconds:cpu:nanoseconds"], "types")
        graph = flame(lab, service, kinds[0])
        equal((graph.get("main"), graph.get("work")), (value, value), "totals in the flame graph")


@test
def store_page_draws(lab):
    """The page in a real browser, under its own security policy."""
    lab.agent("--store.listen=127.0.0.1:4040", config="")
    series = {"series": [{"labels": [{"name": k, "value": v} for k, v in labels("shop").items()],
                          "samples": [{"ID": "00000000-0000-0000-0000-000000000001",
                                       "rawProfile": base64.b64encode(pprof(5000000)).decode()}]}]}
    equal(lab.machine.http("POST", PUSH, json.dumps(series), {"Content-Type": "application/json"})[0], 200, "a push")
    with Browser(machine=lab.machine) as browser:
        browser.open(STORE + "/")
        browser.wait("document.getElementById('graph') && !document.getElementById('graph').hidden")
        equal(browser.run("graph.flame.model.names"), ["total", "main", "work"], "names in the graph")
        equal(browser.run("document.getElementById('sum').textContent"), "5.00 ms in 1 profile", "the sum")
        browser.key("/")
        browser.call("Input.insertText", text="work")
        check("100 %" in browser.wait("document.getElementById('hits').textContent"), "all of it matches")
        browser.key("Escape")
        browser.run("document.querySelector('#graph canvas').focus()")
        browser.key("ArrowDown")
        browser.key("Enter")
        browser.wait("!document.getElementById('crumbs').hidden")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def store_shows_a_real_jvm(lab):
    jvm = lab.jvm()
    agent = lab.agent("--store.listen=127.0.0.1:4040",
                      config=config(rules='rule {\n replacement = "shop"\n target_label = "service_name"\n }'))
    wait_for("the service", lambda: "shop" in json.dumps(ask(lab, "/api/services")))
    wait_for("the CPU type", lambda: [t for t in types_of(lab, "shop") if t.startswith("process_cpu:")])
    wait_for("Shop.bake in the flame graph",
             lambda: "Shop.bake" in flame(lab, "shop", "process_cpu:cpu:nanoseconds:cpu:nanoseconds"))
    wait_for("Shop.wrapParcel in the flame graph",
             lambda: "Shop.wrapParcel" in flame(lab, "shop", "memory:alloc_in_new_tlab_bytes:bytes:space:bytes"))
    known = ask(lab, "/api/jvms")
    check(f'"pid": {jvm.inner}' in json.dumps(known) and '"profiling"' in json.dumps(known), f"JVMs: {known}")
    agent.stop()
    # What was stored is there after a restart.
    lab.agent("--store.listen=127.0.0.1:4040", config="")
    check("Shop.bake" in flame(lab, "shop", "process_cpu:cpu:nanoseconds:cpu:nanoseconds"), "gone after a restart")


@test
def built_in_configuration(lab):
    """No PATH: every JVM, also one whose program is not called java, into the store, named after its main class."""
    jvm = lab.jvm(25 if java_home(25) else 17)
    home = lab.jdk_copy()
    (home / "bin" / "java").rename(home / "bin" / "appserver")
    lab.jvm(java=home / "bin" / "appserver")
    agent = lab.agent()
    agent.wait_log("web UI listening.*4040")
    agent.wait_log("msg=profiling.*service_name=Shop", count=2)
    # The first profile after ten seconds, the rest at the end.
    wait_for("the service", lambda: "Shop" in json.dumps(ask(lab, "/api/services")), 20, 0.5)
    check("Shop.bake" in flame(lab, "Shop", "process_cpu:cpu:nanoseconds:cpu:nanoseconds"), "no Shop.bake")
    equal(len(agent.lines("msg=profiling")), 2, "sessions")
    agent.stop()
    check(not jvm.profiler_runs(), "the profiler still runs")


@test
def no_jvm_on_the_host(lab):
    """A newcomer is told, not left with silence."""
    agent = lab.agent()
    agent.wait_log("no JVM found yet.*make demo-app", 10)
    within(agent.stop(), 0, 3, "seconds to stop")
