"""The agent's HTTP API, asked as people and dashboards ask it."""
import http.client
import io
import json
import re
import zipfile

from lab import ROOT, API, check, equal, test, wait_for

MODULE = """
declare "mod" {
  argument "input" { }
  discovery.relabel "inner" {
    targets = argument.input.value
    rule {
      target_label = "zone"
      replacement  = "b"
    }
  }
  export "output" {
    value = discovery.relabel.inner.output
  }
}
mod "a" {
  input = [{"x" = "1"}]
}
discovery.process "all" {
  refresh_interval = "1s"
}
discovery.relabel "outer" {
  targets = discovery.process.all.targets
}
"""


def raw(lab, path, headers=None):
    """(status, headers, bytes)"""
    with lab.machine.network():
        connection = http.client.HTTPConnection("127.0.0.1", 12345, timeout=40)
        connection.connect()
    connection.request("GET", path, None, headers or {})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


@test
def components_of_modules_are_shown(lab):
    agent = lab.agent(config=MODULE)
    root = {c["localID"]: c for c in agent.components()}
    equal(sorted(root), ["discovery.process.all", "discovery.relabel.outer", "mod.a"], "components of the root")
    equal(root["mod.a"]["createdModuleIDs"], ["mod.a"], "modules")
    equal(root["discovery.process.all"]["dataFlowEdgesTo"], ["discovery.relabel.outer"], "flow")
    status, text = agent.http("GET", "/api/v0/web/modules/mod.a/components")
    equal(status, 200, "status of a module")
    inner = json.loads(text)
    equal([(c["localID"], c["moduleID"]) for c in inner], [("discovery.relabel.inner", "mod.a")], "its components")
    one = agent.component("mod.a/discovery.relabel.inner")
    equal((one["name"], one["label"], one["health"]["state"]), ("discovery.relabel", "inner", "healthy"), "one of them")
    check('"zone"' in json.dumps(one["exports"]), f"exports: {one['exports']}")
    equal(agent.http("GET", "/api/v0/web/modules/mod.b/components")[0], 500, "status of no module")
    equal(agent.metric("smolder_component_controller_running_components", controller_id="mod.a", health_type="healthy"),
          1,
          "healthy components of the module")


@test
def evaluations_are_measured(lab):
    agent = lab.agent(config=MODULE)
    wait_for("evaluation", lambda: agent.metric("smolder_component_evaluation_seconds_count", controller_path="/") >= 1)
    check(agent.metric("smolder_component_dependencies_wait_seconds_count") >= 1, "no wait was measured")
    equal(agent.metric("smolder_component_graph_connection", to="discovery.process.all"), 1, "connections")


@test
def every_documented_metric_can_be_seen_by_its_name_in_alloy(lab):
    """Those that have a counterpart, with the switch; what takes a minute cannot be waited for."""
    page = (ROOT / "docs" / "http-api.md").read_text()
    table = page[page.index("These have counterparts in Alloy"):]
    names = set(re.findall(r"`smolder_([a-z_]+)", table)) - {"component_evaluation_slow_seconds"}
    check(len(names) > 15, f"only {len(names)} names in the documentation")
    agent = lab.agent("--metrics.compat=alloy", config=MODULE)
    agent.reload()
    wait_for("evaluation", lambda: agent.metric("alloy_component_evaluation_seconds_count") >= 1)
    seen = {m.partition("{")[0] for m in agent.metrics()}
    for name in sorted(names):
        check({f"alloy_{name}", f"alloy_{name}_count"} & seen, f"no alloy_{name}")
        check(f"smolder_{name}" not in seen, f"smolder_{name} is there as well")


@test
def long_answers_are_compressed(lab):
    agent = lab.agent(config=MODULE)
    status, headers, body = raw(lab, "/metrics", {"Accept-Encoding": "gzip"})
    equal((status, headers.get("Content-Encoding"), body[:2]), (200, "gzip", b"\x1f\x8b"), "metrics")
    status, headers, body = raw(lab, "/api/v0/web/components")
    equal((headers.get("Content-Encoding"), headers["Content-Type"]), (None, "application/json"), "components")
    check(agent.alive(), "the agent ended")


@test
def streams_show_what_flows(lab):
    agent = lab.agent(config='livedebugging {\n  enabled = true\n}\n' + MODULE)
    with lab.machine.network():
        connection = http.client.HTTPConnection("127.0.0.1", 12345, timeout=20)
        connection.connect()
    connection.request("GET", "/api/v0/web/graph?window=1")
    answer, text = connection.getresponse(), ""
    lab.run(["sh", "-c", "while :; do sleep 0.3; done"])  # processes come and go, so targets change
    while "discovery.process.all" not in text:
        text += answer.read1(65536).decode()
        check(len(text) < 1 << 20, text[-500:])
    piece = json.loads(next(p for p in text.split("|;|") if "discovery.process.all" in p))
    edge = next(e for e in piece if e["componentID"] == "discovery.process.all")
    equal((edge["targetComponentIDs"], edge["type"]), (["discovery.relabel.outer"], "target"), "edge")
    check(edge["rate"] > 0, f"rate {edge['rate']}")
    connection.close()
    with lab.machine.network():
        connection = http.client.HTTPConnection("127.0.0.1", 12345, timeout=20)
        connection.connect()
    connection.request("GET", "/api/v0/web/debug/discovery.process.all")
    answer, text = connection.getresponse(), ""
    while "|;|" not in text:
        text += answer.read1(65536).decode()
    check("__process_pid__" in json.loads(text.split("|;|")[0])["targets"][0], text[:500])
    connection.close()
    equal(agent.http("GET", "/api/v0/web/debug/no.such")[0], 500, "status of no component")


@test
def support_bundle_keeps_secrets(lab):
    text = """// password = "in-a-comment"
pyroscope.write "x" {
  endpoint {
    url = "http://user:in-a-url@127.0.0.1:9/"
    basic_auth {
      username = "u"
      password = "in-a-literal"
    }
    headers = {"Authorization" = "in-a-header"}
  }
}
"""
    agent = lab.agent(config=text, env={"MY_TOKEN": "in-the-environment"})
    status, headers, body = raw(lab, "/-/support?duration=1")
    equal((status, headers["Content-Type"]), (200, "application/zip"), "answer")
    bundle = zipfile.ZipFile(io.BytesIO(body))
    names = {n.removeprefix("smolder-support-bundle/") for n in bundle.namelist()}
    check({"smolder-metadata.yaml", "smolder-components.json", "smolder-logs.txt", "sources/config.alloy"} <= names,
          f"{names}")
    everything = "".join(bundle.read(n).decode() for n in bundle.namelist())
    for secret in ("in-a-comment", "in-a-url", "in-a-literal", "in-a-header", "in-the-environment"):
        check(secret not in everything, f"the bundle holds {secret}: "
                                        f"{everything[everything.find(secret) - 200:][:300]}")
    check('password = "(secret)"' in everything, "the configuration is not there")
    json.loads(bundle.read("smolder-support-bundle/smolder-components.json"))
    agent.stop()
    agent = lab.agent("--server.http.disable-support-bundle", config="")
    equal(agent.http("GET", "/-/support")[0], 403, "answer when disabled")


@test
def other_names_of_this_machine_are_refused_unless_allowed(lab):
    lab.agent("--server.http.allowed-hosts=agent.example", config="")
    equal(raw(lab, "/-/ready", {"Host": "evil.example"})[0], 421, "another name")
    equal(raw(lab, "/-/ready", {"Host": "agent.example:80"})[0], 200, "an allowed name")


@test
def documented_requests_work(lab):
    """Every curl in docs/http-api.md."""
    page = (ROOT / "docs" / "http-api.md").read_text()
    lab.agent(config='livedebugging {\n  enabled = true\n}\n')
    commands = re.findall(r"^curl (.*)$", page, re.M)
    check(len(commands) >= 4, f"only {len(commands)} requests found")
    for command in commands:
        endless = "-sN" in command
        status, text = lab.call(["sh", "-c", f"curl -w '%{{http_code}}' {'-m 3' if endless else '-f'} {command}"])
        check(status == (28 if endless else 0) and text.rstrip().endswith("200"), f"{command}: {status} {text}")
    check(API in page, "the page names another address")
