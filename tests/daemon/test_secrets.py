"""What other users of this machine, and the network, get to see and to hold up."""
import base64
import http.client
import http.server
import io
import json
import re
import socket
import stat
import threading
import time
import zipfile

from lab import API, check, config, equal, proc_text, test, wait_for

CONFIG = """// S3CRET-comment
pyroscope.write "w" {
  endpoint {
    url     = "http://user:S3CRET-url@127.0.0.1:9"
    headers = {
      "X-Api-Key"     = "S3CRET-apikey",
      "X-Anything"    = "S3CRET-header",
      "Authorization" = "Bearer S3CRET-authorization",
      "Cookie"        = "S3CRET-cookie",
      "X-Scope-OrgID" = "team-7",
    }
  }
  endpoint {
    url = "http://127.0.0.1:9"
    basic_auth {
      username = "S3CRET-user"
      password = "S3CRET-password"
    }
  }
  endpoint {
    url          = "http://127.0.0.1:9"
    bearer_token = "S3CRET-bearer"
  }
  endpoint {
    url       = "https://127.0.0.1:9"
    proxy_url = "http://p:S3CRET-proxy@127.0.0.1:9"
  }
  external_labels = {"team" = sys.env("TEAM_TOKEN")}
}
discovery.process "all" {
  refresh_interval = "1s"
}
discovery.relabel "all" {
  targets = discovery.process.all.targets
}
"""
ENVIRONMENT = {
    "TEAM_TOKEN": "S3CRET-team", "ENCRYPTION_KEY": "S3CRET-key", "GITHUB_PAT": "S3CRET-pat", "JWT": "S3CRET-jwt",
    "DB_URL": "postgres://u:S3CRET-db@h/db", "KUBECONFIG_DATA": "S3CRET-kube", "CREDS": "S3CRET-creds",
    "HTTPS_PROXY": "http://u:S3CRET-environment-proxy@h:1",
}


def found(text):
    return sorted(set(re.findall(r"S3CRET-[a-z]+", text)))


@test
def nothing_that_the_api_shows_is_secret(lab):
    agent = lab.agent(config=CONFIG, env=ENVIRONMENT)
    wait_for("targets", lambda: '__meta_process_' in agent.http("GET",
                                                                "/api/v0/web/components/discovery.process.all")[1])
    for path in ("/api/v0/web/components", "/api/v0/web/components/pyroscope.write.w",
                 "/api/v0/web/components/discovery.process.all", "/api/v0/web/components/discovery.relabel.all",
                 "/metrics", "/-/healthy"):
        status, text = agent.http("GET", path)
        equal(status, 200, path)
        equal(found(text), [], path)
    text = agent.http("GET", "/api/v0/web/components/pyroscope.write.w")[1]
    check('"team-7"' in text, f"the tenant is hidden: {text}")
    check("http://(secret)@127.0.0.1:9" in text, f"no url: {text}")
    equal(found(agent.text()), [], "the log")


@test
def excerpts_hide_secrets_and_mark_the_right_place(lab):
    agent = lab.agent(config=CONFIG, env=ENVIRONMENT)
    broken = CONFIG.replace('password = "S3CRET-password"', 'password = "S3CRET-password" "')
    lab.file("config.alloy", broken)
    status, text = agent.reload()
    equal(status, 400, "status")
    equal(found(text), [], text)
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if "password" in line)
    equal(lines[at].split("|", 1)[1], '       password = "(secret)" "(secret)"', "the line")
    equal(lines[at + 1].index("^"), lines[at].rindex('"(secret)"'), "where the marks are")
    equal(found(agent.text()), [], "the log")
    agent.stop()
    agent = lab.start_agent(config=broken, env=ENVIRONMENT)
    equal(agent.wait(10), 1, "exit status")
    check('password = "(secret)"' in agent.text(), "no excerpt at the start")
    equal(found(agent.text()), [], "the log at the start")


@test
def bundles_show_the_environment_by_a_list(lab):
    lab.agent(config=CONFIG, env=ENVIRONMENT)
    with lab.machine.network():
        connection = http.client.HTTPConnection("127.0.0.1", 12345, timeout=20)
        connection.connect()
    connection.request("GET", "/-/support?duration=1")
    bundle = zipfile.ZipFile(io.BytesIO(connection.getresponse().read()))
    for name in bundle.namelist():
        equal(found(bundle.read(name).decode()), [], name)
    environment = bundle.read("smolder-support-bundle/smolder-environment.txt").decode()
    check("HTTPS_PROXY=http://(secret)@h:1\n" in environment and "PATH=" in environment, environment)
    check("KUBECONFIG" not in environment and "DB_URL" not in environment, environment)


@test
def files_are_for_their_owner(lab):
    data = lab.machine.path("/tmp/data")
    data.mkdir(mode=0o755)
    for name in ("store.db", "store.db-wal", "store.db-shm"):
        (data / name).touch(mode=0o644)
    agent = lab.agent("--storage.path=/tmp/data", "--store.listen=127.0.0.1:4040", config="")
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in [data, *data.iterdir()]}
    check(len(modes) >= 3, f"files: {modes}")
    equal({n: oct(m) for n, m in modes.items() if m & 0o077}, {}, "readable by others")
    agent.stop()
    agent = lab.agent("--storage.path=/tmp/new/data", "--store.listen=127.0.0.1:4040", config="")
    new = lab.machine.path("/tmp/new/data")
    equal([oct(stat.S_IMODE(p.stat().st_mode)) for p in (new.parent, new, new / "store.db")],
          ["0o700", "0o700", "0o600"],
          "modes of new ones")
    mask = re.search(r"^Umask:\s*(\d+)", proc_text(agent.pid, "status"), re.M).group(1)
    equal(mask, "0077", "umask")


HTTP_BLOCK = """
http {
  auth {
    basic {
      username = "ann"
      password = "right"
    }
    filter {
      paths                       = ["/-/ready", "/ready"]
      authenticate_matching_paths = false
    }
  }
}
"""


@test
def the_http_block_guards_the_store_too(lab):
    agent = lab.agent("--store.listen=:4040", "--server.http.listen-addr=:12345", config="")
    equal(len(agent.lines("level=warn.*over the network.*server=api")), 1, "warnings of an open API")
    equal(len(agent.lines("level=warn.*over the network.*server=store")), 1, "warnings of an open store")
    equal(agent.reload()[0], 200, "reload")
    equal(len(agent.lines("over the network")), 2, "warnings after a reload that changes nothing")
    lab.file("config.alloy", HTTP_BLOCK)
    equal(agent.reload()[0], 200, "reload")
    right = {"Authorization": "Basic " + base64.b64encode(b"ann:right").decode()}
    store = "http://127.0.0.1:4040"
    for method, path in (("GET", "/"), ("GET", "/api/services"), ("POST", "/push.v1.PusherService/Push")):
        equal(lab.machine.http(method, store + path, "" if method == "POST" else None)[0], 401, f"{method} {path}")
    equal(lab.machine.http("GET", store + "/api/services", None, right)[0], 200, "with the password")
    equal(lab.machine.http("GET", store + "/ready")[0], 200, "the store's probe")
    equal(agent.http("GET", "/metrics")[0], 401, "the API")
    equal(len(agent.lines("over the network")), 2, "warnings once there is a password")
    lab.file("config.alloy", "")
    equal(lab.machine.http("POST", API + "/-/reload", "", right)[0], 200, "reload")
    equal(len(agent.lines("over the network")), 4, "warnings once there is none any more")


@test
def local_servers_draw_no_warning(lab):
    agent = lab.agent("--store.listen=127.0.0.1:4040", config="")
    equal(agent.lines("over the network"), [], "warnings")


class Slow:
    """Connections that never finish their header."""

    def __init__(self, lab, port, count):
        self.lab, self.port = lab, port
        self.sockets = [self.open() for _ in range(count)]

    def open(self):
        with self.lab.machine.network():
            s = socket.socket()
        s.setblocking(False)
        try:
            s.connect(("127.0.0.1", self.port))
        except BlockingIOError:
            pass
        return s

    def drip(self):
        """A byte each; those that were told to go come back."""
        for i, s in enumerate(self.sockets):
            try:
                s.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " if time.monotonic() % 2 < 1 else b"a")
            except BlockingIOError:
                pass
            except OSError:
                s.close()
                self.sockets[i] = self.open()

    def close(self):
        for s in self.sockets:
            s.close()


def probe(lab, url):
    """Seconds until it is answered."""
    begun = time.monotonic()
    equal(lab.machine.http("GET", url, timeout=5)[0], 200, url)
    return time.monotonic() - begun


@test
def slow_connections_hold_up_nobody(lab):
    lab.agent("--store.listen=127.0.0.1:4040", config="")
    for count in (64, 1000):
        slow = [Slow(lab, port, count) for port in (12345, 4040)]
        for _ in range(6):
            for s in slow:
                s.drip()
            for url in (API + "/-/ready", API + "/-/healthy", "http://127.0.0.1:4040/ready",
                        "http://127.0.0.1:4040/api/services"):
                took = probe(lab, url)
                check(took < 1, f"{url} took {took:.1f} s beside {count} slow connections")
            time.sleep(0.3)
        for s in slow:
            s.close()


@test
def slow_connections_end(lab):
    lab.agent(config="")
    with lab.machine.network():
        s = socket.create_connection(("127.0.0.1", 12345))
    begun = time.monotonic()
    s.settimeout(0.2)
    s.send(b"GET / HTTP/1.1\r\nX: ")
    while time.monotonic() < begun + 15:
        try:
            s.send(b"a")
            if s.recv(100) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    took = time.monotonic() - begun
    check(4 < took < 8, f"a header that never ends was waited for {took:.1f} s")


def raw(lab, text):
    with lab.machine.network():
        s = socket.create_connection(("127.0.0.1", 12345), timeout=5)
    s.sendall(text)
    answer = b""
    while True:
        piece = s.recv(65536)
        if not piece:
            return answer
        answer += piece


@test
def requests_without_a_clear_end_are_refused(lab):
    lab.agent(config="")
    smuggled = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    for headers in (b"Content-Length: 4\r\nTransfer-Encoding: chunked", b"Content-Length: 0\r\nContent-Length: 5",
                    b"Transfer-Encoding: xchunked"):
        answer = raw(lab, b"POST /-/reload HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + b"\r\n\r\n0\r\n\r\n" + smuggled)
        check(answer.startswith(b"HTTP/1.1 400 "), f"{headers}: {answer[:80]}")
        check(answer.count(b"HTTP/1.1 ") == 1, f"{headers}: a second answer: {answer[-300:]}")


class Repeater(http.server.BaseHTTPRequestHandler):
    """Refuses every push and says the key that it refuses."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps({"code": "unauthenticated", "message": "no such key " + self.headers["X-Api-Key"]}).encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@test
def what_a_server_says_of_a_secret_is_hidden(lab):
    with lab.machine.network():
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 4041), Repeater)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        lab.jvm()
        text = config(url="http://127.0.0.1:4041", endpoint='headers = {"X-Api-Key" = "S3CRET-apikey"}')
        agent = lab.agent(config=text)
        agent.wait_log("no such key", 40)
        equal(found(agent.text()), [], "the log")
        for component in agent.components():
            equal(found(json.dumps(agent.component(component["localID"]))), [], component["localID"])
    finally:
        server.shutdown()
        server.server_close()
