"""smolder store: the embedded store alone."""
import base64
import json
import re
import signal
import subprocess

from lab import Agent, check, config, descendants, equal, proc_text, test, wait_for
from test_store import PUSH, STORE, ask, flame, labels, pprof, types_of

API = "--server.http.listen-addr=127.0.0.1:12345"
CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"


def begin(lab, *args, config=None):
    """`smolder store` without waiting for more than its process."""
    paths = [] if config is None else [lab.file("store.alloy", config)]
    options = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
    store = Agent(lab.machine, [lab.smolder, "store", f"--path={lab.dir}/profiles", *args, *paths],
                  lab.output("store"), cwd=lab.dir, env=options, find=lambda pid: "smolder" in proc_text(pid, "comm"))
    store.machine = lab.machine
    lab.agents.append(store)
    return store


def store(lab, *args, **kw):
    running = begin(lab, *args, **kw).locate()
    running.wait_log("smolder is running")
    return running


def push(lab, service, value, headers=None):
    body = {"series": [{"labels": [{"name": k, "value": v} for k, v in labels(service).items()],
                        "samples": [{"rawProfile": base64.b64encode(pprof(value)).decode()}]}]}
    return lab.machine.http("POST", PUSH, json.dumps(body), {"Content-Type": "application/json", **(headers or {})})


@test
def store_alone_keeps_what_an_agent_pushes(lab):
    """An agent with a JVM pushes to it; after a restart everything is there. It profiles nothing itself."""
    alone = store(lab, API)
    jvm = lab.jvm()
    agent = lab.agent("--server.http.listen-addr=127.0.0.1:12346",
                      config=config(rules='rule {\n replacement = "shop"\n target_label = "service_name"\n }'))
    wait_for("the JVM's methods", lambda: CPU in types_of(lab, "shop") and "Shop.bake" in flame(lab, "shop", CPU), 60)
    equal(ask(lab, "/api/jvms")["jvms"], [], "JVMs of the store")
    check(alone.metric("smolder_store_pushes_total", result="ok") > 0, "pushes are not counted")
    agent.stop()
    check(jvm.alive(), "the JVM ended")
    before = flame(lab, "shop", CPU)["Shop.bake"]
    alone.stop()
    alone = store(lab)
    equal(flame(lab, "shop", CPU)["Shop.bake"], before, "what was kept")
    equal(lab.machine.http("GET", STORE + "/")[0], 200, "the page")
    alone.signal(signal.SIGINT)
    equal(alone.wait(12), 0, "exit status after SIGINT")


@test
def store_alone_holds_no_right_to_other_processes(lab):
    """The main process has no capability; the guard and the helper those that make users of parser processes."""
    alone = store(lab)
    names = {"smolder": 0, "smolder-guard": 0b111100000, "smolder-priv": 0b111100000}  # KILL, SETGID, SETUID, SETPCAP
    for pid in [alone.pid, *descendants(alone.pid)]:
        status = proc_text(pid, "status")
        name = re.search(r"^Name:\s+(\S+)", status, re.M)[1]
        if name in names:
            has = int(re.search(r"^CapPrm:\s+(\S+)", status, re.M)[1], 16)
            equal(has & ~names.pop(name), 0, f"capabilities of {name}")
    equal(names, {}, "processes that were not found")


@test
def store_alone_has_the_http_block(lab):
    """A password, put in force and changed by SIGHUP; a token as well. What a reload refuses changes nothing."""
    def block(password):
        return f'http {{\n  auth {{\n    basic {{\n      username = "u"\n      password = "{password}"\n    }}\n' \
               '    filter {\n      paths = ["/"]\n      authenticate_matching_paths = true\n    }\n  }\n}\n'

    def basic(password):
        return {"Authorization": "Basic " + base64.b64encode(f"u:{password}".encode()).decode()}
    alone = store(lab, config=block("first"))
    equal(push(lab, "shop", 1000)[0], 401, "a push without the password")
    equal(push(lab, "shop", 1000, basic("first"))[0], 200, "a push with the password")
    lab.file("store.alloy", block("second"))
    alone.signal(signal.SIGHUP)
    alone.wait_log("config reloaded")
    equal(push(lab, "shop", 2000, basic("first"))[0], 401, "a push with the old password")
    lab.file("store.alloy", "http {\n")
    alone.signal(signal.SIGHUP)
    alone.wait_log("the running configuration stays active")
    equal(push(lab, "shop", 2000, basic("second"))[0], 200, "a push with the new password")
    alone.stop()
    alone = store(lab, "--store.auth=token")
    token = (lab.dir / "profiles/store.token").read_text().strip()
    equal(push(lab, "shop", 3000)[0], 401, "a push without the token")
    equal(push(lab, "shop", 3000, {"Authorization": f"Bearer {token}"})[0], 200, "a push with the token")
    alone.stop()


@test
def store_alone_serves_tls(lab):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", lab.dir / "key.pem", "-out", lab.dir / "cert.pem", "-subj", "/CN=localhost", "-days",
                    "2"], check=True, capture_output=True)
    text = f'http {{\n  tls {{\n    cert_file = "{lab.dir}/cert.pem"\n    key_file  = "{lab.dir}/key.pem"\n  }}\n}}\n'
    alone = store(lab, "--user=root", config=text)
    alone.wait_log("page=https://127.0.0.1:4040/")
    status, answer = lab.call(["curl", "-sS", "-k", "https://127.0.0.1:4040/ready"])
    equal((status, answer), (0, "ready\n"), "/ready")


@test
def store_alone_refuses_what_it_cannot_use(lab):
    """Each with its exit status and a message that names the flag or the place."""
    (lab.dir / "file").write_text("")
    component = 'discovery.process "all" { }\n'
    for status, text, args, given in (
            (2, "--listen= is empty", ["--listen="], None),
            (2, "--store.keep=soon is no duration", ["--store.keep=soon"], None),
            (2, "--store.query-nodes=0: expected a number", ["--store.query-nodes=0"], None),
            (2, "unknown flag --storage.path", ["--storage.path=/tmp"], None),
            (3, "192.0.2.1:4040", ["--listen=192.0.2.1:4040"], None),
            (3, f"--path={lab.dir}/file/below", [f"--path={lab.dir}/file/below"], None),
            (1, "no components run here", [], component),
            (1, "store.alloy:1:1", [], component)):
        bad = begin(lab, *args, config=given)
        equal(bad.wait(20), status, f"exit status with {args or given}")
        check(text in bad.text(), bad.text())
    first = store(lab, "--config.skip-unknown", config=component)
    first.wait_log('"discovery.process\\\\?" is unknown and skipped|is unknown and skipped')
    second = begin(lab)
    equal(second.wait(20), 3, "exit status with the port in use")
    check("127.0.0.1:4040" in second.text(), second.text())


def kept(more=""):
    """A configuration that keeps what JVMs are profiled with, without HTTP."""
    rules = 'rule {\n replacement = "shop"\n target_label = "service_name"\n }'
    text = config('interval = "1s"', rules=rules)
    text = text[text.index("discovery.process"):].replace("pyroscope.write.test", "pyroscope.store.kept")
    return f'{text}\npyroscope.store "kept" {{\n{more}\n}}\n'


@test
def component_keeps_profiles_in_the_embedded_store(lab):
    """pyroscope.store: profiles of a JVM get into the agent's store without a push."""
    jvm = lab.jvm()
    agent = lab.agent("--store.listen=127.0.0.1:4040", config=kept())
    wait_for("the JVM's methods", lambda: CPU in types_of(lab, "shop") and "Shop.bake" in flame(lab, "shop", CPU), 60)
    check(agent.metric("smolder_kept_profiles_total", result="stored") > 0, "profiles are not counted")
    equal(agent.metric("smolder_kept_profiles_total", result="refused"), 0, "refused profiles")
    equal(agent.component("pyroscope.store.kept")["health"]["state"], "healthy", "health")
    check(jvm.alive(), "the JVM ended")


@test
def component_has_a_store_of_its_own(lab):
    """pyroscope.store with a path: its files are private, outlive the agent, are locked meanwhile, and smolder store
    serves them later."""
    lab.jvm()
    agent = lab.agent(config=kept('  path = "own"'))
    wait_for("profiles", lambda: agent.metric("smolder_kept_profiles_total", result="stored") > 3, 60, 0.2)
    own = lab.dir / "data/own"
    equal(own.stat().st_mode & 0o077, 0, "rights of others")
    second = begin(lab, f"--path={own}")
    equal(second.wait(20), 3, "exit status of a second store")
    check("belongs to another store" in second.text(), second.text())
    agent.stop()
    store(lab, f"--path={own}")
    wait_for("the JVM's methods", lambda: CPU in types_of(lab, "shop") and "Shop.bake" in flame(lab, "shop", CPU))


@test
def component_without_its_store_holds_up_nobody(lab):
    """A directory that is in use: unhealthy with the reason, and another receiver gets everything; once it is free,
    profiles are kept."""
    receiver = lab.receiver()
    lab.jvm()
    blocker = store(lab, f"--path={lab.dir}/data/own", "--listen=127.0.0.1:4041")
    text = kept('  path = "own"')
    text = text.replace("[pyroscope.store.kept", "[pyroscope.write.test.receiver, pyroscope.store.kept")
    endpoint = 'endpoint {\n url = "http://127.0.0.1:4040"\n }'
    agent = lab.agent(config=f'{text}pyroscope.write "test" {{\n {endpoint}\n}}\n')

    def health():
        return agent.component("pyroscope.store.kept")["health"]
    wait_for("health", lambda: health()["state"] == "unhealthy", 30)
    check("belongs to another store" in health()["message"], health()["message"])
    receiver.wait(3, 60)
    blocker.stop()
    wait_for("health", lambda: health()["state"] == "healthy", 60)
    wait_for("profiles", lambda: agent.metric("smolder_kept_profiles_total", result="stored") > 0, 60, 0.2)
