"""How much the embedded store keeps, and what happens on a full disk."""
import base64
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor

from browser import Browser
from lab import check, equal, test, wait_for
from test_page import profile
from test_store import PUSH, STORE, ask, flame, labels


CPU_TYPE = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"


def push_noise(lab, service):
    """Some 70 KB that cannot be compressed; the status and the answer."""
    stacks = {f"main;{os.urandom(40).hex()}": 1000 + i for i in range(1500)}
    body = {"series": [{"labels": [{"name": k, "value": v} for k, v in labels(service).items()],
                        "samples": [{"rawProfile": base64.b64encode(profile(stacks)).decode()}]}]}
    return lab.machine.http("POST", PUSH, json.dumps(body), {"Content-Type": "application/json"})


def push_until_taken(lab, service):
    """As a client does that is told to retry."""
    def taken():
        status, text = push_noise(lab, service)
        check(status in (200, 429, 503), f"push of {service}: {status} {text}")
        return status == 200
    wait_for(f"room for {service}", taken, 20, 0.2)


def deleted(agent, reason):
    metrics = agent.http("GET", "/metrics")[1]
    found = re.search(rf'smolder_store_deleted_profiles_total{{reason="{reason}"}} (\d+)', metrics)
    return int(found[1]) if found else 0


@test
def full_disk_while_the_store_runs(lab):
    """A store on a file system of 16 MB: new profiles find room, the oldest go, and the log and the metrics tell of it.
    When there is room again, the store grows again."""
    lab.call(["mkdir", "/tmp/data"])
    lab.call(["mount", "-t", "tmpfs", "-o", "size=16m,mode=777", "none", "/tmp/data"])
    data = lab.machine.path("/tmp/data")

    def size():
        return (data / "store.db").stat().st_size
    agent = lab.agent("--store.listen=127.0.0.1:4040", "--storage.path=/tmp/data", config="")
    for i in range(150):
        push_until_taken(lab, f"noise-{i}")
    agent.wait_log("no space is left for the store; its oldest profiles are deleted")
    check(0 < deleted(agent, "disk") < 150, f"deleted: {deleted(agent, 'disk')}")
    check(ask(lab, "/api/types", service="noise-149")["types"], "the newest profile is not there")
    check(not ask(lab, "/api/types", service="noise-0")["types"], "the oldest profile is still there")
    check(agent.text().count("no space is left") < 20, "the log is full of it")
    before = size()
    lab.call(["mount", "-o", "remount,size=64m", "/tmp/data"])
    wait_for("the reserve", lambda: (data / "store.db.reserve").exists(), 90, 0.5)
    for i in range(150, 250):
        push_until_taken(lab, f"noise-{i}")
    check(size() > before + (2 << 20), f"{before} bytes, then {size()}")


def packed(agent):
    found = re.search(r"smolder_store_packed_profiles_total (\d+)", agent.http("GET", "/metrics")[1])
    return int(found[1]) if found else 0


@test
def kills_while_it_packs_lose_nothing(lab):
    """kill -9 of the agent while it packs what it has: answers stay those of all profiles that were pushed, and the
    next start goes on with what is left."""
    each, pushes = sum(1000 + i for i in range(1500)), 0
    options = ("--store.listen=127.0.0.1:4040", "--storage.path=/tmp/data")
    for rounds in range(3):
        agent = lab.agent(*options, config="")
        for _ in range(40):
            push_until_taken(lab, "packed")
        pushes += 40
        wait_for("packing", lambda: packed(agent), 60, 0.01)
        agent.kill()
        agent = lab.agent(*options, config="")
        equal(flame(lab, "packed", CPU_TYPE)["main"], pushes * each, f"total after {rounds + 1} kills")
        agent.kill()
    agent = lab.agent(*options, config="")
    push_until_taken(lab, "packed")
    pushes += 1
    wait_for("the rest to be packed", lambda: packed(agent), 60, 0.1)
    equal(flame(lab, "packed", CPU_TYPE)["main"], pushes * each, "total while it is packed")


def select(lab, service):
    """Status and answer of a flame graph."""
    what = {"start": 1, "end": 1 << 50, "labelSelector": f'{{service_name="{service}"}}', "profileTypeID": CPU_TYPE}
    return lab.machine.http("POST", STORE + "/querier.v1.QuerierService/SelectMergeStacktraces", json.dumps(what),
                            {"Content-Type": "application/json"})


def refused(lab):
    """Clients that ask at the same time, each for more than there is memory: all of them are told the flag."""
    with ThreadPoolExecutor(8) as clients:
        for status, text in clients.map(lambda _: select(lab, "many"), range(16)):
            equal(status, 429, text)
            equal(json.loads(text)["code"], "resource_exhausted", "code")
            check("raise --store.query-memory (1024 KiB)" in json.loads(text)["message"], text)
    status, text = lab.machine.http("GET", STORE + f"/api/flamegraph?service=many&type={CPU_TYPE}")
    equal(status, 400, text)
    check("--store.query-memory" in json.loads(text)["error"], text)


@test
def query_of_too_much_memory_names_the_flag(lab):
    """--store.query-memory, of what was pushed just now and of what is packed. No parser ends of it, other queries are
    answered, and with more memory so is that one."""
    each, options = sum(1000 + i for i in range(1500)), ("--store.listen=127.0.0.1:4040", "--storage.path=/tmp/data")
    agent = lab.agent(*options, "--store.query-memory=1MiB", config="")
    for _ in range(20):
        push_until_taken(lab, "many")
    push_until_taken(lab, "one")
    refused(lab)
    wait_for("packing", lambda: packed(agent), 60, 0.1)
    refused(lab)
    equal(flame(lab, "one", CPU_TYPE)["main"], each, "total of another service")
    check("smolder_parser_restarts_total{" not in agent.http("GET", "/metrics")[1], "parsers ended")
    agent.stop()
    lab.agent(*options, config="")
    equal(flame(lab, "many", CPU_TYPE)["main"], 20 * each, "total with more memory")


@test
def store_keeps_what_it_is_told_to(lab):
    """--store.max-size and --store.keep: what is more than that goes, and no more."""
    agent = lab.agent("--store.listen=127.0.0.1:4040", "--store.max-size=1MiB", "--store.keep=1h", config="")
    for i in range(30):
        push_until_taken(lab, f"noise-{i}")
    agent.stop()
    agent = lab.agent("--store.listen=127.0.0.1:4040", "--store.max-size=1MiB", "--store.keep=1h", config="")
    wait_for("the sweep", lambda: deleted(agent, "size"), 20)
    agent.wait_log("the store has reached its size")
    left = len(ask(lab, "/api/services")["services"])
    equal(left, 30 - deleted(agent, "size"), "profiles left")
    check(left >= 8, f"only {left} are left of 1 MiB")
    for flag, text in (("--store.keep=soon", "is no duration"), ("--store.max-size=1KiB", "less than 1MiB")):
        bad = lab.start_agent("--store.listen=127.0.0.1:4040", flag, config="")
        equal(bad.wait(10), 2, f"exit status with {flag}")
        check(text in bad.text(), bad.text())


@test
def store_with_a_token_is_for_those_who_have_it(lab):
    """--store.auth=token: nobody sees or pushes anything without it; the built-in configuration does. A browser that
    opened the printed address goes on without it in the address."""
    jvm = lab.jvm()
    agent = lab.agent("--store.listen=127.0.0.1:4040", "--store.auth=token")
    token = (lab.dir / "data/store.token").read_text().strip()
    check(token not in agent.text(), "the token is in the log")
    for path in ("/", "/api/services", "/api/jvms", "/api/services?token=wrong"):
        equal(lab.machine.http("GET", STORE + path)[0], 401, path)
    equal(push_noise(lab, "stranger")[0], 401, "a push of a stranger")
    equal(lab.machine.http("GET", STORE + "/ready")[0], 200, "/ready")

    def services():
        status, text = lab.machine.http("GET", STORE + "/api/services", None, {"Authorization": f"Bearer {token}"})
        equal(status, 200, f"with the token ({text})")
        return json.loads(text)["services"]
    wait_for("profiles of the built-in configuration", services, 40, 0.5)
    with Browser(machine=lab.machine) as browser:
        browser.open(f"{STORE}/?token={token}")
        browser.wait("document.getElementById('graph') && !document.getElementById('graph').hidden")
        equal(browser.run("location.search"), "", "the address")
    check(jvm.alive(), "the JVM ended")
