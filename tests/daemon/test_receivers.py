"""Receivers of profiles other than pyroscope.write, with real JVMs."""
import base64
import contextlib
import gzip
import json
import os
import re
import signal
import socket
import sys

from lab import check, config, equal, need_java, test, wait_for


def files(folder, pattern):
    return sorted(p for p in folder.glob("*") if re.fullmatch(pattern, p.name)) if folder.exists() else []


def keep(lab, more=""):
    """A configuration that keeps what JVMs are profiled with in a folder of the test's own."""
    folder = lab.dir / "kept"
    folder.mkdir()
    os.chown(folder, 65532, 65532)  # whom the main process becomes
    text = config('interval = "1s"').replace("[pyroscope.write.test.receiver]", "[pyroscope.file.kept.receiver]")
    return folder, f'{text}\npyroscope.file "kept" {{\n  directory = "{folder}"\n{more}\n}}\n'


def chunks(data):
    """Sizes of the chunks of a recording, as its headers have them."""
    found = []
    while data:
        check(data[:4] == b"FLR\0", f"no chunk at the {len(found)}th")
        size = int.from_bytes(data[8:16], "big")
        check(68 < size <= len(data), f"chunk of {size} bytes, {len(data)} are left")
        found.append(size)
        data = data[size:]
    return found


@test
def recordings_and_profiles_are_kept(lab):
    """The recording of a JVM in a file that the JDK reads, and its profiles beside it."""
    jvm = lab.jvm()
    folder, text = keep(lab, '  rotate_interval = "4s"')
    agent = lab.agent(config=text)
    recording = f"unspecified-{jvm.inner}-[0-9a-f]{{8}}-\\d{{8}}T\\d{{6}}Z\\.jfr"
    first = wait_for("recording", lambda: files(folder, recording), 60)[0]
    wait_for("profile", lambda: files(folder, r"unspecified-.*\.process_cpu\.pb\.gz"), 30)
    status, said = lab.call([f"{need_java(17)}/bin/jfr", "summary", first], seconds=60)
    equal(status, 0, f"status of jfr: {said}")
    check(re.search(r"jdk\.ExecutionSample\s+[1-9]", said), f"no samples in {first}: {said}")
    check(len(chunks(first.read_bytes())) >= 2, "the recording has but one chunk")
    with gzip.open(files(folder, r".*\.process_cpu\.pb\.gz")[0]) as profile:
        check(b"Shop.bake" in profile.read(), "no method of the program in the profile")
    check(agent.metric("smolder_file_written_bytes_total", format="jfr") > 0, "no bytes of JFR are counted")
    equal(agent.metric("smolder_file_dropped_total"), 0, "dropped")
    agent.stop()
    equal(files(folder, r".*\.part"), [], "incomplete files after the agent's end")
    for path in files(folder, recording):
        chunks(path.read_bytes())


def file_health(agent):
    return agent.component("pyroscope.file.kept")["health"]


@test
def a_directory_is_made_for_the_agents_user(lab):
    """Root makes it at the start; after that the agent may not, and tells what to do."""
    jvm = lab.jvm()
    folder, text = keep(lab)
    folder.rmdir()
    agent = lab.agent(config=text)
    wait_for("recording", lambda: files(folder, f"unspecified-{jvm.inner}-.*\\.jfr\\.part"), 60)
    equal((folder.stat().st_uid, folder.stat().st_mode & 0o27), (65532, 0), "owner and mode")
    later = lab.dir / "later"
    lab.file("config.alloy", text.replace(str(folder), str(later)))
    equal(agent.reload()[0], 200, "reload")
    wait_for("health", lambda: file_health(agent)["state"] == "unhealthy", 30)
    remedy = f"{later}: Permission denied: create it for the agent's user (install -d -o 65532 -g 65532 -m 750)"
    check(remedy in file_health(agent)["message"], file_health(agent)["message"])
    later.mkdir()
    wait_for("another remedy", lambda: "(chown 65532:65532)" in file_health(agent)["message"], 40)
    os.chown(later, 65532, 65532)
    wait_for("health", lambda: file_health(agent)["state"] == "healthy", 40)
    agent.stop()


@test
def a_killed_agent_leaves_recordings_that_are_repaired(lab):
    jvm = lab.jvm()
    folder, text = keep(lab, '  formats = ["jfr"]')
    agent = lab.agent(config=text)
    part = wait_for("recording", lambda: files(folder, r".*\.jfr\.part"), 60)[0]
    wait_for("bytes", lambda: part.stat().st_size > 0)
    agent.kill()
    with open(part, "ab") as f:
        f.write(b"FLR\0half a chunk")
    jvm.kill()
    lab.jvms.remove(jvm)
    agent = lab.agent(config=text)
    whole = part.with_name(part.name.removesuffix(".part"))
    wait_for("repaired recording", whole.exists)
    check(chunks(whole.read_bytes()), "no chunk is left")
    equal(files(folder, r".*\.pb\.gz"), [], "profiles, which were not asked for")


@test
def a_full_directory_keeps_the_newest(lab):
    lab.jvm()
    folder, text = keep(lab, '  rotate_size = "64k"\n  max_size = "128k"\n  rotate_interval = "1s"')
    agent = lab.agent(config=text)

    def removed():
        status, body = agent.http("GET", "/api/v0/web/components/pyroscope.file.kept")
        return status == 200 and re.search(r'"removed_files".{0,80}?"value":"?[1-9]', body)

    wait_for("removed files", removed, 90)
    size = sum(-(-p.stat().st_size // 4096) * 4096 for p in files(folder, ".*"))
    check(size <= 128 << 10, f"{size} bytes in the directory")
    agent.signal(signal.SIGTERM)
    equal(agent.wait(20), 0, "exit status")


RECEIVE = """
pyroscope.receive_http "in" {
  http {
    listen_address = "127.0.0.1"
    listen_port    = 9999
  }
  forward_to = [pyroscope.write.out.receiver]
}
pyroscope.write "out" {
  endpoint {
    url = "http://127.0.0.1:4040"
  }
}
"""


@test
def an_agent_receives_what_another_one_pushes(lab):
    """From a JVM through two agents, one behind the other, to the judge."""
    receiver = lab.receiver()
    lab.jvm()
    behind = lab.agent(config=RECEIVE)
    (lab.dir / "front").mkdir()
    front = lab.file("front/config.alloy", config('interval = "1s"').replace("127.0.0.1:4040", "127.0.0.1:9999"))
    process = lab.run([lab.smolder, "run", f"--storage.path={lab.dir}/front", "--server.http.listen-addr=127.0.0.1:0",
                       front], name="front", env={"ASAN_OPTIONS": "detect_leaks=1"})
    receiver.wait(2, type="process_cpu", service_name="unspecified", seconds=60)
    receiver.wait(1, type="memory", service_name="unspecified", app_name="memory", seconds=30)
    receiver.check_valid()
    check(behind.metric("pyroscope_forwarded_entries_total", component_id="pyroscope.receive_http.in") >= 2,
          "nothing was counted")
    process.signal(signal.SIGTERM)
    equal(process.wait(20), 0, "exit status of the agent in front")


@test
def a_push_in_json_arrives(lab):
    receiver = lab.receiver()
    agent = lab.agent(config=RECEIVE)
    profile = base64.b64encode(gzip.compress(bytes.fromhex("0a0408011002" "12050a00120105" "3200" "3203637075"
                                                           "320b6e616e6f7365636f6e6473"))).decode()
    body = json.dumps({"series": [{"labels": [{"name": "__name__", "value": "process_cpu"},
                                              {"name": "service_name", "value": "by-hand"}],
                                   "samples": [{"rawProfile": profile}]}]})
    status, said = lab.machine.http("POST", "http://127.0.0.1:9999/push.v1.PusherService/Push", body,
                                    {"Content-Type": "application/json"})
    equal((status, said), (200, "{}"), "answer")
    equal(receiver.wait(1, service_name="by-hand", app_name="process_cpu")[0]["sums"], [5], "values")
    status, said = lab.machine.http("POST", "http://127.0.0.1:9999/push.v1.PusherService/Push", "{}",
                                    {"Content-Type": "application/json"})
    equal(status, 400, f"status of an empty push: {said}")
    equal(lab.machine.http("GET", "http://127.0.0.1:9999/metrics")[0], 404, "status of another path")
    agent.stop()


@test
def silent_connections_do_not_keep_others_from_pushing(lab):
    """More than the server takes, some without a word, some in the middle of a request."""
    lab.receiver()
    agent = lab.agent(config=RECEIVE)
    sockets = []
    with lab.machine.network():
        for i in range(700):
            sockets.append(socket.create_connection(("127.0.0.1", 9999), timeout=10))
            if i % 2:
                with contextlib.suppress(OSError):  # it may have been closed for another one
                    sockets[-1].sendall(b"POST /ingest?name=x HTTP/1.1\r\nHost: localhost\r\nContent-Le")
    body = json.dumps({"series": [{"labels": [{"name": "__name__", "value": "process_cpu"},
                                              {"name": "service_name", "value": "patient"}],
                                   "samples": [{"rawProfile": ""}]}]})
    status, said = lab.machine.http("POST", "http://127.0.0.1:9999/push.v1.PusherService/Push", body,
                                    {"Content-Type": "application/json"}, timeout=60)
    equal(status, 200, f"status of a push: {said}")
    wait_for("at most 512 connections",
             lambda: agent.metric("pyroscope_receive_http_tcp_connections") <= 512 + 64, 30)
    for s in sockets:
        s.close()
    agent.stop()


# Prints each request to /ingest as a line of JSON; fails the first one.
INGEST_SERVER = """
import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    failed = False
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 200 if Handler.failed else 503
        Handler.failed = True
        print(json.dumps([status, self.path, self.headers["Content-Type"], body.decode("latin-1")]), flush=True)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", 4040), Handler).serve_forever()
"""


@test
def bodies_of_ingest_are_forwarded_as_they_are(lab):
    server = lab.run([sys.executable, "-c", INGEST_SERVER], name="ingest")
    agent = lab.agent(config=RECEIVE.replace("endpoint {", 'external_labels = {"cluster" = "test"}\n  endpoint {'))
    body = "main;work 7\nmain;rest 3\n"
    url = "http://127.0.0.1:9999/ingest?name=shop.cpu%7Bpod%3Da%7D&format=folded"
    status, said = lab.machine.http("POST", url, body, {"Content-Type": "text/plain"})
    equal((status, said), (200, ""), "answer")

    def requests():
        return [json.loads(line) for line in server.text().splitlines()]

    wait_for("two attempts", lambda: len(requests()) >= 2, 40)
    path = ("/ingest?name=shop.cpu%7Bcluster%3Dtest%2Cpod%3Da%2Cservice_name%3Dshop.cpu%7D&format=folded")
    equal(requests(), [[503, path, "text/plain", body], [200, path, "text/plain", body]], "what arrived")
    equal(agent.metric("smolder_ingests_total", result="ok"), 1, "requests that were taken")
    status, said = lab.machine.http("POST", url, bytes(33 << 20), timeout=60)
    equal((status, said), (413, "body larger than 32 MiB\n"), "answer to a large body")
    agent.stop()


@test
def bodies_of_ingest_survive_a_kill(lab):
    """Nobody listens; the agent is killed meanwhile and started again; then a server comes up."""
    storage, url = f"--storage.path={lab.dir / 'data'}", "http://127.0.0.1:9999/ingest?name=shop&format=folded"
    text = RECEIVE.replace("endpoint {", "endpoint {\n    max_backoff_retries = 1\n    max_backoff_period = \"1s\"")
    agent = lab.agent(storage, config=text)
    bodies = [f"main;work{i} {'1' * 20000}" for i in range(20)]  # so that what stands beside them is little
    for body in bodies:
        equal(lab.machine.http("POST", url, body, {"Content-Type": "text/plain"})[0], 200, "answer")
    wait_for("all on disk", lambda: agent.metric("smolder_spool_bytes") > sum(map(len, bodies)), 30)
    equal(agent.metric("smolder_dropped_profiles_total"), 0, "dropped")
    agent.signal(signal.SIGKILL)
    agent.wait(10)
    again = lab.agent(storage, config=text)
    server = lab.run([sys.executable, "-c", INGEST_SERVER], name="ingest")
    wait_for("an empty spool", lambda: again.metric("smolder_spool_bytes") == 0
             and again.metric("smolder_ingests_total", result="ok") == len(bodies), 60)
    requests = [json.loads(line) for line in server.text().splitlines()]
    equal(sorted(r[3] for r in requests if r[0] == 200), sorted(bodies), "bodies that were taken")
    equal(again.metric("smolder_dropped_profiles_total"), 0, "dropped")
    again.stop()


@test
def receivers_are_validated(lab):
    """What `validate` says without running anything."""
    port = 'pyroscope.receive_http "r" {\n  forward_to = []\n  http {\n    %s\n  }\n}\n'
    scrape = 'pyroscope.scrape "s" {\n  targets    = []\n  forward_to = []\n  %s\n}\n'
    for text, why in (
            ('pyroscope.file "f" {\n  directory = "here"\n}\n', "directory must be an absolute path"),
            ('pyroscope.file "f" {\n  directory = "/x"\n  formats = ["html"]\n}\n', 'unknown format "html"'),
            ('pyroscope.enrich "e" {\n  targets    = []\n  forward_to = []\n}\n', "target_match_label"),
            (port % 'listen_address = "example.com"', "is not an IP address"),
            (port % "listen_port = 70000", "listen_port must be between"),
            (port % 'tls {\n      cert_file = "c"\n    }', "must specify either key_pem or key_file"),
            (scrape % 'scrape_interval = "1s"', "scrape_interval must be at least 2 seconds"),
            (scrape % 'scheme = "gopher"', "invalid scheme"),
            (scrape % 'profiling_config {\n    profile.custom {\n      enabled = true\n      path    = "/"\n    }\n  }',
             "requires non-empty label"),
            ('pyroscope.ebpf "e" {\n  forward_to = []\n  comm       = "maybe"\n}\n', "invalid comm mode")):
        lab.file("bad.alloy", text)
        status, said = lab.call([lab.smolder, "validate", "--stability.level=experimental", "bad.alloy"], cwd=lab.dir)
        equal(status, 1, f"status of validate for {text}")
        check("bad.alloy:" in said and why in said, said)
