"""The configurations below examples, each with what it is about. What is replaced are addresses, paths and times."""
import os
import re

from lab import ROOT, check, equal, test, wait_for
from test_scrape import gateway

FIXTURE = (ROOT / "tests" / "unit" / "net" / "tls_fixture.h").read_text()


def example(name):
    return (ROOT / "examples" / f"{name}.alloy").read_text()


def replace(text, old, new):
    check(old in text, f"the example does not have {old!r}")
    return text.replace(old, new)


def pem(name):
    """A certificate or key of the unit tests, made for profiles.test."""
    found = re.search(rf"{name}\[\] =\s*((?:\s*\"[^\"]*\"\n?)+);", FIXTURE)
    return "".join(re.findall(r'"([^"]*)"', found[1])).replace("\\n", "\n")


@test
def example_mixed_fleet(lab):
    receiver = lab.receiver()
    lab.jvm()
    gateway(lab)
    text = replace(example("mixed-fleet"), "  targets    = [{", '  scrape_interval = "3s"\n'
                   '  delta_profiling_duration = "2s"\n  targets    = [{')
    agent = lab.agent(config=text)
    receiver.wait_stack("Shop.bake", type="process_cpu", service="unspecified", seconds=60)
    receiver.wait_stack("main.bake", type="process_cpu", service="gateway", seconds=60)
    check(all(p["labels"].get("instance") not in ("", None, "127.0.0.1:6060") for p in receiver.profiles()),
          "a profile without the name of the host")
    agent.wait_log("not run: smolder has no eBPF profiler", 5)
    equal(lab.machine.http("POST", "http://127.0.0.1:9999/push.v1.PusherService/Push", "{}",
                           {"Content-Type": "application/json"})[0], 400, "status of an empty push")
    equal(agent.lines("level=error"), [], "errors")
    equal(agent.http("GET", "/-/healthy")[0], 200, "health")


@test
def example_tls(lab):
    """To a server that wants a certificate of its clients and is itself an agent."""
    receiver = lab.receiver()
    lab.jvm()
    folder = lab.dir / "tls"
    folder.mkdir()
    for name, text in (("ca.pem", pem("tls_cert")), ("agent.pem", pem("tls_cert")), ("agent.key", pem("tls_key")),
                       ("password", "secret\n")):
        (folder / name).write_text(text)
    server = lab.file("server.alloy", f"""
pyroscope.receive_http "in" {{
  http {{
    listen_address = "127.0.0.1"
    listen_port    = 4443
    tls {{
      cert_file        = "{folder}/agent.pem"
      key_file         = "{folder}/agent.key"
      client_ca_file   = "{folder}/ca.pem"
      client_auth_type = "RequireAndVerifyClientCert"
    }}
  }}
  forward_to = [pyroscope.write.out.receiver]
}}
pyroscope.write "out" {{
  endpoint {{
    url = "http://127.0.0.1:4040"
  }}
}}
""")
    behind = lab.run([lab.smolder, "run", f"--storage.path={lab.dir}/behind", "--server.http.listen-addr=127.0.0.1:0",
                      server], name="behind")
    wait_for("the server", lambda: "receiving profiles" in behind.text())
    text = replace(example("tls"), "/etc/smolder/tls", str(folder))
    text = replace(text, "https://pyroscope.example.com", "https://127.0.0.1:4443")
    text = replace(text, "    tls_config {\n", '    tls_config {\n      server_name = "profiles.test"\n')
    agent = lab.agent(config=text)
    receiver.wait_stack("Shop.bake", type="process_cpu", service="unspecified", seconds=60)
    equal(agent.lines("level=error"), [], "errors")
    # Without the certificate nothing arrives.
    receiver.forget()
    text = replace(text, 'pyroscope.java "java" {',
                   'pyroscope.java "java" {\n  profiling_config {\n    interval = "1s"\n  }')
    lab.file("config.alloy", re.sub(r"(?m)^ *(cert|key)_file .*\n", "", text))
    equal(agent.reload()[0], 200, "status of the reload")
    agent.wait_log("pushes fail", 120)


@test
def example_two_backends(lab):
    team, central = lab.receiver(), lab.receiver(port=4041)
    lab.jvm()
    lab.agent(config=example("two-backends"))
    team.wait(1, type="memory", seconds=60)
    central.wait(1, type="process_cpu", cluster="production", seconds=60)
    equal({p["labels"]["__name__"] for p in central.profiles()}, {"process_cpu"}, "profiles of the second server")
    check("cluster" not in team.profiles(type="process_cpu")[0]["labels"], "the label of the other server")
    team.check_valid()
    central.check_valid()


@test
def example_keep_recordings(lab):
    receiver = lab.receiver()
    lab.jvm()
    folder = lab.dir / "recordings"
    folder.mkdir()
    os.chown(folder, 65532, 65532)  # whom the main process becomes
    agent = lab.agent(config=replace(example("keep-recordings"), "/var/lib/smolder/recordings", str(folder)))
    receiver.wait(1, type="process_cpu", seconds=60)
    wait_for("recording", lambda: list(folder.glob("unspecified-*.jfr.part")), 30)
    agent.stop()
    check(list(folder.glob("unspecified-*.jfr")), "no complete recording")


@test
def every_example_is_valid(lab):
    for path in sorted((ROOT / "examples").glob("*.alloy")):
        copy = lab.file(path.name, path.read_text())
        equal(lab.call([lab.smolder, "validate", copy]), (0, ""), f"validate {path.name}")
