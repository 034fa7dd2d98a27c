"""What the store's page shows beside the flame graph: functions, callers and callees, a comparison, a heat map, files;
and how it shows stacks."""
import base64
import json
import time
import urllib.parse

from browser import Browser
from lab import check, equal, test
from test_page import profile, push, store
from test_store import PUSH, STORE, labels


def push_in(lab, zone, stacks):
    """A push of the service "shop" with this label, or none."""
    own = {k: v for k, v in (labels("shop") | {"zone": zone}).items() if v}
    body = {"series": [{"labels": [{"name": k, "value": v} for k, v in own.items()],
                        "samples": [{"rawProfile": base64.b64encode(profile(stacks, 20)).decode()}]}]}
    status, said = lab.machine.http("POST", PUSH, json.dumps(body), {"Content-Type": "application/json"})
    equal(status, 200, f"a push ({said})")


def opened(browser, panel, address=""):
    """The page with a panel, once it shows something."""
    browser.open("about:blank")
    browser.open(f"{STORE}/#service=shop&panel={panel}{address}")


def text(element):
    """What an element says, "" while it is not there."""
    return f"(document.getElementById('{element}') || {{textContent: ''}}).textContent"


def cells(browser, row):
    return browser.run(f"[...document.querySelectorAll('#functions tbody tr')[{row}].children].map(c => c.textContent)")


def names(browser):
    return browser.run("[...document.querySelectorAll('#functions tbody .wide')].map(e => e.textContent)")


def click(browser, selector):
    browser.wait(f"!!document.querySelector({json.dumps(selector)})")
    browser.run(f"document.querySelector({json.dumps(selector)}).click()")


def enter(browser, selector, value):
    """Types into a field and leaves it."""
    browser.wait(f"!!document.querySelector({json.dumps(selector)})")
    browser.run(f"{{ const e = document.querySelector({json.dumps(selector)}); e.value = {json.dumps(value)}; "
                "e.dispatchEvent(new Event('input', {bubbles: true})); "
                "e.dispatchEvent(new Event('change', {bubbles: true})); }")


def model(graph):
    return f"document.getElementById('{graph}').flame.model"


@test
def page_lists_all_functions(lab):
    """20,000 functions of which the graph has 8,192: the table counts and sorts all of them, finds the rarest, and
    leads to callers and callees."""
    store(lab)
    stacks = {f"main;Big.f{i}": 1000000 + i for i in range(20000)}
    stacks |= {"main;main;Rare.one": 10, "main;Rare.one;Big.f7": 20}
    push(lab, "shop", stacks)
    with Browser(machine=lab.machine) as browser:
        opened(browser, "functions")
        browser.wait("document.querySelectorAll('#functions tbody tr').length === 100")
        equal(names(browser)[:2], ["Big.f19999", "Big.f19998"], "the largest by themselves")
        check("100 shown, 20,002 functions" in browser.run("document.querySelector('.count').textContent"), "the count")
        equal(cells(browser, 0)[1], "1.02 ms", "self of the first")
        click(browser, "#functions [data-sort=total]")
        browser.wait("document.querySelector('#functions tbody .wide').textContent === 'main'")
        equal(browser.run("[...document.querySelectorAll('#functions thead th')].map(t => t.ariaSort)")[:4],
              ["none", "none", None, "descending"], "which column it is sorted by")
        equal(cells(browser, 0)[4], "100 %", "main has all")
        enter(browser, "#function-search", "rare")
        browser.wait("document.querySelectorAll('#functions tbody tr').length === 1")
        check("1 found of 20,002" in browser.run("document.querySelector('.count').textContent"), "what was found")
        equal(cells(browser, 0)[1:], ["10 ns", "0.00 %", "30 ns", "0.00 %", "0"], "the rarest")
        check("search=rare" in browser.run("location.hash"), "the search is in the address")
        click(browser, ".count button, #functions tbody button")
        browser.wait(f"{text('sandwich-sum')}.startsWith('30 ns')")
        equal(browser.run(f"[...{model('callees-graph')}.names].sort()"), ["Big.f7", "Rare.one"], "callees")
        equal(browser.run(f"[{model('callers-graph')}.names, [...{model('callers-graph')}.total]]"),
              [["Rare.one", "main"], [30, 30, 10]], "callers")
        browser.run("history.back()")
        browser.wait("document.querySelectorAll('#functions tbody tr').length === 1")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def page_has_callers_and_callees(lab):
    """A function in the middle: both graphs begin at it, another one of them can be taken, and the flame graph of the
    callers stands on it."""
    store(lab)
    push(lab, "shop", {"main;a;work;read": 5000000, "main;b;work;write": 3000000, "main;work": 2000000,
                       "idle": 1000000})
    with Browser(machine=lab.machine) as browser:
        opened(browser, "sandwich")
        browser.wait("document.querySelectorAll('#functions tbody tr').length === 7")
        browser.run("[...document.querySelectorAll('#functions tbody button')]"
                    ".find(b => b.title.startsWith('work ')).click()")
        browser.wait(f"{text('sandwich-sum')}.startsWith('10.0 ms total (90.9 %), self 2.00 ms')")
        equal(browser.run(f"[...{model('callers-graph')}.total]"), [1e7, 5e6, 5e6, 3e6, 3e6, 2e6], "callers")
        browser.run("document.querySelector('#callees-graph canvas').focus()")
        browser.key("ArrowDown")
        browser.key("Enter")
        browser.wait(f"{text('centre')}.endsWith('read')")
        click(browser, "#centre")
        browser.wait(f"{text('sandwich-title')} === 'read' && {text('sandwich-sum')}.startsWith('5.00 ms total')")
        check("function=read" in browser.run("location.hash"), "the function is in the address")
        opened(browser, "sandwich", "&function=nobody")
        browser.wait("[...document.querySelectorAll('.status')].some("
                     "e => e.textContent === 'No stack in this time range has this function.')")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def page_compares_times_and_selections(lab):
    """What changed since the time before, since a time that was kept, and between two services; each by shares."""
    store(lab)
    push(lab, "shop", {"main;work": 8000000, "main;old": 2000000}, age=1200)
    push(lab, "shop", {"main;work": 20000000, "main;new": 80000000}, age=10)
    push(lab, "yard", {"main;dig": 1000000}, age=10)
    with Browser(machine=lab.machine) as browser:
        opened(browser, "compare", "&range=15m")
        browser.wait(f"{text('diff-sum')} === '100 ms instead of 10.0 ms before'")
        equal(names(browser), ["new", "work", "old", "main"], "the largest change first")
        equal(cells(browser, 0)[1:4], ["0 %", "80.0 %", "new, +80.0 %"], "what is new")
        equal(cells(browser, 1)[1:4], ["80.0 %", "20.0 %", "−60.0 %"], "what is less")
        equal(cells(browser, 2)[3], "gone, −20.0 %", "what is gone")
        equal(browser.run(f"[{model('diff-graph')}.total[0], {model('diff-graph')}.before.total[0]]"), [1e8, 1e7],
              "both sums in the graph")
        enter(browser, "#base-query", '{service_name="yard"}')
        click(browser, ".base button[type=submit]")
        browser.wait(f"{text('diff-sum')}.endsWith('instead of 1.00 ms before')")
        check("dig" in names(browser), "the other service")
        click(browser, "#base-clear")
        browser.wait(f"{text('diff-sum')}.endsWith('instead of 10.0 ms before')")
        click(browser, "#base-keep")
        browser.wait(f"{text('base-time')}.includes(' to ')")
        browser.wait(f"{text('diff-sum')}.endsWith('instead of 100 ms before')")
        click(browser, "#ranges [data-range='1h']")
        browser.wait(f"{text('diff-sum')} === '110 ms instead of 100 ms before'")
        enter(browser, "#base-query", "{nonsense")
        click(browser, ".base button[type=submit]")
        browser.wait("document.querySelector('.status.failed') && "
                     "document.querySelector('.status.failed').textContent.includes('parsing label selector')")


@test
def page_has_a_heat_map_of_profiles(lab):
    """Two groups of profiles, one with ten times more: a range of time is chosen by pointer and by keys."""
    store(lab)
    for i in range(12):
        push(lab, "shop", {"main;work": 1000000 + i}, age=60 * i + 5)
        push(lab, "shop", {"main;work": 10000000 + i}, age=60 * i + 5)
    with Browser(machine=lab.machine) as browser:
        opened(browser, "heat", "&range=15m")
        browser.wait(f"{text('heat-sum')}.startsWith('24 profiles, each with 1.00 ms')")
        box = browser.run("(() => { const b = document.getElementById('heat-map').getBoundingClientRect(); "
                          "return [b.left, b.top, b.width, b.height]; })()")
        y, now = box[1] + box[3] / 2, time.time()
        browser.mouse("mousePressed", box[0] + box[2] * 0.5, y)
        browser.mouse("mouseMoved", box[0] + box[2] * 0.9, y)
        browser.mouse("mouseReleased", box[0] + box[2] * 0.9, y)
        browser.wait("location.hash.includes('range=custom')")
        chosen = dict(urllib.parse.parse_qsl(browser.run("location.hash.slice(1)")))
        middle = (int(chosen["from"]) + int(chosen["until"])) / 2000
        check(abs(middle - (now - 0.3 * 900)) < 60, f"the middle of what was dragged over: {now - middle:.0f} s ago")
        browser.wait(f"{text('heat-sum')} && !{text('heat-sum')}.startsWith('24 ')")
        browser.run("history.back()")
        browser.wait(f"{text('heat-sum')}.startsWith('24 ')")
        browser.run("document.getElementById('heat-map').focus()")
        browser.key("ArrowRight")
        browser.key("ArrowRight")
        browser.key("Enter")
        browser.wait("location.hash.includes('range=custom')")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def page_shows_stacks_as_wanted(lab):
    """From the leaf up, without recursion, without library frames, with lines, broken down by a label: in the graph,
    the table and the file alike."""
    store(lab)
    push(lab, "shop", {"main;java/util/A.a;java/util/B.b;app/C.visit;app/C.visit": 5000000, "main;app/D.d": 3000000})
    with Browser(machine=lab.machine) as browser:
        opened(browser, "graph")
        browser.wait("document.getElementById('graph') && !document.getElementById('graph').hidden")
        browser.run("document.querySelector('#view-menu summary').click()")
        click(browser, "[data-flag=recursion]")
        browser.wait(f"document.getElementById('graph') && {model('graph')} && {model('graph')}.n === 6")
        click(browser, "[data-flag=library]")
        browser.wait(f"document.getElementById('graph') && {model('graph')} && {model('graph')}.n === 5")
        equal(browser.run(f"{model('graph')}.names"), ["total", "main", "java/util/A.a", "app/C.visit", "app/D.d"],
              "frames")
        click(browser, "[data-flag=callers]")
        browser.wait(f"document.getElementById('graph') && {model('graph')} && "
                     f"{model('graph')}.names[1] === 'app/C.visit'")
        enter(browser, "[data-pattern=hide]", '"app.D.*"')
        browser.wait(f"document.getElementById('graph') && {model('graph')} && "
                     f"!{model('graph')}.names.includes('app/D.d')")
        click(browser, "#view-clear")
        browser.wait(f"document.getElementById('graph') && {model('graph')} && {model('graph')}.n === 7")
        browser.wait("!!document.querySelector('#by option')")
        enter(browser, "[data-pattern=hide]", "/(/")
        browser.wait(f"{text('empty')}.includes('error parsing regexp')")


@test
def page_downloads_what_it_shows(lab):
    """The links of the menu give the files; the command is for the same address."""
    store(lab)
    push(lab, "shop", {"main;work;work": 5000000, "main;idle": 3000000})
    with Browser(machine=lab.machine) as browser:
        opened(browser, "functions", "&recursion=1")
        browser.wait("document.querySelectorAll('#functions tbody tr').length === 3")
        browser.run("document.querySelector('#download-menu summary').click()")
        address = browser.wait("document.querySelector('[data-format=collapsed]').href.includes('/api/download') && "
                               "document.querySelector('[data-format=collapsed]').href")
        found = browser.run(f"fetch({json.dumps(address)}).then(async a => [await a.text(), "
                            "a.headers.get('Content-Disposition')])")
        equal(found[0], "main;idle 3000000\nmain;work 5000000\n", "collapsed stacks")
        check(found[1].startswith('attachment; filename="shop-cpu-'), found[1])
        command = browser.run(text("command"))
        check(command.startswith(f"curl -fsS -o shop-cpu.pb.gz '{STORE}/api/download?service=shop&"), command)
        equal(browser.problems(STORE), [], "what the browser complained about")
        fetched = lab.machine.path("/tmp/shop-cpu.pb.gz")
        lab.call(["bash", "-c", "cd /tmp && " + command.split("\n")[0]])
        check(fetched.stat().st_size > 100, "the file of the command")


@test
def page_panels_fit_a_phone(lab):
    """400 pixels: no panel is wider than the window, nor is an open menu."""
    store(lab)
    push(lab, "shop", {"main;a/very/long/package/name/of/ClassWithALongName.methodWithALongName": 5000000})
    with Browser(machine=lab.machine, width=400) as browser:
        browser.call("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=2, mobile=True)
        for panel in ("functions", "sandwich", "compare", "heat"):
            opened(browser, panel, "&function=main" if panel == "sandwich" else "")
            browser.wait("!!document.querySelector('#functions, #callees-graph, #heat-map')")
            equal(browser.run("document.documentElement.scrollWidth"), 400, f"the width of {panel}")
            browser.run("document.querySelector('#download-menu summary').click()")
            browser.wait("document.getElementById('download-menu').open")
            equal(browser.run("document.documentElement.scrollWidth"), 400, f"the width of {panel} with a menu")


@test
def page_says_that_a_panel_is_on_its_way(lab):
    """While a panel is asked for, it says so; what is said of a limit names its flag."""
    lab.agent("--store.listen=127.0.0.1:4040", "--store.query-series=1", config="")
    push_in(lab, "eu", {"main;work": 5000000})
    with Browser(machine=lab.machine) as browser:
        opened(browser, "graph")
        browser.wait("document.getElementById('graph') && !document.getElementById('graph').hidden")
        browser.run("{ const f = window.fetch; window.slow = new Promise(r => { window.release = r; }); "
                    "window.fetch = (...a) => window.slow.then(() => f(...a)); }")
        click(browser, "[data-panel=functions]")
        browser.wait("document.querySelector('.status').textContent === 'Asking for functions…'")
        push_in(lab, "us", {"main;idle": 5000000})
        browser.run("window.release()")
        browser.wait("document.querySelector('.status.failed') && "
                     "document.querySelector('.status.failed').textContent.includes('--store.query-series')")


@test
def page_zooms_into_deep_stacks(lab):
    """A stack of 400 long names is more than an address of the server can be: what is beneath it is asked for all the
    same."""
    store(lab)
    names = [f"com/example/some/framework/with/long/names/Handler{i}.handleRequest" for i in range(400)]
    stacks = {";".join(names + [f"leaf{i}"]): 1000000 for i in range(20)}
    stacks |= {f"main;other{i}": 1000000 + i for i in range(9000)}
    push(lab, "shop", stacks)
    path = urllib.parse.urlencode([("at", name) for name in names])
    with Browser(machine=lab.machine) as browser:
        opened(browser, "graph", "&" + path)
        browser.wait(f"document.getElementById('graph') && {model('graph')} && "
                     f"{model('graph')}.names.filter(n => n.startsWith('leaf')).length === 20")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def page_breaks_stacks_down_by_a_label(lab):
    """Beneath a frame for each value of the label, the largest first; what zooming there shows is of that value."""
    store(lab)
    for zone, value in (("eu", 3000000), ("us", 5000000), (None, 1000000)):
        push_in(lab, zone, {"main;work": value})
    with Browser(machine=lab.machine) as browser:
        opened(browser, "graph", "&by=zone")
        browser.wait(f"document.getElementById('graph') && {model('graph')} && {model('graph')}.n === 10")
        m = model("graph")
        equal(browser.run(f"[...{m}.levels[1]].map(i => [{m}.names[{m}.name[i]], {m}.total[i]])"),
              [["zone: us", 5e6], ["zone: eu", 3e6], ["zone: (none)", 1e6]], "the frames of the values")
        browser.run("document.querySelector('#graph canvas').focus()")
        browser.key("ArrowDown")
        browser.key("Enter")
        browser.wait("decodeURIComponent(location.hash).includes('at=zone:+us')")
        equal(browser.problems(STORE), [], "what the browser complained about")
