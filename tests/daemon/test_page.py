"""The store's page in a real browser: what it says, and what its controls do."""
import base64
import gzip
import json
import time

from browser import Browser
from lab import check, equal, test, wait_for
from test_store import PUSH, STORE, field, labels, varint

CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"


def profile(stacks, age=0):
    """A gzipped pprof of CPU samples: {"main;work": nanoseconds}, that many seconds old."""
    strings, functions = ["", "cpu", "nanoseconds"], {}

    def location(name):
        if name not in functions:
            functions[name] = len(functions) + 1
            strings.append(name)
        return functions[name]
    kind = field(1, 1) + field(2, 2)
    samples = b"".join(field(2, field(1, b"".join(varint(location(n)) for n in reversed(stack.split(";")))) +
                             field(2, varint(value))) for stack, value in stacks.items())
    tables = b"".join(field(4, field(1, i) + field(4, field(1, i))) + field(5, field(1, i) + field(2, 2 + i))
                      for i in functions.values())
    rest = field(9, time.time_ns() - age * 10**9) + field(10, 10**9) + field(11, kind) + field(12, 10**7)
    return gzip.compress(field(1, kind) + samples + tables + b"".join(field(6, s) for s in strings) + rest)


def push(lab, service, stacks, age=0):
    body = {"series": [{"labels": [{"name": k, "value": v} for k, v in labels(service).items()],
                        "samples": [{"rawProfile": base64.b64encode(profile(stacks, age)).decode()}]}]}
    status, text = lab.machine.http("POST", PUSH, json.dumps(body), {"Content-Type": "application/json"})
    equal(status, 200, f"a push ({text})")


def store(lab):
    return lab.agent("--store.listen=127.0.0.1:4040", config="")


def drawn(browser, address=""):
    browser.open(STORE + "/" + address)
    browser.wait("document.getElementById('graph') && !document.getElementById('graph').hidden")


def text(element):
    return f"document.getElementById('{element}').textContent"


def choose(browser, element, value):
    browser.run(f"{{ const e = document.getElementById('{element}'); e.value = {json.dumps(value)}; "
                "e.dispatchEvent(new Event('change')); e.dispatchEvent(new Event('input')); }")


def choose_service(browser, name):
    browser.run("document.getElementById('service').click()")
    browser.wait("!!document.getElementById('service-list')")
    browser.run(f"document.querySelector('#service-list [data-service={json.dumps(name)}]').click()")


@test
def page_counts_what_the_graph_leaves_out(lab):
    """20,000 frames of which the page gets 8,192: what is searched for is counted in all of them, and zooming in shows
    more. A function that was clicked matches no other whose name begins alike."""
    stacks = {f"main;big{i};Tail.rare": 1000 for i in range(10000)}
    stacks |= {f"main;huge;f{i};Tail.rareToo": 3000 for i in range(3000)}
    store(lab)
    push(lab, "wide", stacks)
    whole = sum(stacks.values())
    with Browser(machine=lab.machine) as browser:
        drawn(browser)
        check("(other)" in browser.run("graph.flame.model.names"), "nothing was left out")
        browser.key("/")
        browser.call("Input.insertText", text="rare")
        browser.wait(f"{text('hits')}.startsWith('100 %')")
        browser.run("[...document.querySelectorAll('#top button')].find(b => b.title.startsWith('Tail.rare ')).click()")
        want = f"{10000 * 1000 / whole * 100:.1f} %"
        browser.wait(f"{text('hits')}.startsWith('{want}')")
        frames = "graph.flame.model.names.filter(n => /^big/.test(n)).length"
        few = browser.run(frames)
        browser.run("{ const m = graph.flame.model, i = [...m.name].findIndex(x => m.names[x] === 'main'); "
                    "document.querySelector('#graph canvas').focus(); }")
        browser.key("ArrowDown")
        browser.key("Enter")
        browser.wait("location.hash.includes('at=main')")
        browser.key("ArrowDown")
        browser.key("Enter")
        browser.wait("location.hash.includes('at=huge')")
        browser.wait("graph.flame.model.names.filter(n => /^f\\d/.test(n)).length === 3000")
        check(few < 10000, f"{few} of the small frames were there at once")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def page_goes_back(lab):
    """Service, zoom and search are in the address: the back button undoes a step, a copied address shows the same."""
    store(lab)
    push(lab, "shop", {"main;bake": 5000000, "main;eat": 3000000})
    push(lab, "yard", {"dig": 1000000})
    with Browser(machine=lab.machine) as browser:
        drawn(browser, "#service=shop")
        browser.run("document.querySelector('#graph canvas').focus()")
        for _ in range(2):
            browser.key("ArrowDown")
            browser.key("Enter")
        browser.wait("location.hash.includes('at=main&at=bake')")
        browser.key("/")
        browser.call("Input.insertText", text="bake")
        browser.wait(f"{text('hits')}.startsWith('100 %')")
        address = browser.wait("location.hash.includes('search=bake') && location.hash")
        choose_service(browser, "yard")
        browser.wait("graph.flame.model && graph.flame.model.names.includes('dig')")
        browser.run("history.back()")
        browser.wait("graph.flame.model && graph.flame.model.names.includes('bake') && "
                     "!document.getElementById('crumbs').hidden")
        browser.run("history.back()")
        browser.wait("location.hash.includes('at=main') && !location.hash.includes('at=bake')")
        browser.open("about:blank")
        drawn(browser, address)
        browser.wait(f"!document.getElementById('crumbs').hidden && {text('hits')}.startsWith('100 %')")
        equal(browser.run("document.getElementById('search').value"), "bake", "the search box")


@test
def page_shows_nothing_under_another_name(lab):
    """While another service is asked for, and when the server is gone, no graph stands there that is not its own; and
    nothing says that the page is live."""
    agent = store(lab)
    push(lab, "shop", {"main;bake": 5000000})
    push(lab, "yard", {"dig": 1000000})
    with Browser(machine=lab.machine) as browser:
        drawn(browser, "#service=shop")
        browser.run("{ const f = window.fetch; window.slow = new Promise(r => { window.release = r; }); "
                    "window.fetch = (...a) => window.slow.then(() => f(...a)); }")
        choose_service(browser, "yard")
        equal(browser.run("document.getElementById('graph').hidden"), True, "the old graph is hidden")
        check("Loading yard" in browser.run(text("empty")), browser.run(text("empty")))
        equal(browser.run("document.querySelectorAll('#top li').length"), 0, "functions of the old graph")
        browser.run("window.release()")
        browser.wait("graph.flame.model && graph.flame.model.names.includes('dig')")
        agent.stop()
        browser.wait(f"{text('live')}.includes('No data')")
        check("does not answer" in browser.run(text("trouble")), browser.run(text("trouble")))
        choose_service(browser, "shop")
        browser.wait(f"document.getElementById('graph').hidden && {text('empty')}.includes('No answer')")


@test
def page_explains_time_ranges(lab):
    """What was entered wrong is said; an empty range of the past is one, and nobody's fault."""
    store(lab)
    push(lab, "shop", {"main;bake": 5000000})
    with Browser(machine=lab.machine) as browser:
        drawn(browser, "#service=shop&range=custom&from=abc&until=5")
        check("not valid" in browser.run(text("trouble")), browser.run(text("trouble")))
        equal(browser.run("document.querySelector('#ranges [aria-pressed=true]').dataset.range"), "1h", "the range")
        browser.run("[...document.querySelectorAll('#ranges button')].find(b => b.textContent === 'Custom').click()")
        browser.wait("!document.getElementById('graph').hidden")
        browser.run("{ const f = document.getElementById('from'), u = document.getElementById('until'), v = f.value; "
                    "f.value = u.value; u.value = v; u.dispatchEvent(new Event('change')); }")
        check("earlier" in browser.wait(f"!document.getElementById('trouble').hidden && {text('trouble')}"), "order")
        browser.open("about:blank")
        browser.open(STORE + "/#service=shop&range=custom&from=1000000000000&until=1000000600000")
        browser.wait("!!document.getElementById('empty')")
        said = browser.wait(f"{text('empty')}.includes('time range') && {text('empty')}")
        check("pyroscope.write" not in said and "Sep" in said, said)
        check(browser.run("document.getElementById('from').value").startswith("2001-09-0"), "the field for the start")
        browser.run("document.querySelector('#empty button').click()")
        browser.wait("!document.getElementById('graph').hidden")


@test
def page_fits_a_phone(lab):
    """400 pixels: nothing is wider than the window, also with times to enter and long names."""
    store(lab)
    push(lab, "a-service-with-quite-a-long-name-in-a-namespace-with-a-long-name-too", {"main;bake": 5000000})
    with Browser(machine=lab.machine, width=400) as browser:
        browser.call("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=2, mobile=True)
        drawn(browser, "#range=1h")
        equal(browser.run("document.documentElement.scrollWidth"), 400, "the width of the page")
        browser.run("[...document.querySelectorAll('#ranges button')].find(b => b.textContent === 'Custom').click()")
        browser.wait("!document.getElementById('custom').hidden && !document.getElementById('graph').hidden")
        equal(browser.run("document.documentElement.scrollWidth"), 400, "the width with times to enter")


@test
def page_filters_many_services(lab):
    """Thirty services: the list can be filtered, and keeps the one that is shown."""
    store(lab)
    for i in range(30):
        push(lab, f"service-{i:02}", {"main": 1000000 + i})
    with Browser(machine=lab.machine) as browser:
        drawn(browser)
        options = "[...document.querySelectorAll('#service-list [role=option]')].map(o => o.dataset.service)"
        browser.run("document.getElementById('service').click()")
        browser.wait("!!document.getElementById('service-list')")
        equal(len(browser.run(options)), 30, "services")
        shown = browser.run("document.getElementById('service').value")
        choose(browser, "service-filter", "E-1")
        left = browser.run(options)
        equal(sorted(set(left) - {shown}), sorted({f"service-{i}" for i in range(10, 20)} - {shown}), "those left")
        check(shown in left, "the one that is shown is no longer in the list")


@test
def page_keeps_jvms_that_ended(lab):
    """A JVM that ends is shown as gone, not as if it had never been."""
    jvm = lab.jvm()
    lab.agent("--store.listen=127.0.0.1:4040")
    with Browser(machine=lab.machine) as browser:
        browser.open(STORE + "/")
        browser.wait("!!document.querySelector('#jvms .badge.profiling')")
        jvm.kill()
        browser.wait("!!document.querySelector('#jvms .badge.gone')")
        wait_for("the count", lambda: browser.run(text("jvm-count")).startswith("0 profiled"), 20)
