"""The view of the pipeline in a real browser: the graph of the components, one component, the agent itself."""
import json

from browser import Browser
from lab import config, check, equal, test, wait_for

PAGE = "http://127.0.0.1:12345/#view=pipeline"
SERVER = "http://127.0.0.1:12345/"


def text(element):
    return f"document.getElementById('{element}').textContent"


def opened(browser, page=PAGE):
    browser.open(page)
    browser.wait("document.querySelectorAll('.pipeline-graph .node').length > 0")


def nodes(browser):
    """{ID: (x, y, width, height)} of the boxes, in the page."""
    return dict(browser.run("""[...document.querySelectorAll('.pipeline-graph .node')].map(n => {
      const r = n.querySelector('rect').getBoundingClientRect();
      return [n.getAttribute('aria-label').split(',')[0], [r.x, r.y, r.width, r.height]];
    })"""))


def focus(browser, component):
    browser.run("[...document.querySelectorAll('.pipeline-graph .node')]"
                f".find(n => n.getAttribute('aria-label').startsWith('{component},')).focus()")


@test
def pipeline_view_shows_components(lab):
    """The way of data from left to right, what one is made of without its secrets, and what it passes on."""
    receiver = lab.receiver()
    jvm = lab.jvm(version=17)
    secret = 'basic_auth {\n username = "ann"\n password = "hunter2"\n }'
    agent = lab.agent(config=config(endpoint=secret))
    agent.wait_state(jvm, "profiling")
    with Browser(machine=lab.machine) as browser:
        opened(browser)
        boxes = nodes(browser)
        way = ["discovery.process.all", "discovery.relabel.java", "pyroscope.java.test", "pyroscope.write.test"]
        equal(sorted(boxes), sorted(way), "components")
        for left, right in zip(way, way[1:]):
            check(boxes[left][0] + boxes[left][2] < boxes[right][0], f"{left} is not left of {right}: {boxes}")
        equal(browser.run("document.querySelectorAll('.pipeline-graph .edge').length"), 3, "edges")
        check("4 healthy" in browser.run(text("pipeline-sum")), browser.run(text("pipeline-sum")))
        focus(browser, "pyroscope.write.test")
        browser.key("Enter")
        browser.wait(f"document.querySelector('#component pre') && {text('component')}.includes('endpoint {{')")
        said = browser.run(text("component"))
        check("(secret)" in said and "hunter2" not in said, said)
        check("component=pyroscope.write.test" in browser.run("location.hash"), browser.run("location.hash"))
        browser.run("document.getElementById('component-close').focus()")
        browser.key("Enter")
        browser.wait("!document.getElementById('component') && "
                     "document.activeElement.getAttribute('aria-label').startsWith('pyroscope.write.test,')")
        browser.key("Enter")
        browser.wait("!!document.getElementById('component')")
        browser.key("Escape")
        browser.wait("!document.getElementById('component')")
        receiver.wait(3, seconds=60)
        rates = "[...document.querySelectorAll('.pipeline-graph .rate')]"
        browser.wait(rates + ".some(e => /profiles\\/(s|min)/.test(e.textContent))", 60)
        browser.wait("document.querySelectorAll('.pipeline-graph .edge.moves').length > 0")
        check("profiling" in browser.run(text("own")), browser.run(text("own")))
        equal(browser.problems(SERVER), [], "what the browser complained about")


@test
def pipeline_view_shows_what_is_wrong(lab):
    """Health by shape and by word, not by colour alone; and what the agent lost, with the reason."""
    receiver = lab.receiver()
    receiver.behave(status=400)
    jvm = lab.jvm(version=17)
    broken = 'local.file "gone" {\n filename = "/nowhere"\n}\n'
    nobody = broken.replace("local.file", "pyroscope.java").replace('filename = "/nowhere"',
                                                                    'targets = []\n forward_to = []')
    agent = lab.agent(config=nobody + config())
    agent.wait_state(jvm, "profiling")
    wait_for("a rejected profile", lambda: agent.metric("smolder_dropped_profiles_total", reason="rejected") > 0, 60)
    with Browser(machine=lab.machine) as browser:
        opened(browser)
        label = browser.run("document.querySelector('.pipeline-graph .node.unhealthy').getAttribute('aria-label')")
        equal(label.split(", ")[:2], ["pyroscope.java.gone", "unhealthy"], "how it is called")
        marks = "document.querySelector('.pipeline-graph .mark.' + h).innerHTML"
        shapes = browser.run(f"['healthy', 'unhealthy'].map(h => {marks})")
        check(shapes[0] != shapes[1], "both have the same mark")
        check("1 unhealthy" in browser.run(text("pipeline-sum")), browser.run(text("pipeline-sum")))
        browser.run("document.querySelector('.pipeline-graph .node.unhealthy').dispatchEvent(new MouseEvent('click', "
                    "{bubbles: true}))")
        browser.wait(f"document.getElementById('component') && {text('component')}.includes('nobody receives')")
        bad = browser.run("[...document.querySelectorAll('.own-card.bad')].map(e => e.textContent)")
        check(any("Dropped profiles" in b and "rejected" in b and "⚠" in b for b in bad), f"cards: {bad}")
    jvm.kill()


MANY = """
discovery.process "all" { }
declare "part" {
  argument "targets" { }
  discovery.relabel "inner" {
    targets = argument.targets.value
  }
}
part "a" {
  targets = discovery.process.all.targets
}
discovery.relabel "x" {
  targets = discovery.process.all.targets
}
discovery.relabel "y" {
  targets = discovery.process.all.targets
}
discovery.relabel "z" {
  targets = array.concat(discovery.process.all.targets, discovery.relabel.x.output)
}
pyroscope.java "one" {
  targets    = discovery.relabel.x.output
  forward_to = [pyroscope.write.a.receiver, pyroscope.relabel.r.receiver]
}
pyroscope.java "two" {
  targets    = array.concat(discovery.relabel.y.output, discovery.relabel.z.output)
  forward_to = [pyroscope.relabel.r.receiver]
}
pyroscope.relabel "r" {
  forward_to = [pyroscope.write.a.receiver, pyroscope.write.b.receiver]
  rule {
    target_label = "via"
    replacement  = "r"
  }
}
pyroscope.write "a" {
  endpoint {
    url = "http://127.0.0.1:1"
  }
}
pyroscope.write "b" {
  endpoint {
    url = "http://127.0.0.1:2"
  }
}
"""


def apart(boxes):
    rows = sorted(boxes.items())
    for i, (a, (ax, ay, aw, ah)) in enumerate(rows):
        for b, (bx, by, bw, bh) in rows[i + 1:]:
            check(ax + aw <= bx or bx + bw <= ax or ay + ah <= by or by + bh <= ay, f"{a} is over {b}")


@test
def pipeline_view_lays_out_graphs(lab):
    """Fans, long edges and modules: no box over another, data goes to the right, on a narrow page down."""
    agent = lab.agent(config=MANY)
    with Browser(machine=lab.machine) as browser:
        opened(browser)
        boxes = nodes(browser)
        equal(len(boxes), 11, f"components ({sorted(boxes)})")
        apart(boxes)
        edges = [(c["localID"], to) for c in agent.components() for to in c["dataFlowEdgesTo"]]
        for a, b in edges:
            check(boxes[a][0] + boxes[a][2] < boxes[b][0], f"{b} is not right of {a}")
        check("Module part.a" in browser.run("document.querySelector('.pipeline').textContent"), "no module")
        browser.call("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=2, mobile=True)
        browser.wait("matchMedia('(max-width: 760px)').matches")
        wait_for("the other layout", lambda: nodes(browser)[edges[0][0]][1] < nodes(browser)[edges[0][1]][1])
        boxes = nodes(browser)
        apart(boxes)
        for a, b in edges:
            check(boxes[a][1] + boxes[a][3] < boxes[b][1], f"{b} is not below {a}")
        equal(browser.run("document.documentElement.scrollWidth"), 400, "the width of the page")
        equal(browser.problems(SERVER), [], "what the browser complained about")


@test
def pipeline_view_without_components_and_at_the_store(lab):
    agent = lab.agent("--store.listen=127.0.0.1:4040", config="")
    with Browser(machine=lab.machine) as browser:
        browser.open(PAGE)
        browser.wait("!!document.getElementById('pipeline-empty') && !!document.getElementById('own')")
        browser.open("http://127.0.0.1:4040/#view=pipeline")
        link = browser.wait("document.querySelector('.note a') && document.querySelector('.note a').href")
        equal(link, PAGE, "where the rest is")
        equal(lab.machine.http("GET", "http://127.0.0.1:4040/api/v0/web/pipeline")[0], 404, "the graph at the store")
        foreign = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
        equal(lab.machine.http("GET", SERVER + "api/v0/web/pipeline", headers=foreign)[0], 403, "from another origin")
        place = json.loads(agent.http("GET", "/api/page")[1])
        equal(place["store"], {"address": "127.0.0.1:4040", "path": "/", "token": False}, "the store")
