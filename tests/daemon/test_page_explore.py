"""Explore, the store's page, in a real browser: what is selected, how it is moved, and who can use it. Pictures of what
it looked like are kept in build/screenshots."""
import base64
import gzip
import json
import time

from browser import Browser
from lab import check, equal, test, wait_for
from test_page import CPU, choose, choose_service, drawn, profile, push, store, text
from test_store import PUSH, STORE

WEIGHT_MAX = 150_000
STACKS = {"java/lang/Thread.run;shop/Main.main;shop/Bake.it": 600_000_000,
          "java/lang/Thread.run;shop/Main.main;shop/Eat.it;java/util/HashMap.get": 300_000_000,
          "libc.so.6.clone;libjvm.so.GangWorker::run": 100_000_000}


def push_zones(lab, service, zones, age=0, name="process_cpu"):
    """A profile per zone, which has the values of STACKS so many times."""
    series = [{"labels": [{"name": "__name__", "value": name}, {"name": "service_name", "value": service},
                          {"name": "zone", "value": zone}],
               "samples": [{"rawProfile": base64.b64encode(
                   profile({stack: value * times for stack, value in STACKS.items()}, age)).decode()}]}
              for zone, times in zones.items()]
    status, answer = lab.machine.http("POST", PUSH, json.dumps({"series": series}),
                                      {"Content-Type": "application/json"})
    equal(status, 200, f"a push ({answer})")


def click(browser, selector):
    browser.wait(f"!!document.querySelector({json.dumps(selector)})")
    browser.run(f"document.querySelector({json.dumps(selector)}).click()")


def total(graph="graph"):
    return f"(document.getElementById('{graph}').flame.model || {{total: [0]}}).total[0]"


def rows(browser):
    return browser.run("[...document.querySelectorAll('#service-list [role=option]')].map(o => o.dataset.service)")


def box(browser, selector):
    return browser.run(f"(() => {{ const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect(); "
                       "return [b.left, b.top, b.width, b.height]; })()")


@test
def page_lists_154_services_with_their_amounts(lab):
    """The list opens at the service that is shown, is filtered and walked through by keys; each has its amount over
    time."""
    store(lab)
    for i in range(0, 154, 2):
        series = [{"labels": [{"name": "__name__", "value": "process_cpu"},
                              {"name": "service_name", "value": f"service-{k:03}"}],
                   "samples": [{"rawProfile": base64.b64encode(profile({"main": 10**6 * (k + 1)}, age)).decode()}]}
                  for k in (i, i + 1) for age in (30, 900)]
        equal(lab.machine.http("POST", PUSH, json.dumps({"series": series}),
                               {"Content-Type": "application/json"})[0], 200, "a push")
    with Browser(machine=lab.machine) as browser:
        drawn(browser, "#service=service-120")
        click(browser, "#service")
        browser.wait("document.querySelectorAll('#service-list [role=option]').length === 154")
        equal(browser.run("document.activeElement.id"), "service-filter", "where the keyboard is")
        equal(browser.run("document.querySelector('#service-list .active').dataset.service"), "service-120",
              "the row it opens at")
        check(browser.run("document.querySelectorAll('#service-list polyline').length") == 154, "sparklines")
        equal(browser.run("document.querySelector('#service-list [aria-selected=true] small').textContent"), "242 ms",
              "the amount of two profiles")
        browser.picture("explore-services")
        browser.call("Input.insertText", text="E-15")
        browser.wait("document.querySelectorAll('#service-list [role=option]').length === 5")
        equal(rows(browser), ["service-120", *(f"service-{i}" for i in range(150, 154))], "those found")
        for key in ("ArrowDown", "ArrowDown", "Enter"):
            browser.key(key)
        browser.wait("location.hash.includes('service=service-151') && !document.getElementById('service-list')")
        browser.wait(f"{total()} === {2 * 152 * 10**6}")
        equal(browser.run("document.activeElement.id"), "service", "where the keyboard is after the choice")
        click(browser, "#service")
        browser.wait("!!document.getElementById('service-list')")
        browser.key("Escape")
        browser.wait("!document.getElementById('service-list') && document.activeElement.id === 'service'")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def page_filters_and_groups_by_labels(lab):
    """Values are offered, a filter is a chip that can be removed, and by a label the amount has a line per value, from
    which a filter can be made; the back button undoes each."""
    store(lab)
    push_zones(lab, "shop", {"eu": 1, "us": 2, "asia": 3})
    with Browser(machine=lab.machine) as browser:
        drawn(browser, "#service=shop")
        browser.wait(f"{total()} === 6e9")
        click(browser, "#add-filter")
        browser.wait("!!document.querySelector('#filter-name option[value=zone]')")
        choose(browser, "filter-name", "zone")
        browser.wait("document.querySelectorAll('#filter-values button').length === 3")
        choose(browser, "filter-value", "u")
        browser.wait("document.querySelectorAll('#filter-values button').length === 2")
        browser.picture("explore-filter")
        browser.run("[...document.querySelectorAll('#filter-values button')].find(b => b.textContent === 'us').click()")
        browser.wait(f"{total()} === 2e9")
        equal(browser.run("document.querySelector('.chip b').textContent"), "us", "the chip")
        browser.wait("!!document.querySelector('#by option[value=zone]')")
        choose(browser, "by", "zone")
        browser.wait("document.querySelectorAll('.groups li').length === 1")
        click(browser, ".chip button")
        browser.wait("document.querySelectorAll('.groups li').length === 3")
        equal(browser.run("[...document.querySelectorAll('.groups span')].map(s => s.textContent)"),
              ["asia", "us", "eu"], "the largest first")
        equal(browser.run("document.querySelector('.groups small').textContent"), "3.00 s · 50.0 %", "its share")
        browser.wait(f"{total()} === 6e9")
        browser.picture("explore-by-label")
        click(browser, ".groups [aria-label='Without asia']")
        browser.wait(f"{total()} === 3e9")
        browser.run("history.back()")
        browser.wait(f"{total()} === 6e9 && !document.querySelector('.chip')")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def page_shows_types_side_by_side(lab):
    """Three profile types of one range, each with its own zoom; a search is for all of them, and an address shows the
    same."""
    store(lab)
    push(lab, "shop", {"main;work": 5000000})
    for name in ("wall", "mutex"):
        push_zones(lab, "shop", {"eu": 1}, name=name)
    with Browser(machine=lab.machine, width=1500, height=900) as browser:
        drawn(browser, f"#service=shop&type={CPU}")
        click(browser, "#beside")
        browser.wait("document.querySelectorAll('#beside-box input').length === 2")
        for i in range(2):
            browser.run(f"document.querySelectorAll('#beside-box input')[{i}].click()")
            browser.wait(f"document.querySelectorAll('.graph:not([hidden])').length === {i + 2}")
        browser.key("Escape")
        browser.wait(f"{total('graph-2')} === 1e9")
        browser.run("document.querySelector('#graph-1 canvas').focus()")
        browser.key("ArrowDown")
        browser.key("Enter")
        browser.wait("location.hash.includes('at.1=') && !document.getElementById('crumbs-1').hidden")
        check(browser.run("document.getElementById('crumbs').hidden"), "the first one is not zoomed")
        browser.run("document.getElementById('search-1').focus()")
        browser.call("Input.insertText", text="Bake")
        browser.wait(f"{text('hits-1')}.includes('66.7 %') && {text('hits-2')}.startsWith('60.0 %') && "
                     f"{text('hits')}.startsWith('no match')")
        browser.picture("explore-side-by-side")
        address = browser.run("location.hash")
        browser.open("about:blank")
        drawn(browser, address)
        browser.wait(f"{text('hits-1')}.includes('66.7 %') && {text('hits-2')}.startsWith('60.0 %')")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def page_chooses_time_on_the_chart(lab):
    """Dragging chooses a range; it can be doubled and moved; a comparison is a line of its own, in the address too."""
    store(lab)
    push(lab, "shop", {"main;late": 1000000}, age=30)
    push(lab, "shop", {"main;early": 3000000}, age=2400)
    with Browser(machine=lab.machine) as browser:
        drawn(browser, "#service=shop")
        browser.wait(f"{total()} === 4e6")
        browser.wait("!!document.querySelector('.chart .u-over')")
        left, top, width, height = box(browser, ".chart .u-over")
        browser.mouse("mouseMoved", left + 2, top + height / 2)
        browser.mouse("mousePressed", left + 2, top + height / 2)
        browser.mouse("mouseMoved", left + width / 4, top + height / 2)
        browser.mouse("mouseMoved", left + width / 2, top + height / 2)
        browser.mouse("mouseReleased", left + width / 2, top + height / 2)
        browser.wait("location.hash.includes('range=custom')")
        browser.wait(f"{total()} === 3e6")
        click(browser, "[aria-label='Twice as long']")
        browser.wait(f"{total()} === 3e6 || {total()} === 4e6")
        browser.run("history.back()")
        browser.wait(f"{total()} === 3e6")
        browser.run("history.back()")
        browser.wait("location.hash.includes('range=1h')")
        choose(browser, "compare", "1h")
        browser.wait("location.hash.includes('compare=1h')")
        browser.wait("document.querySelector('.chart').getAttribute('aria-label').includes('most at')")
        browser.picture("explore-compared")
        choose(browser, "compare", "custom")
        browser.wait("!!document.getElementById('base-from') && location.hash.includes('base_from=')")
        browser.run("{ const f = document.getElementById('base-from'), u = document.getElementById('base-until'), "
                    "v = f.value; f.value = u.value; u.value = v; u.dispatchEvent(new Event('change')); }")
        browser.wait(f"{text('trouble')}.includes('earlier')")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def page_refresh_disturbs_nobody(lab):
    """When new profiles come, the tip stays with what is under the pointer, the frame that has the keyboard keeps it,
    and so does the view; and a paused page stays as it is."""
    store(lab)
    push(lab, "shop", STACKS)
    with Browser(machine=lab.machine) as browser:
        drawn(browser, "#service=shop")
        browser.run("document.querySelector('#graph canvas').focus()")
        for _ in range(2):
            browser.key("ArrowDown")
        check("Main.main" in browser.run(text("speak")), browser.run(text("speak")))
        browser.key("+")
        left, top, width, _ = box(browser, "#graph canvas")
        browser.mouse("mouseMoved", left + width / 2, top + 70)
        said = browser.wait(f"!document.getElementById('tip').hidden && {text('tip')}")
        check("600 ms" in said, said)
        before = browser.run("JSON.stringify(graph.flame.shown)")
        push(lab, "shop", {stack: value for stack, value in STACKS.items()})
        push(lab, "shop", {"java/lang/Thread.run;shop/Main.main;shop/Bake.it": 400_000_000})
        browser.run("document.getElementById('live').click()")
        browser.wait(f"{text('live')} === 'Paused'")
        browser.run("document.getElementById('live').click()")
        browser.wait(f"!document.getElementById('tip').hidden && {text('tip')} !== {json.dumps(said)}")
        check("Bake.it" in browser.run(text("tip")), browser.run(text("tip")))
        equal(browser.run("document.activeElement.tagName"), "CANVAS", "the keyboard")
        browser.key("ArrowUp")
        check("Thread.run" in browser.run(text("speak")), f"from where it was: {browser.run(text('speak'))}")
        check(browser.run("graph.flame.shown.span / graph.flame.model.size[0]") < 0.7, f"the view was {before}")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def page_is_for_keyboards_and_readers(lab):
    """Every control has a name, matches are walked through by n, the canvas says what it is and where one is."""
    store(lab)
    push(lab, "shop", STACKS)
    with Browser(machine=lab.machine) as browser:
        drawn(browser, "#service=shop")
        unnamed = browser.run(
            "[...document.querySelectorAll('button, input, select, a, .graph canvas')].filter(e => !(e.ariaLabel || "
            "e.title || e.textContent.trim() || (e.labels && e.labels.length))).map(e => e.outerHTML)")
        equal(unnamed, [], "controls without a name")
        browser.key("/")
        browser.call("Input.insertText", text="shop")
        browser.wait(f"{text('hits')}.startsWith('90.0 %')")
        browser.run("document.querySelector('#graph canvas').focus()")
        spoken = []
        for key in ("n", "n", "n", "N"):
            browser.key(key)
            spoken.append(browser.run(text("speak")).split(",")[0])
        equal(spoken, ["shop.Main.main", "shop.Bake.it", "shop.Eat.it", "shop.Bake.it"], "matches")
        equal(browser.run("document.getElementById('speak').getAttribute('aria-live')"), "polite", "is told")
        equal(browser.run("document.querySelector('.tabs [aria-current=page]').textContent"), "Explore", "the tab")


@test
def page_fits_fingers_and_small_windows(lab):
    """400 pixels with every control open: nothing is wider, and what is pressed has 24 pixels at least, a finger 44."""
    store(lab)
    push_zones(lab, "a-service-with-quite-a-long-name-in-a-namespace-with-a-long-name-too", {"eu": 1, "us": 2})
    until = int(time.time() * 1000) + 1000
    address = (f"#range=custom&from={until - 3600000}&until={until}&by=zone&compare=custom&base_from=1000"
               "&base_until=2000")
    small = ("[...document.querySelectorAll('button, a, select, input:not([type=checkbox]), summary')].filter(e => "
             "e.checkVisibility({contentVisibilityAuto: true}) && (e.offsetHeight < MIN || e.offsetWidth < MIN))"
             ".map(e => e.outerHTML.slice(0, 120))")
    with Browser(machine=lab.machine, width=400, dark=True) as browser:
        browser.call("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=2, mobile=True)
        drawn(browser, address)
        browser.wait("document.querySelectorAll('.groups li').length === 2")
        equal(browser.run("document.documentElement.dataset.theme"), "dark", "the theme")
        equal(browser.run("document.documentElement.scrollWidth"), 400, "the width of the page")
        equal(browser.run(small.replace("MIN", "24")), [], "small targets")
        browser.picture("explore-phone")
        for button in ("service", "add-filter"):
            browser.run(f"document.getElementById('{button}').click()")
            browser.wait(f"!!document.getElementById('{button}-box')")
            equal(browser.run("document.documentElement.scrollWidth"), 400, f"the width with the box of {button}")
            browser.key("Escape")
        browser.call("Emulation.setTouchEmulationEnabled", enabled=True)
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "pointer", "value": "coarse"}])
        equal(browser.run("matchMedia('(pointer: coarse)').matches"), True, "the pointer is a finger")
        equal(browser.run(small.replace("MIN", "44")), [], "small targets of a finger")
        equal(browser.run("document.documentElement.scrollWidth"), 400, "the width for fingers")


@test
def page_without_scripts_says_so(lab):
    store(lab)
    with Browser(machine=lab.machine) as browser:
        browser.call("Emulation.setScriptExecutionDisabled", value=True)
        browser.open(STORE + "/")
        browser.wait("!!document.querySelector('.noscript')")
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    status, page = lab.machine.http("GET", STORE + "/")
    equal(status, 200, "the page")
    check("<noscript>" in page, "what is shown without scripts")
    weight = len(gzip.compress(page.encode()))
    check(weight < WEIGHT_MAX, f"the page has {weight} bytes, compressed")


@test
def page_has_tabs(lab):
    """Each view is found again as it was left; the back button goes to the one before."""
    store(lab)
    push(lab, "shop", {"main;work": 5000000})
    with Browser(machine=lab.machine) as browser:
        drawn(browser, "#service=shop&range=6h")
        browser.wait("location.hash.includes('type=')")
        for tab in ("JVMs", "Pipeline", "Explore"):
            browser.run(f"[...document.querySelectorAll('.tabs a')].find(a => a.textContent === '{tab}').click()")
            browser.wait(f"document.querySelector('.tabs [aria-current=page]').textContent === '{tab}'")
        check("range=6h" in browser.run("location.hash"), "Explore as it was")
        browser.run("history.back()")
        browser.wait("document.querySelector('.tabs [aria-current=page]').textContent === 'Pipeline'")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def page_moves_a_graph_of_100000_frames(lab):
    """All of them loaded, as is chosen in the menu: drawing them takes the script less than a frame of the display has.
    bench/page.py tells how many frames of the display there are in a second."""
    store(lab)
    push(lab, "shop", {f"com/shop/m{i % 20}/A.f;com/shop/B.g{i // 20 % 10};" +
                       ";".join(f"org/lib{(i + k) % 50}/Pack{k}.call{i * k % 97}" for k in range(49)): 1000 + i
                       for i in range(2000)})
    with Browser(machine=lab.machine, width=1400, height=1000) as browser:
        drawn(browser, "#service=shop&nodes=131072")
        browser.wait("graph.flame.model && graph.flame.model.n > 95000")
        measure = (
            "(() => { const f = graph.flame, whole = f.model.size[0]; let worst = 0; for (const scale of [1, 10, 100]) "
            "{ f.look(whole * .3, whole / scale); let best = Infinity; for (let i = 0; i < 25; i++) { const begin = "
            "performance.now(); f.draw(); best = Math.min(best, performance.now() - begin); } "
            "worst = Math.max(worst, best); } return worst; })()")
        # Others use the machine as well: the shortest of some seconds counts.
        wait_for("frame that is drawn in time", lambda: browser.run(measure) < 1000 / 60, 60)
        browser.picture("explore-100000")
        equal(browser.problems(STORE), [], "what the browser complained about")
