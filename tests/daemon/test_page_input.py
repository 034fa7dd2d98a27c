"""The page under fingers, keys, a mouse and the eyes of many: what can be done with a frame, where the keyboard is,
what is readable, and what fits side by side."""
import json

from browser import Browser
from lab import check, equal, test
from test_page import CPU, choose, drawn, push, store, text
from test_page_explore import STACKS, box, click, push_zones
from test_store import STORE

PANELS = ("graph", "functions", "sandwich", "compare", "heat")
WALL, MUTEX = ("wall:cpu:nanoseconds:cpu:nanoseconds", "mutex:cpu:nanoseconds:cpu:nanoseconds")
SPAN = "graph.flame.span / graph.flame.model.size[0]"


def push_three(lab):
    push(lab, "shop", STACKS)
    for name in ("wall", "mutex"):
        push_zones(lab, "shop", {"eu": 1, "us": 2}, name=name)


def three(browser, panel, more=""):
    """Three profile types side by side."""
    browser.open("about:blank")
    browser.open(f"{STORE}/#service=shop&type={CPU}&type={WALL}&type={MUTEX}&panel={panel}&function=shop/Main.main"
                 f"&compare=before&{more}")
    browser.wait("document.querySelectorAll('.column .flame').length === 3 && "
                 "!document.querySelector('.column .flame .status')")
    if panel != "heat":
        browser.wait("document.querySelectorAll('.column .graph:not([hidden]), .functions').length >= 3")


def at_frame(browser, name):
    """The middle of the first frame of that name."""
    return browser.run(f"""(() => {{
      const f = graph.flame, m = f.model, i = [...m.name].findIndex(n => m.names[n] === {json.dumps(name)}),
        b = document.querySelector('#graph canvas').getBoundingClientRect();
      return [b.left + (m.x[i] + m.size[i] / 2 - f.x0) / f.span * b.width,
        b.top + f.yOf(m.depth[i]) - graph.scrollTop + 10];
    }})()""")


def right_click(browser, x, y):
    for kind in ("mousePressed", "mouseReleased"):
        browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="right", clickCount=1)


def press(browser, selector):
    """A click of the mouse, which a script's is not."""
    left, top, width, height = box(browser, selector)
    browser.click(left + width / 2, top + height / 2)


@test
def page_has_ids_once(lab):
    """Whatever stands side by side: no id is there twice, and what labels and controls name is there."""
    store(lab)
    push_three(lab)
    with Browser(machine=lab.machine, width=1400, height=900) as browser:
        for panel in PANELS:
            three(browser, panel)
            twice = browser.run("(ids => ids.filter((id, i) => ids.indexOf(id) !== i))"
                                "([...document.querySelectorAll('[id]')].map(e => e.id))")
            equal(twice, [], f"ids that {panel} has twice")
            lost = browser.run("""['for', 'aria-controls', 'aria-labelledby', 'aria-activedescendant'].flatMap(name =>
              [...document.querySelectorAll(`[${name}]`)].filter(e => !document.getElementById(e.getAttribute(name)))
                .map(e => e.outerHTML.slice(0, 120)))""")
            equal(lost, [], f"what {panel} refers to")


@test
def page_has_room_side_by_side(lab):
    """No table over a graph, and charts as high as each other, also in a low window; on a phone all panels can be
    reached, names can be read, and the graph is no slit."""
    store(lab)
    push_three(lab)
    push(lab, "shop", {f"shop/Main.main;shop/Other.leaf{i}": 10**6 for i in range(11)})
    with Browser(machine=lab.machine, width=1400, height=800) as browser:
        for panel in PANELS:
            three(browser, panel)
            over = browser.run("""[...document.querySelectorAll('.column')].filter(c => {
              const boxes = [...c.querySelectorAll('.graph:not([hidden]), .table-box')]
                .map(e => e.getBoundingClientRect());
              return boxes.some(b => b.height < 100) ||
                boxes.some((b, i) => boxes.some((d, k) => i < k && b.bottom > d.top && d.bottom > b.top));
            }).length""")
            equal(over, 0, f"columns of {panel} in which one thing is over another, or has no room")
            tops = browser.run("[...new Set([...document.querySelectorAll('.column .flame')]"
                               ".map(e => e.getBoundingClientRect().top))].length")
            equal(tops, 1, f"heights of the charts of {panel}")
        browser.picture("explore-three-compared")
        browser.call("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=True)
        drawn(browser, "#service=shop&type=" + CPU)
        outside = browser.run("[...document.querySelectorAll('#panels button, #ranges button')].filter(b => "
                              "b.getBoundingClientRect().right > b.parentElement.getBoundingClientRect().right + 1)"
                              ".map(b => b.textContent)")
        equal(outside, [], "buttons that are cut")
        check(box(browser, "#graph")[3] >= 400, f"the graph: {box(browser, '#graph')}")
        browser.wait("document.querySelectorAll('#top li').length > 12")
        hidden = browser.run("(top => top.scrollHeight - top.clientHeight)(document.getElementById('top'))")
        check(hidden < 3, f"{hidden} pixels of the top functions are scrolled out")
        browser.run("document.querySelector('[data-panel=functions]').click()")
        browser.wait("document.querySelectorAll('#functions tbody tr').length > 2")
        check(box(browser, "#functions tbody th")[2] >= 150, f"a name has {box(browser, '#functions tbody th')}")
        equal(browser.run("document.documentElement.scrollWidth"), 400, "the width of the page")


@test
def page_graph_is_scaled_by_fingers_and_wheels(lab):
    """Two fingers scale around what is between them, one moves, and none of it zooms; as Ctrl and the wheel do around
    the pointer."""
    store(lab)
    push(lab, "shop", STACKS)
    with Browser(machine=lab.machine, width=500, height=900) as browser:
        browser.call("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
        drawn(browser, "#service=shop")
        browser.run("document.querySelector('.graph').scrollIntoView()")
        equal(browser.run("matchMedia('(pointer: coarse)').matches"), True, "the pointer is a finger")
        left, top, width, _ = box(browser, "#graph canvas")
        middle, y = left + width / 2, top + 100
        check(browser.run("graph.flame.yOf(1) - graph.flame.yOf(0)") >= 24, "the height of a frame")
        at = f"graph.flame.x0 + ({middle} - {left}) / {width} * graph.flame.span"
        before = browser.run(at)
        browser.touch((middle - 40, y))
        browser.touch((middle - 40, y), (middle + 40, y))
        for apart in (50, 70, 100, 120):
            browser.touch((middle - apart, y), (middle + apart, y))
        browser.touch()
        span = browser.wait(f"{SPAN} < 0.5 && {SPAN}")
        check(abs(span - 1 / 3) < 0.05, f"the part that is shown: {span}")
        moved = abs(browser.run(at) - before) / browser.run("graph.flame.model.size[0]")
        check(moved < 0.03, f"what was between the fingers moved by {moved}")
        x0 = browser.run("graph.flame.x0")
        browser.touch((middle, y))
        for by in (10, 40, 80):
            browser.touch((middle - by, y + 2))
        browser.touch()
        browser.wait(f"graph.flame.x0 > {x0}")
        check(abs(browser.run(SPAN) - span) < 0.001, "one finger scales")
        equal(browser.run("document.getElementById('crumbs').hidden"), True, "nothing was zoomed at")
        browser.call("Emulation.setTouchEmulationEnabled", enabled=False)
        browser.call("Input.dispatchMouseEvent", type="mouseWheel", x=middle, y=y, deltaX=0, deltaY=-300, modifiers=2)
        browser.wait(f"{SPAN} < {span * 0.7}")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def page_has_a_menu_of_a_frame(lab):
    """By the other button or by m: its name is copied, callers and callees are shown, stacks are chosen by it; Escape
    returns to the graph, and the zoom stays."""
    store(lab)
    push(lab, "shop", STACKS)
    with Browser(machine=lab.machine, width=1400, height=900) as browser:
        drawn(browser, "#service=shop")
        browser.run("Object.defineProperty(navigator, 'clipboard', {value: undefined}); "
                    "document.addEventListener('copy', () => { window.copied = String(getSelection()) || "
                    "document.activeElement.value; })")
        right_click(browser, *at_frame(browser, "shop/Bake.it"))
        browser.wait("!!document.querySelector('.frame-menu')")
        browser.picture("explore-frame-menu")
        equal(browser.run("document.querySelector('.frame-menu').getAttribute('aria-label')"), "Frame shop/Bake.it",
              "whose menu it is")
        press(browser, ".frame-menu button")
        equal(browser.wait("window.copied"), "shop.Bake.it", "what was copied, where the page has no clipboard")
        browser.wait("!document.querySelector('.frame-menu')")
        browser.run("document.querySelector('#graph canvas').focus()")
        for key in ("Enter", "m"):  # where the pointer was
            browser.key(key)
        browser.wait("document.activeElement.textContent === 'Copy name'")
        browser.key("Escape")
        browser.wait("!document.querySelector('.frame-menu') && document.activeElement.tagName === 'CANVAS'")
        check("at=" in browser.run("location.hash"), "Escape zoomed out")
        browser.key("m")
        browser.wait("!!document.querySelector('.frame-menu')")
        for _ in range(3):
            browser.key("ArrowDown")
        equal(browser.run("document.activeElement.textContent"), "Only stacks with it", "the fourth item")
        browser.key("ArrowUp")
        browser.key("Enter")
        browser.wait("!!document.getElementById('callees-graph') && "
                     f"{text('sandwich-title')} === 'Bake.it'")
        drawn(browser, "#service=shop&search=")
        right_click(browser, *at_frame(browser, "shop/Eat.it"))
        browser.wait("!!document.querySelector('.frame-menu')")
        browser.run("[...document.querySelectorAll('.frame-menu button')].find(b => b.textContent === "
                    "'Only stacks with it').click()")
        browser.wait("graph.flame.model && graph.flame.model.total[0] === 3e8")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def page_tells_its_keys_and_colours(lab):
    """? lists the keys and Escape closes no more than that; an entry of the legend searches for its kind; a line of the
    chart can be shown alone; Enter in the search box goes from match to match; the theme is kept."""
    store(lab)
    push_zones(lab, "shop", {"eu": 1, "us": 2})
    with Browser(machine=lab.machine, width=1400, height=900) as browser:
        drawn(browser, f"#service=shop&type={CPU}&at=java/lang/Thread.run")
        browser.key("?")
        browser.wait("document.getElementById('keys-list').open")
        browser.picture("keys")
        browser.key("Escape")
        browser.wait("!document.getElementById('keys-list').open")
        check("at=" in browser.run("location.hash"), "Escape zoomed out")
        browser.run("document.querySelector('.crumbs button').click()")
        browser.wait("[...document.querySelectorAll('.legend li')].map(e => e.textContent.trim()).join() === "
                     "'application,JDK,native,JVM'")
        for kind, want in (("JDK", "90.0 %"), ("native", "10.0 %"), ("JVM", "10.0 %")):
            browser.run(f"[...document.querySelectorAll('.legend button')].find(e => e.textContent.trim() === '{kind}')"
                        ".click()")
            browser.wait(f"{text('hits')}.startsWith('{want}') && "
                         f"document.querySelector('.legend [aria-pressed=true]').textContent.trim() === '{kind}'")
        browser.run("document.querySelector('.legend [aria-pressed=true]').click()")
        browser.wait(f"{text('hits')} === ''")
        browser.key("/")
        browser.call("Input.insertText", text="shop")
        spoken = []
        for _ in range(2):
            browser.key("Enter")
            spoken.append(browser.run(text("speak")).split(",")[0])
        equal(spoken, ["shop.Main.main", "shop.Bake.it"], "matches that Enter goes to")
        choose(browser, "search", "/(/")
        browser.wait(f"{text('hits')} === 'not a valid expression'")
        browser.wait("!!document.querySelector('#by option[value=zone]')")
        choose(browser, "by", "zone")
        browser.wait("document.querySelectorAll('.groups li').length === 2")
        click(browser, ".groups .group")
        browser.wait("document.querySelector('.groups [aria-pressed=true]').textContent.startsWith('us')")
        browser.run("document.getElementById('theme').click()")
        theme = browser.run("document.documentElement.dataset.theme")
        equal(theme, "dark", "the theme")
        browser.open("about:blank")
        drawn(browser, "#service=shop")
        equal(browser.run("document.documentElement.dataset.theme"), "dark", "the theme of the next visit")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def page_keeps_the_keyboard_at_a_refresh(lab):
    """The element that has it stays the same one: in the path to a frame, and in a table that is sorted anew."""
    store(lab)
    push(lab, "shop", {"main;first": 5000000, "main;second": 3000000})

    def refresh(browser):
        for said in ("Paused", "Live"):
            browser.run("document.getElementById('live').click()")
            browser.wait(f"{text('live')} === '{said}'")
    with Browser(machine=lab.machine, width=1400, height=900) as browser:
        drawn(browser, "#service=shop&at=main&at=first")
        browser.wait("document.querySelectorAll('#crumbs button').length === 3")
        browser.run("document.querySelectorAll('#crumbs button')[1].focus()")
        push(lab, "shop", {"main;second": 9000000, "main;first": 1000000})
        refresh(browser)
        browser.wait("graph.flame.model.total[0] === 18e6")
        equal(browser.run("document.activeElement.textContent.slice(0, 20)"), "main", "the button of the path")
        browser.open(STORE + "/#service=shop&panel=functions")
        browser.wait("document.querySelectorAll('#functions tbody tr').length === 3")
        row = "[...document.querySelectorAll('#functions tbody button')].find(b => b.textContent.startsWith('first'))"
        browser.run(row + ".focus()")
        equal(browser.run("document.querySelector('#functions tbody button').textContent.slice(0, 6)"), "second",
              "the first row")
        push(lab, "shop", {"main;first": 90000000})
        refresh(browser)
        browser.wait("document.querySelector('#functions tbody button').textContent.startsWith('first')")
        equal(browser.run(f"document.activeElement === {row}"), True, "the row has the keyboard")
        equal(browser.problems(STORE), [], "what the browser complained about")


@test
def page_shows_no_table_of_another_search(lab):
    """While another is asked for, that is said, and no share of the old one stands there; after a failure neither do
    its rows."""
    agent = store(lab)
    push(lab, "shop", STACKS)
    with Browser(machine=lab.machine) as browser:
        browser.open(STORE + "/#service=shop&panel=functions&search=Bake")
        browser.wait(f"document.getElementById('function-hits') && {text('function-hits')}.startsWith('60.0 %')")
        browser.run("{ const f = window.fetch; window.slow = new Promise(r => { window.release = r; }); "
                    "window.fetch = (...a) => window.slow.then(() => f(...a)); }")
        browser.run("{ const e = document.getElementById('function-search'); e.value = 'Eat'; "
                    "e.dispatchEvent(new Event('input')); }")
        browser.wait("[...document.querySelectorAll('.flame [role=status]')]"
                     ".some(e => e.textContent === 'Asking for functions…')")
        check(not browser.run("!!document.getElementById('function-hits')"), "the share of another search")
        agent.stop()
        browser.run("window.release()")
        browser.wait("document.querySelector('.status.failed') && !document.getElementById('functions')")
        check("does not answer" in browser.run("document.querySelector('.status.failed').textContent"), "the reason")
        browser.wait(f"{text('live')} === 'No data'")


@test
def page_closes_menus(lab):
    """One menu at a time: what is pressed elsewhere closes it."""
    store(lab)
    push(lab, "shop", STACKS)
    with Browser(machine=lab.machine) as browser:
        drawn(browser, "#service=shop")
        press(browser, "#view-menu summary")
        browser.wait("document.getElementById('view-menu').open")
        press(browser, "#download-menu summary")
        browser.wait("document.getElementById('download-menu').open && !document.getElementById('view-menu').open")
        press(browser, ".logo")
        browser.wait("!document.getElementById('download-menu').open")


# What is written on something, and the contrast of it; less than 4.5 is found.
CONTRAST = r"""(() => {
  const parse = c => { const m = c.match(/[\d.]+/g).map(Number), k = c.startsWith('color(') ? 255 : 1;
      return [m[0] * k, m[1] * k, m[2] * k, m[3] === undefined ? 1 : m[3]]; },
    light = c => { const [r, g, b] = c.slice(0, 3).map(v => v / 255).map(v =>
      v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; },
    over = (a, b) => [...[0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])), 1],
    under = e => { const chain = []; for (; e; e = e.parentElement) chain.unshift(parse(getComputedStyle(e)
      .backgroundColor)); return chain.reduce((below, c) => over(c, below), [255, 255, 255, 1]); },
    contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); },
    found = [], judge = (what, color, below) => { const c = contrast(over(color, below), below);
      if (c < 4.5) found.push(what + ': ' + c.toFixed(2)); },
    walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  for (let n; (n = walk.nextNode());) {
    const e = n.parentElement;
    if (!n.data.trim() || !e.checkVisibility() || e.closest('script, style, noscript, .sr, :disabled')) continue;
    const style = getComputedStyle(e), node = e.closest('.node'), svg = e instanceof SVGElement,
      color = parse(svg ? style.fill : style.color);
    let opacity = 1;
    for (let p = e; p; p = p.parentElement) opacity *= Number(getComputedStyle(p).opacity);
    judge(n.data.trim().slice(0, 30), [...color.slice(0, 3), color[3] * opacity],
          node ? parse(getComputedStyle(node.querySelector('rect')).fill) : under(e));
    seen++;
  }
  for (const e of document.querySelectorAll('input[placeholder]'))
    judge('placeholder ' + e.id, parse(getComputedStyle(e, '::placeholder').color), under(e));
  /* Of each frame with a text: its colour and what differs most from that. */
  for (const canvas of document.querySelectorAll('.graph:not([hidden]) canvas')) {
    const f = canvas.parentElement.flame, m = f.model, dpr = devicePixelRatio, ctx = canvas.getContext('2d');
    f.draw();
    for (let i = 0; i < m.n; i++) {
      const left = Math.max(0, (m.x[i] - f.shown.x0) / f.shown.span * canvas.width),
        right = Math.min(canvas.width, (m.x[i] + m.size[i] - f.shown.x0) / f.shown.span * canvas.width),
        top = (f.yOf(m.depth[i]) - canvas.parentElement.scrollTop) * dpr;
      if (right - left < 60 * dpr) continue;
      const wide = Math.min(right - left - 8 * dpr, 80 * dpr),
        box = ctx.getImageData(left + 4 * dpr, top + 4 * dpr, wide, 13 * dpr),
        at = k => [...box.data.slice(k, k + 3), 1], fill = ctx.getImageData(right - 6 * dpr, top + 5 * dpr, 1, 1).data,
        below = parse(getComputedStyle(canvas.closest('.panel')).backgroundColor),
        paper = over([fill[0], fill[1], fill[2], fill[3] / 255], below);
      let best = 1;
      for (let k = 0; k < box.data.length; k += 4)
        best = Math.max(best, contrast(over([...at(k).slice(0, 3), box.data[k + 3] / 255], below), paper));
      if (best < 4.5) found.push(m.names[m.name[i]] + ' in the graph: ' + best.toFixed(2));
      seen++;
    }
  }
  return [seen, found];
})()"""


@test
def page_can_be_read(lab):
    """Every text has a contrast of 4.5 at least, in both themes: also in frames that are pale because they do not
    match, or are above what was zoomed at."""
    agent = lab.agent("--store.listen=127.0.0.1:4040")
    push_three(lab)
    with Browser(machine=lab.machine, width=1400, height=900) as browser:
        browser.call("Emulation.setDeviceMetricsOverride", width=1400, height=900, deviceScaleFactor=3, mobile=False)
        for theme in ("light", "dark"):
            browser.call("Emulation.setEmulatedMedia", features=[
                {"name": "prefers-color-scheme", "value": theme},
                {"name": "prefers-reduced-motion", "value": "reduce"}])
            for what in ("by=zone", "search=Bake&at=java/lang/Thread.run&at=shop/Main.main", "panel=functions",
                         "panel=compare&compare=before", "panel=heat", "range=custom&from=1&until=2"):
                browser.open("about:blank")
                browser.open(f"{STORE}/#service=shop&type={WALL}&{what}")
                browser.wait("document.querySelector('.functions, .graph:not([hidden]), .heat-map, .empty h3') && "
                             "!/Loading|Asking|searching/.test(document.getElementById('page').innerText)")
                seen, found = browser.run(CONTRAST)
                equal(found, [], f"what cannot be read, {theme}, {what}")
                check(seen > 20, f"only {seen} texts")
            for view in ("jvms", "pipeline"):
                browser.open("about:blank")
                browser.open("http://127.0.0.1:12345/#view=" + view)
                browser.wait("!!document.querySelector('.jvm-view, .pipeline')")
                equal(browser.run(CONTRAST)[1], [], f"what cannot be read, {theme}, {view}")
    equal(agent.alive(), True, "the agent runs")
