"""Modules in the real program: files that change, a server that fails, one copy for each JVM."""
import sys

from lab import check, config, debug_value, equal, test, wait_for

LIBRARY = """
declare "tagged" {
  argument "targets" { }

  discovery.relabel "tag" {
    targets = argument.targets.value

    rule {
      target_label = "version"
      replacement  = "%s"
    }
  }

  export "output" {
    value = discovery.relabel.tag.output
  }
}
"""
USE = """
lib.tagged "one" {
  targets = [{"name" = "a"}]
}

discovery.relabel "end" {
  targets = lib.tagged.one.output
}
"""


def version(agent):
    """What the module put into the target at the end; None: it is not there."""
    status, text = agent.http("GET", "/api/v0/web/components/discovery.relabel.end")
    at = text.find('"version"')
    return text[at:].split('"value":"')[1].split('"')[0] if status == 200 and at > 0 else None


def wait_version(agent, wanted, seconds=20):
    wait_for(f"version {wanted}", lambda: version(agent) == wanted, seconds, 0.02)


@test
def modules_from_files_follow_their_changes(lab):
    folder = lab.dir / "modules"
    folder.mkdir()
    (folder / "lib.alloy").write_text(LIBRARY % "one")
    agent = lab.agent(config=f'import.file "lib" {{\n  filename = "{folder}"\n}}\n' + USE)
    wait_version(agent, "one")
    # As editors do it: a new file renamed over the old one.
    (folder / "new").write_text(LIBRARY % "two")
    (folder / "new").rename(folder / "lib.alloy")
    wait_version(agent, "two")
    # Broken text changes nothing, and does not keep a reload from working.
    (folder / "lib.alloy").write_text("declare {")
    agent.wait_log("component update failed.*import.file.lib.*cannot be parsed")
    equal(version(agent), "two", "version while the file is broken")
    status, text = agent.reload()
    equal(status, 200, f"status of a reload meanwhile ({text})")
    equal(version(agent), "two", "version after the reload")
    unhealthy = 'running_components{controller_path="/",controller_id="",health_type="unhealthy"} 1'
    check(unhealthy in agent.http("GET", "/metrics")[1],
          "the import is not counted as unhealthy")
    # The definition moves to another file of the directory.
    (folder / "lib.alloy").unlink()
    (folder / "other.alloy").write_text(LIBRARY % "three")
    wait_version(agent, "three")
    # A directory without the definition: what runs goes on, and says what is missing.
    (folder / "other.alloy").unlink()
    agent.wait_log("component update failed.*lib.tagged.one.*cannot find the definition")
    check("lib.tagged.one" in agent.http("GET", "/-/healthy")[1], "the instance is not called unhealthy")
    equal(version(agent), "three", "version without definition")
    (folder / "again.alloy").write_text(LIBRARY % "four")
    wait_version(agent, "four")
    wait_for("health", lambda: agent.http("GET", "/-/healthy")[0] == 200)


@test
def a_reload_with_a_broken_module_changes_nothing(lab):
    good = lab.file("good.alloy", LIBRARY % "good")
    bad = lab.file("bad.alloy", LIBRARY.replace("discovery.relabel", "discovery.nothing") % "bad")
    agent = lab.agent(config=f'import.file "lib" {{\n  filename = "{good}"\n}}\n' + USE)
    wait_version(agent, "good")
    lab.file("config.alloy", f'import.file "lib" {{\n  filename = "{bad}"\n}}\n' + USE)
    status, text = agent.reload()
    equal(status, 400, "status of the reload")
    check('bad.alloy:5:3: cannot find the definition of component name "discovery.nothing"' in text, text)
    equal(version(agent), "good", "version after the refused reload")
    bad.write_text(LIBRARY % "mended")
    equal(agent.reload()[0], 200, "status of the repaired reload")
    wait_version(agent, "mended")
    # The module and who uses it change together; the reload does not wait until somebody notices the module.
    bad.write_text(LIBRARY.replace('"tagged"', '"renamed"') % "renamed")
    lab.file("config.alloy", f'import.file "lib" {{\n  filename = "{bad}"\n}}\n'
             + USE.replace("lib.tagged", "lib.renamed"))
    status, text = agent.reload()
    equal(status, 200, f"status of the reload with a new module ({text})")
    equal(version(agent), "renamed", "version after it")


def web_server(lab, folder):
    server = lab.run([sys.executable, "-m", "http.server", "8099", "--bind", "127.0.0.1", "--directory", str(folder)])
    wait_for("web server", lambda: answers(lab))
    return server


def answers(lab):
    try:
        return lab.machine.http("GET", "http://127.0.0.1:8099/")[0] == 200
    except OSError:
        return False


@test
def modules_from_a_server_arrive_late_and_survive_its_death(lab):
    folder = lab.dir / "web"
    folder.mkdir()
    text = """import.http "lib" {
  url            = "http://127.0.0.1:8099/lib.alloy"
  poll_frequency = "200ms"
  poll_timeout   = "150ms"
}
""" + USE
    agent = lab.agent(config=text)  # nobody listens there yet
    agent.wait_log("cannot fetch module.*component_id=import.http.lib")
    equal(agent.http("GET", "/-/ready")[0], 200, "status of /-/ready")
    equal(version(agent), None, "version before the module is there")
    (folder / "lib.alloy").write_text(LIBRARY % "one")
    server = web_server(lab, folder)
    wait_version(agent, "one")
    (folder / "lib.alloy").unlink()
    agent.wait_log("cannot fetch module; keeping the previous content.*status 404")
    server.kill()
    equal(version(agent), "one", "version while the server is dead")
    (folder / "lib.alloy").write_text(LIBRARY % "two")
    web_server(lab, folder)
    wait_version(agent, "two")
    equal(agent.http("GET", "/-/healthy")[0], 200, "status of /-/healthy")


@test
def one_copy_for_each_jvm(lab):
    receiver = lab.receiver()
    one = lab.jvm()
    agent = lab.agent("--stability.level=experimental", config=f"""
discovery.process "all" {{ }}

pyroscope.write "test" {{
  endpoint {{
    url = "{receiver.url}"
  }}
}}

foreach "jvm" {{
  collection = discovery.process.all.targets
  var        = "target"
  id         = "__process_pid__"

  template {{
    discovery.relabel "name" {{
      targets = [target]

      rule {{
        target_label = "service_name"
        replacement  = "copy-" + target["__process_pid__"]
      }}
    }}

    pyroscope.java "one" {{
      targets    = discovery.relabel.name.output
      forward_to = [pyroscope.write.test.receiver]

      profiling_config {{
        interval = "1s"
      }}
    }}
  }}
}}
""")
    receiver.wait_stack("Shop.bake", type="process_cpu", service=f"copy-{one.inner}")
    two = lab.jvm()
    receiver.wait_stack("Shop.bake", type="process_cpu", service=f"copy-{two.inner}")
    one.kill()

    def shown():
        return agent.http("GET", "/api/v0/web/components/foreach.jvm")[1]

    wait_for("the first copy to go", lambda: f"foreach_{one.inner}_1" not in shown())
    receiver.forget()
    receiver.wait(2, type="process_cpu", service_name=f"copy-{two.inner}")
    check(two.alive(), "the second JVM ended")


@test
def unknown_components_are_left_out_by_permission(lab):
    receiver = lab.receiver()
    jvm = lab.jvm()
    mixed = config() + """
prometheus.scrape "metrics" {
  targets    = discovery.process.all.targets
  forward_to = [prometheus.remote_write.store.receiver]
}

prometheus.remote_write "store" { }
"""
    refused = lab.start_agent(config=mixed)
    equal(refused.wait(10), 1, "exit status without permission")
    check('cannot find the definition of component name "prometheus.scrape"' in refused.text(), refused.text())
    agent = lab.agent("--config.skip-unknown", config=mixed)
    receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner))
    for name in ("prometheus.scrape", "prometheus.remote_write"):
        equal(agent.text().count(f'component "{name}" is unknown and skipped'), 1, f"warnings about {name}")
