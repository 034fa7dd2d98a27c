"""The pages that list metrics, the source that registers them and what an agent shows agree."""
import re

from lab import ROOT, Failure, check, config, equal, need_java, test, wait_for

PAGE = ROOT / "docs" / "http-api.md"
COMPONENTS = ROOT / "docs" / "components"  # metrics of one component can be on its page
# What an agent in good health and a push that fails do not show; the source still has to know the name.
RARE = {"smolder_adapted_profiles_total": "a profile above a limit of the receiver",
        "smolder_replayed_profiles_total": "an outage",
        "smolder_unprofiled_jvms_total": "a JVM that ends before it is profiled",
        "prometheus_sd_kubernetes_events_total": "a Kubernetes API server",
        "prometheus_sd_kubernetes_failures_total": "a Kubernetes API server",
        "prometheus_sd_refresh_duration_histogram_seconds": "a service to discover targets of",
        "prometheus_sd_refresh_failures_total": "a service to discover targets of",
        "prometheus_sd_dns_lookups_total": "names to look up",
        "prometheus_sd_dns_lookup_failures_total": "names to look up",
        "prometheus_sd_consul_rpc_failures_total": "a Consul server that fails",
        "smolder_store_deleted_profiles_total": "a store that is full",
        "smolder_store_packed_profiles_total": "five minutes of profiles",
        "smolder_store_damaged_total": "a store on a disk that forgets",
        "smolder_store_salvaged_total": "a store whose database is damaged",
        "prometheus_sd_http_failures_total": "a server of targets",
        "local_file_timestamp_last_accessed_unix_seconds": "a file",
        "smolder_jvm_crashes_total": "a JVM that crashes",
        "smolder_parser_restarts_total": "a recording that crashes the parser",
        "smolder_set_aside_total": "a push that crashes the parser",
        "smolder_component_evaluation_slow_seconds": "an evaluation that takes a minute",
        "smolder_conversion_cut_total": "a recording beyond all bounds",
        "smolder_ingests_total": "a body of /ingest"}
# Labels whose values the page lists.
ENUMERATED = {"state", "result", "reason"}
# Every component's metric has these, which the page says once.
COMPONENT_LABELS = {"controller_path", "controller_id"}


def documented():
    """{name: (labels, meaning, whether the table is the one of counterparts in Alloy)}"""
    section = PAGE.read_text().partition("\n## Metrics\n")[2].partition("\n## ")[0]
    check(section, f"{PAGE} has no section on metrics")
    own, intro, counterparts = section.partition("These have counterparts in Alloy")
    check(intro, f"{PAGE} does not say which metrics have counterparts")
    found = {}
    tables = [(own, False), (counterparts, True)]
    for page in sorted(COMPONENTS.glob("*.md")):
        tables.append((page.read_text().partition("\n## Metrics\n")[2].partition("\n## ")[0], False))
    for text, alloy in tables:
        for names, meaning in re.findall(r"^\| (`[a-z0-9_`{}, ]+) \| (.*) \|$", text, re.M):
            for name, labels in re.findall(r"`([a-z_]+)(?:\{([a-z0-9_,]+)\})?`", names):
                check(name not in found, f"{PAGE}: {name} twice")
                found[name] = (set(filter(None, labels.split(","))), meaning, alloy)
    check(len(found) >= 40, f"{PAGE}: only {len(found)} metrics")
    return found


FAMILY = re.compile(r"struct metric_family \w+ = \{(.*?)\}\s*(?:;|COMPAT)", re.S)
PROCESS = re.compile(r'put_process\(out, "(\w+)"')


def registered():
    """{name: whether it has another name in Alloy}, of every family in the source."""
    found, families = {}, 0
    for path in sorted((ROOT / "src").rglob("*.c")):
        text = path.read_text().replace("\\\n", "\n")
        families += len(re.findall(r"struct metric_family \w+ = ", text))
        for body in FAMILY.findall(text):
            name, alloy = re.search(r'\.name = "([a-z_]+)"( text)?', body), '.alloy_name = "' in body
            check(name, f"{path}: a family without a name: {body}")
            names = [name[1]]
            if name[2]:  # by a macro: COMPAT(variable, "end of the name", …)
                names = [name[1] + end for end in re.findall(r'^COMPAT\(\w+, "(\w+)"', text, re.M)]
                check(names, f"{path}: nothing uses COMPAT")
            found.update((n, alloy) for n in names)
        found.update((n, False) for n in PROCESS.findall(text))
    check(families >= 25, f"only {families} families found")
    return found


@test
def every_registered_metric_is_documented_and_every_documented_one_registered(lab):
    """A metric that is added, renamed or removed in the source must be so on the page."""
    page, source = documented(), registered()
    equal(sorted(set(source) - set(page)), [], f"registered, not in {PAGE.name}")
    equal(sorted(set(page) - set(source)), [], f"in {PAGE.name}, not registered")
    equal(sorted(n for n, (_, _, alloy) in page.items() if alloy), sorted(n for n, alloy in source.items() if alloy),
          "metrics with a counterpart in Alloy: those of the page and those of the source")
    for name in RARE:
        check(name in source, f"the test excuses {name}, which nothing registers")


def exposed(agent):
    """{name: (kind, {label: values})} of what /metrics shows."""
    kinds, found = {}, {}
    for line in agent.http("GET", "/metrics")[1].splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            kinds[name] = kind
        elif not line.startswith("#"):
            series = re.fullmatch(r'([a-z_]+)(?:\{(.*)\})? \S+', line)
            check(series, f"not a series: {line}")
            name = re.sub(r"_(bucket|sum|count)$", "", series[1])
            name = name if kinds.get(name) == "histogram" else series[1]
            check(name in kinds, f"no TYPE before {line}")
            labels = found.setdefault(name, {})
            for label, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', series[2] or ""):
                labels.setdefault(label, set()).add(value)
            labels.pop("le", None)
    return {name: (kind, found.get(name, {})) for name, kind in kinds.items()}


PUSHES = """
pyroscope.write "refused" {
  endpoint {
    url                 = "http://127.0.0.1:4041"
    max_backoff_retries = 1
    min_backoff_period  = "100ms"
  }
  endpoint {
    url                 = "http://127.0.0.1:4042"
    min_backoff_period  = "100ms"
  }
}
pyroscope.relabel "passed" {
  forward_to = []
}
pyroscope.file "kept" {
  directory = "%s"
}
pyroscope.store "kept" {
  path = "kept"
}
pyroscope.receive_http "open" {
  http {
    listen_address = "127.0.0.1"
  }
  forward_to = []
}
discovery.file "listed" {
  files = ["%s"]
}
"""


@test
def what_an_agent_shows_is_what_is_documented(lab):
    """With the store, a JVM, a roll-over, pushes that arrive, are refused and are repeated: names, kinds, labels and
    their values."""
    lab.receiver(port=4041, status=400)
    lab.receiver(port=4042, status=503)
    # A whole core: enough samples in a second for the ratio of coverage.
    lab.jvm(command=[f"{need_java(17)}/bin/java", "-Xmx64m", "-cp", lab.stage.classes, "Shop", "1"])
    targets = lab.file("targets.json", '[{"targets": ["a"]}]')
    text = config('interval = "1s"\nroll_over = "10s"') + PUSHES % (lab.dir / "kept", targets)
    agent = lab.agent("--store.listen=127.0.0.1:4040",
                      config=text.replace("[pyroscope.write.test.receiver]",
                                          "[pyroscope.write.test.receiver, pyroscope.write.refused.receiver, "
                                          "pyroscope.relabel.passed.receiver, "
                                          "pyroscope.file.kept.receiver, pyroscope.store.kept.receiver]"))
    page = documented()
    wanted = set(page) - set(RARE)
    try:
        wait_for("metrics", lambda: not wanted - set(exposed(agent)), 40, 0.5)
    except Failure:
        raise Failure(f"{PAGE.name} has what no agent shows: {sorted(wanted - set(exposed(agent)))}") from None
    for name, (kind, labels) in sorted(exposed(agent).items()):
        check(name in page, f"{PAGE.name} does not have {name}, which an agent shows")
        equal(set(labels) - COMPONENT_LABELS, page[name][0], f"labels of {name}")
        for value in set().union(*(labels[label] for label in ENUMERATED & set(labels))):
            check(f"`{value}`" in page[name][1], f"{PAGE.name} does not list {value} for {name}: {page[name][1]}")
        equal(kind == "histogram", "histogram" in page[name][1], f"whether {name} is a histogram")
