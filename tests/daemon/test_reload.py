"""Configurations that change while the agent runs: on request and when files change; blocks for the program itself."""
import base64
import os
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import soak
from lab import check, config, equal, test, wait_for

BASIC = 'http {\n  auth {\n    basic {\n      username = "ann"\n      password = "word"\n    }\n  }\n}\n'
ONE = 'discovery.relabel "one" {\n  targets = []\n}\n'
TWO = 'discovery.relabel "two" {\n  targets = []\n}\n'


def ids(agent):
    return sorted(c["localID"] for c in agent.components())


def wait_ids(agent, wanted):
    wait_for(f"components {wanted}", lambda: ids(agent) == wanted, 10)


@test
def a_refused_reload_answers_with_every_mistake(lab):
    agent = lab.agent(config=ONE)
    lab.file("config.alloy", 'discovery.relabel "x" {\n  targets = nope.a.b\n}\ndiscovery.absent "y" { }\n')
    status, text = agent.reload()
    equal(status, 400, "status")
    for part in ('config.alloy:2:13: component "nope.a.b" does not exist',
                 "2 |   targets = nope.a.b\n  |             ^^^^^^^^",
                 'config.alloy:4:1: cannot find the definition of component name "discovery.absent"'):
        check(part in text, f"{part!r} is not in the answer: {text}")
    agent.wait_log('level=error msg=configuration err=".*does not exist or is out of scope"')
    agent.wait_log("failed to reload config; the running configuration stays active")
    equal(ids(agent), ["discovery.relabel.one"], "components")
    equal(agent.metric("smolder_config_last_load_successful"), 0, "last load")
    equal(agent.metric("smolder_config_load_failures_total"), 1, "failures")
    shutil.rmtree(lab.dir / "config.alloy", ignore_errors=True)
    os.unlink(lab.dir / "config.alloy")
    equal(agent.reload()[0], 400, "answer without a file")
    equal([v for k, v in agent.metrics().items() if "config_hash" in k and "0" * 64 in k], [1.0], "hash of nothing")
    lab.file("config.alloy", TWO)
    equal(agent.reload(), (200, "config reloaded\n"), "answer to a good file")
    equal(ids(agent), ["discovery.relabel.two"], "components")
    equal(agent.metric("smolder_config_last_load_successful"), 1, "last load")


@test
def files_that_change_are_loaded(lab):
    agent = lab.agent("--config.file-watch", config=ONE)
    lab.file("config.alloy", ONE + TWO)
    wait_ids(agent, ["discovery.relabel.one", "discovery.relabel.two"])
    lab.file("next", TWO)  # as an editor does that writes beside the file and renames
    os.rename(lab.dir / "next", lab.dir / "config.alloy")
    wait_ids(agent, ["discovery.relabel.two"])
    before = len(agent.lines("config reloaded"))
    os.utime(lab.dir / "config.alloy")
    lab.file("config.alloy", "nonsense {")
    agent.wait_log('level=error msg=configuration err=".*config.alloy:1:')
    equal(ids(agent), ["discovery.relabel.two"], "components after a broken edit")
    equal(len(agent.lines("config reloaded")), before, "loads of what had not changed")
    lab.file("config.alloy", ONE)
    wait_ids(agent, ["discovery.relabel.one"])


@test
def a_config_map_is_followed(lab):
    """A directory as Kubernetes mounts it: links through ..data, which is swapped."""
    folder = lab.dir / "etc"
    for name, text in (("..1", ONE), ("..2", TWO), ("..3", "broken {")):
        (folder / name).mkdir(parents=True)
        (folder / name / "a.alloy").write_text(text)
    (folder / "..data").symlink_to("..1")
    (folder / "a.alloy").symlink_to("..data/a.alloy")
    (lab.dir / "link").symlink_to("etc")
    agent = lab.agent("--config.file-watch", str(lab.dir / "link"))
    equal(ids(agent), ["discovery.relabel.one"], "components")

    def swap(to):
        (folder / "..tmp").symlink_to(to)
        os.rename(folder / "..tmp", folder / "..data")
    swap("..2")
    wait_ids(agent, ["discovery.relabel.two"])
    swap("..3")
    agent.wait_log("failed to reload config")
    equal(ids(agent), ["discovery.relabel.two"], "components")
    swap("..1")
    wait_ids(agent, ["discovery.relabel.one"])


@test
def the_log_changes_with_the_configuration(lab):
    agent = lab.agent(config='logging {\n  format = "json"\n}\n')
    agent.wait_log('^{"ts":".*","level":"info","msg":"smolder is running"')
    lab.file("config.alloy", 'logging {\n  level = "error"\n}\n')
    agent.reload()
    lines = len(agent.lines("."))
    agent.reload()
    equal(len(agent.lines(".")), lines, "lines at level error")


@test
def what_has_no_effect_is_said_once(lab):
    agent = lab.agent(config='tracing {\n  sampling_fraction = 0.5\n}\n')
    equal(len(agent.lines("tracing has no effect")), 1, "warnings")


@test
def a_password_is_asked_for(lab):
    agent = lab.agent(config=BASIC)

    def status(password=None):
        headers = {"Authorization": "Basic "
                   + base64.b64encode(f"ann:{password}".encode()).decode()} if password else {}
        return lab.machine.http("GET", "http://127.0.0.1:12345/metrics", headers=headers)[0]
    equal(status(), 401, "without a password")
    equal(status("wrong"), 401, "with a wrong one")
    equal(status("word"), 200, "with the right one")
    check("word" not in agent.text(), "the password is in the log")


def certificate(lab):
    """Folder with key.pem, of root's alone, and cert.pem."""
    pem = lab.dir / "pem"
    pem.mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-keyout",
                    str(pem / "key.pem"),
                    "-out", str(pem / "cert.pem")], check=True, capture_output=True)
    return pem


TLS = 'http {\n  tls {\n    cert_file = "%s/%s"\n    key_file = "%s/key.pem"\n  }\n}\n'


@test
def tls_is_turned_on_by_a_reload(lab):
    pem = certificate(lab)
    (pem / "key.pem").chmod(0o640)
    os.chown(pem / "key.pem", 0, 65532)  # of the user that an agent of root becomes
    agent = lab.agent(config=ONE)
    lab.file("config.alloy", TLS % (pem, "missing.pem", pem))
    status, text = agent.reload()
    equal(status, 400, "answer to a missing certificate")
    check("missing.pem: No such file or directory" in text and "config.alloy:1:1" in text, text)
    equal(ids(agent), ["discovery.relabel.one"], "components")
    lab.file("config.alloy", TLS % (pem, "cert.pem", pem))
    equal(agent.reload()[0], 200, "answer to a good one")
    context = ssl.create_default_context(cafile=str(pem / "cert.pem"))

    def ask():
        with lab.machine.network():
            return urllib.request.urlopen("https://localhost:12345/-/ready", context=context, timeout=10).status
    equal(ask(), 200, "answer over TLS")
    try:
        agent.http("GET", "/-/ready", timeout=5)
        check(False, "an answer without TLS")
    except OSError:
        pass
    except Exception as e:  # what http.client makes of a TLS alert
        check("BadStatusLine" in type(e).__name__ or "Disconnected" in type(e).__name__, repr(e))


@test
def a_key_of_root_is_read_at_the_start(lab):
    """A reload is the business of the user that the agent became: refused with a remedy, and what runs goes on."""
    pem = certificate(lab)
    agent = lab.agent(config=TLS % (pem, "cert.pem", pem))
    context = ssl.create_default_context(cafile=str(pem / "cert.pem"))

    def ask(path, data=None):
        try:
            with lab.machine.network():
                with urllib.request.urlopen("https://localhost:12345" + path, data, 10, context=context) as answer:
                    return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()
    equal(ask("/-/ready")[0], 200, "answer over TLS")
    status, text = ask("/-/reload", b"")
    equal(status, 400, "answer to a reload")
    check("key.pem: Permission denied: let user 65532 read the file" in text, text)
    equal(ask("/-/ready")[0], 200, "answer afterwards")
    agent.stop()


@test(weight=2)
def hundreds_of_reloads_leave_nothing_behind(lab):
    """The small version of `make soak`."""
    folder = lab.dir / "soak"
    folder.mkdir(mode=0o755)
    first, last = soak.run(lab.smolder, 200, time.time_ns(), folder, lambda text: None)
    check(last["handles"] == first["handles"], f"{first} {last}")
