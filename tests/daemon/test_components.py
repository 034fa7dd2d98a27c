"""Components in the real program that have no page of tests of their own."""
import json

from lab import check, debug_value, equal, test, wait_for

WRITE = """
pyroscope.write "test" {
  endpoint {
    url = "http://127.0.0.1:4040"
  }
}
"""


def addresses(agent, name="discovery.file.f"):
    """__address__ of each exported target, in order."""
    exports = debug_value(agent.component(name)["exports"])
    return [target["__address__"] for target in exports.get("targets") or []]


def wait_addresses(agent, *wanted):
    wait_for(f"targets {wanted}", lambda: addresses(agent) == list(wanted), 20, 0.02)


def replace(path, text):
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.rename(path)


@test
def targets_from_files_follow_them(lab):
    folder = lab.dir / "targets"
    folder.mkdir()
    (folder / "a.json").write_text('[{"targets": ["a1", "a2"], "labels": {"team": "shop"}}]')
    (folder / "b.yml").write_text("- targets: [b1]\n  labels:\n    version: 1.10\n")
    agent = lab.agent(config=f'discovery.file "f" {{\n  files = ["{folder}/*.json", "{folder}/*.yml"]\n}}\n')
    wait_addresses(agent, "a1", "a2", "b1")
    text = agent.http("GET", "/api/v0/web/components/discovery.file.f")[1]
    check(f"{folder}/a.json" in text and '"1.10"' in text, text)
    replace(folder / "a.json", '[{"targets": ["a3"]}]')
    wait_addresses(agent, "a3", "b1")
    # Broken: its targets stay, the component is unhealthy and says why, once.
    replace(folder / "a.json", '[{"targets": ["a4"')
    agent.wait_log("cannot read targets.*a.json")
    check("discovery.file.f" in agent.http("GET", "/-/healthy")[1], "the component is not called unhealthy")
    equal(addresses(agent), ["a3", "b1"], "targets while a file is broken")
    check(agent.metric("prometheus_sd_file_read_errors_total", component_id="discovery.file.f") >= 1, "read errors")
    replace(folder / "a.json", '[{"targets": ["a5"]}]')
    wait_addresses(agent, "a5", "b1")
    agent.wait_log("targets readable again")
    wait_for("health", lambda: agent.http("GET", "/-/healthy")[0] == 200)
    # Gone, and back.
    (folder / "b.yml").unlink()
    wait_addresses(agent, "a5")
    (folder / "b.yml").write_text("- targets: [b2]\n")
    wait_addresses(agent, "a5", "b2")
    # A reload with another list.
    (folder / "c.YAML").write_text("- targets: [c1]\n")
    lab.file("config.alloy", f'discovery.file "f" {{\n  files = ["{folder}/?.YAML"]\n}}\n')
    equal(agent.reload()[0], 200, "status of the reload")
    wait_addresses(agent, "c1")


@test
def targets_of_a_config_map_are_swapped(lab):
    folder = lab.dir / "mounted"
    for name in ("..one", "..two"):
        (folder / name).mkdir(parents=True)
        (folder / name / "t.json").write_text('[{"targets": ["%s"]}]' % name.strip("."))
    (folder / "..data").symlink_to("..one")
    (folder / "t.json").symlink_to("..data/t.json")
    agent = lab.agent(config=f'discovery.file "f" {{\n  files = ["{folder}/t.json"]\n}}\n')
    wait_addresses(agent, "one")
    (folder / "..tmp").symlink_to("..two")
    (folder / "..tmp").rename(folder / "..data")
    wait_addresses(agent, "two")


@test
def new_components_are_validated(lab):
    for text, why in (('discovery.file "f" {\n  files = ["targets.txt"]\n}\n', "is not valid for file discovery"),
                      ('discovery.file "f" {\n  files = []\n}\n', "must contain at least one path name"),
                      ('discovery.file "f" {\n  file = ["a.json"]\n}\n', "file"),
                      ('pyroscope.relabel "r" {\n  forward_to     = []\n  max_cache_size = 0\n}\n',
                       "must provide a positive size"),
                      ('pyroscope.relabel "r" {\n  forward_to = []\n  rule {\n    regex = "("\n  }\n}\n', "missing )")):
        lab.file("bad.alloy", text)
        status, said = lab.call([lab.smolder, "validate", "bad.alloy"], cwd=lab.dir)
        equal(status, 1, f"status of validate for {text}")
        check("bad.alloy:" in said and why in said, said)
    lab.file("good.alloy", 'discovery.file "f" {\n  files = ["a.json"]\n}\n'
                           'pyroscope.relabel "r" {\n  forward_to = []\n}\n')
    equal(lab.call([lab.smolder, "validate", "good.alloy"], cwd=lab.dir), (0, ""), "validate of a good configuration")


@test
def profiles_of_listed_jvms_are_relabelled(lab):
    """From a file of targets through relabelling to the receiver."""
    receiver = lab.receiver()
    jvm = lab.jvm()
    (lab.dir / "jvms.json").write_text("[]")
    agent = lab.agent(config=f"""
discovery.file "jvms" {{
  files = ["{lab.dir}/jvms.json"]
}}
pyroscope.java "test" {{
  targets    = discovery.file.jvms.targets
  forward_to = [pyroscope.relabel.r.receiver]
  profiling_config {{
    interval = "1s"
  }}
}}
pyroscope.relabel "r" {{
  forward_to = [pyroscope.write.test.receiver]
  rule {{
    action        = "keep"
    source_labels = ["__name__"]
    regex         = "process_cpu"
  }}
  rule {{
    source_labels = ["service_name"]
    regex         = "(.*)-raw"
    target_label  = "service_name"
  }}
}}
{WRITE}""")
    replace(lab.dir / "jvms.json", json.dumps([{"targets": ["host"], "labels": {"__process_pid__": str(jvm.inner),
                                                                               "service_name": "shop-raw"}}]))
    receiver.wait(2, type="process_cpu", service_name="shop", seconds=40)

    def count(name):
        return agent.metric(f"pyroscope_relabel_{name}", component_id="pyroscope.relabel.r")

    wait_for("drops", lambda: count("profiles_dropped") >= 1)
    equal(receiver.profiles(type="memory"), [], "profiles that were dropped")
    check(count("profiles_processed") >= 3 and count("profiles_written") >= 2, "counts of profiles")
    check(count("cache_hits") >= 1 and count("cache_size") >= 2, "counts of the cache")
    samples = agent.metric("pyroscope_forwarded_entries_total", component_id="pyroscope.relabel.r")
    check(samples > 0, "no samples were passed on")
    # Taken off the list: the session ends.
    replace(lab.dir / "jvms.json", "[]")
    wait_for("end of the session", lambda: agent.metric("smolder_sessions", state="profiling") == 0)
