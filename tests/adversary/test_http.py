"""HTTP: odd, hostile, slow and many requests to the agent and its store."""
import gzip
import sys
import http.client
import os
import socket
import time
import urllib.parse

import push
from attack import check_live, check_memory, user
from lab import Failure, check, config, equal, test, wait_for

API, STORE = 12345, 4040
BOTH = ["--store.listen=127.0.0.1:4040"]


def store_path():
    return push.PATH


def raw_answer(lab, method, path, headers=None, body=None, port=API, timeout=40):
    """(status, headers, bytes)"""
    with lab.machine.network():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        connection.connect()
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def connect(lab, port=API, timeout=3):
    with lab.machine.network():
        return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def send(lab, data, port=API, timeout=3, enough=1 << 20):
    """All that comes back for these bytes; what is missing when the time is up is missing."""
    got = b""
    with connect(lab, port, timeout) as s:
        try:
            s.sendall(data)
            while len(got) < enough:
                more = s.recv(65536)
                if not more:
                    break
                got += more
        except OSError:
            pass
    return got


def ask(lab, line, *headers, body=b"", port=API, timeout=3):
    """(status, rest); 0 for a connection that was closed or ran out of time."""
    head = line + " HTTP/1.1\r\n" + "".join(h + "\r\n" for h in headers) + "Connection: close\r\n\r\n"
    got = send(lab, head.encode() + body, port, timeout)
    status = int(got[9:12]) if got.startswith(b"HTTP/1.") else 0
    return status, got.partition(b"\r\n\r\n")[2]


OUR_HOST, STORE_HOST = "Host: 127.0.0.1:12345", "Host: 127.0.0.1:4040"


def reloads(agent):
    return len(agent.lines("config reloaded"))


@test
def names_of_other_hosts_are_refused(lab):
    """DNS rebinding: eleven forms of Host and of the request's own URL, at both servers."""
    agent = lab.agent(*BOTH, config="")
    for host in ("evil.example", "evil.example:12345", "127.0.0.1.evil.example", "127.0.0.1@evil.example",
                 "localhost.evil.example:12345",
                 "0x7f.1", "[::1", "[::1%evil]", "evil.example#localhost", "", "127.0.0.1 evil.example"):
        for port in (API, STORE):
            status = ask(lab, "POST /-/reload" if port == API else "GET /api/services", f"Host: {host}",
                         "Content-Length: 0", port=port)[0]
            check(status in (0, 400, 421), f"Host {host!r} at port {port}: {status}")
    check(ask(lab, "GET http://evil.example/-/ready", OUR_HOST)[0] != 200, "a URL of another host")
    equal(reloads(agent), 0, "reloads")
    equal(ask(lab, "GET /-/ready", OUR_HOST)[0], 200, "our own name")


@test
def two_hosts_are_no_way_in(lab):
    """Two Host headers: the first one, which is what a browser sends, is never overruled by a second."""
    lab.agent(config="")
    check(ask(lab, "GET /-/ready", "Host: evil.example", OUR_HOST)[0] in (400, 421), "our own name as the second Host")


@test
def pages_of_other_origins_change_nothing(lab):
    """CSRF: forms and fetches with another Origin or Sec-Fetch-Site cannot reload, push or take a bundle."""
    agent = lab.agent(*BOTH, config="")
    for header in ("Origin: http://evil.example", "Origin: null", "Origin: http://127.0.0.1:12345.evil.example",
                   "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"):
        equal(ask(lab, "POST /-/reload", OUR_HOST, header, "Content-Length: 0")[0], 403, f"reload with {header}")
        equal(ask(lab, "GET /-/reload", OUR_HOST, header)[0], 403, f"reload by GET with {header}")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        status = ask(lab, "POST " + push.PATH, STORE_HOST, f"Content-Type: {kind}", "Content-Length: 2", body=b"{}",
                     port=STORE)[0]
        check(400 <= status < 500, f"push as {kind}: {status}")
    equal(reloads(agent), 0, "reloads")


@test
def bundles_are_not_for_pages_of_other_origins(lab):
    """/-/support with a foreign Origin or Sec-Fetch-Site."""
    lab.agent(config="")
    for header in ("Origin: http://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"):
        equal(ask(lab, "GET /-/support?duration=1", OUR_HOST, header)[0], 403, f"bundle with {header}")


@test
def two_lengths_are_refused(lab):
    """Content-Length with Transfer-Encoding, two Content-Lengths and lengths that are no number: 400, and no second
    request is read."""
    agent = lab.agent(*BOTH, config="")
    smuggled = b"0\r\n\r\nPOST /-/reload HTTP/1.1\r\nHost: 127.0.0.1:12345\r\nContent-Length: 0\r\n\r\n"
    cases = {"CL and TE": (["Content-Length: 4", "Transfer-Encoding: chunked"], smuggled),
             "TE and CL": (["Transfer-Encoding: chunked", "Content-Length: 4"], smuggled),
             "two CL": (["Content-Length: 0", "Content-Length: 5"], b"abcde"),
             "two CL, the same in a list": (["Content-Length: 5, 6"], b"abcde"),
             "CL -1": (["Content-Length: -1"], b""), "CL +5": (["Content-Length: +5"], b"abcde"),
             "CL 0x5": (["Content-Length: 0x5"], b"abcde"), "CL huge": (["Content-Length: 99999999999999999999"], b"")}
    for port, line, host in ((API, "POST /-/reload", OUR_HOST), (STORE, "POST " + push.PATH, STORE_HOST)):
        for name, (headers, body) in cases.items():
            head = f"{line} HTTP/1.1\r\n{host}\r\nContent-Type: application/proto\r\n"
            head += "".join(h + "\r\n" for h in headers) + "\r\n"
            got = send(lab, head.encode() + body, port, 1.5)
            check(got == b"" or got[9:12] in (b"400", b"413", b"501"), f"{name} at port {port}: {got[:200]}")
            check(b"HTTP/1.1 200" not in got, f"{name}: a second request was read: {got[:600]}")
    equal(reloads(agent), 0, "reloads")


@test
def encodings_nobody_knows_are_refused(lab):
    """Transfer-Encoding of a name that nobody knows, and chunks of a size that nothing could hold: an end, not a
    wait."""
    lab.agent(*BOTH, config="")
    for port, line, host in ((API, "POST /-/reload", OUR_HOST), (STORE, "POST " + push.PATH, STORE_HOST)):
        for encoding, body in (("xchunked", b"0\r\n\r\n"), ("chunked, identity", b"0\r\n\r\n"),
                               ("chunked", b"ffffffffffffffff\r\nabc")):
            head = (f"{line} HTTP/1.1\r\n{host}\r\nContent-Type: application/proto\r\n"
                    f"Transfer-Encoding: {encoding}\r\n\r\n")
            got = send(lab, head.encode() + body, port, 0.7)
            check(not got.startswith(b"HTTP/1.1 200"), f"{encoding} at port {port}: {got[:200]}")
    check_live(lab.agents[0], 0.5)


@test
def large_heads_are_refused(lab):
    """20 KB of headers, of URL, a thousand headers, a method of 5,000 bytes: refused, and the next request is
    answered."""
    agent = lab.agent(config="")
    cases = [ask(lab, "GET /-/ready", OUR_HOST, "X: " + "a" * 20000), ask(lab, "GET /-/ready?" + "a" * 20000, OUR_HOST),
             ask(lab, "GET /-/ready", OUR_HOST, *[f"X{i}: a" for i in range(1000)]),
             ask(lab, "A" * 5000 + " /", OUR_HOST)]
    for status, _ in cases:
        check(status == 0 or 400 <= status < 500, f"status {status}")
    check_live(agent, 0.3)


@test
def requests_in_a_row_are_all_answered(lab):
    """Fifty requests in one piece, and pieces of one byte."""
    lab.agent(config="")
    one = b"GET /-/ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    equal(send(lab, one * 49 + one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).count(b"200 OK"), 50,
          "answers")
    with connect(lab) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(one)):
            s.send(one[i:i + 1])
        check(s.recv(4096).startswith(b"HTTP/1.1 200"), "answer to bytes one by one")


@test
def garbage_is_answered_by_an_end(lab):
    """Random bytes, a TLS greeting, zero bytes and a version that does not exist."""
    agent = lab.agent(*BOTH, config="")
    for data in (os.urandom(4000), bytes.fromhex("1603010200010001fc0303") + os.urandom(500), b"\0" * 1000,
                 b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n", b"\r\n" * 500):
        for port in (API, STORE):
            got = send(lab, data, port, 1)
            check(not got.startswith(b"HTTP/1.1 200"), f"answer to {data[:10]}: {got[:100]}")
    check_live(agent, 0.3)


@test
def paths_lead_nowhere_else(lab):
    """.. in all its spellings, line ends and markup in paths: no file, no header of ours, no markup in an answer that
    is a page."""
    lab.agent(*BOTH, config="")
    for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd",
                 "/ui/../../../etc/passwd",
                 "/api/v0/web/components/../../../etc/passwd"):
        for port, host in ((API, OUR_HOST), (STORE, STORE_HOST)):
            check(b"root:" not in ask(lab, f"GET {path}", host, port=port)[1], f"{path} gave a file")
    got = send(lab, b"GET /%0d%0aSet-Cookie:x/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    check(b"\nSet-Cookie" not in got, f"a header of the path's: {got}")
    got = send(lab, b"GET /api/v0/web/debug/%3Cscript%3Ealert(1)%3C/script%3E HTTP/1.1\r\nHost: "
                    b"127.0.0.1\r\nConnection: close\r\n\r\n")
    check(b"<script>" not in got or b"text/html" not in got, f"markup: {got}")


@test
def queries_are_values_only(lab):
    """SQL in parameters, numbers out of range, zero bytes, too many labels."""
    agent = lab.agent(*BOTH, config="")
    for query in ("service=x%27%20OR%201=1--&type=y", "service=x&type=y%27;drop%20table%20series;--",
                  "service=x&type=y&from=-5",
                  "service=x&type=y&from=0&until=9223372036854775807&max_nodes=18446744073709551615",
                  "service=x&type=y" + "&label=a=b" * 17,
                  "service=x&type=y&label=a%00b=c", "service=x&type=y&label=a%27)%20or%20(1=1=c"):
        for path in ("/api/flamegraph", "/api/timeline", "/api/functions", "/api/diff", "/api/series", "/api/heatmap"):
            status = ask(lab, f"GET {path}?{query}", STORE_HOST, port=STORE)[0]
            check(status in (200, 400), f"{path}?{query}: {status}")
    equal(ask(lab, "GET /api/services", STORE_HOST, port=STORE)[0], 200, "the store's own")
    check_live(agent, 0.3)


@test
def bombs_are_defused(lab):
    """Bodies and profiles of zeros that unpack to 200 MB, forty of them in one push, JSON 100,000 deep: refused, in
    bounded memory."""
    agent = lab.agent(*BOTH, config="")
    bomb = gzip.compress(bytes(200 << 20), 9)
    deep = b'{"series":' + b"[" * 100000 + b"]" * 100000 + b"}"
    bodies = [({**push.HEADERS, "Content-Encoding": "gzip"}, bomb), (push.HEADERS, push.request([bomb])),
              (push.HEADERS, push.request([bomb] * 40)), ({"Content-Type": "application/json"}, deep)]
    for headers, body in bodies:
        status = raw_answer(lab, "POST", push.PATH, headers, body, STORE)[0]
        check(400 <= status < 500, f"status {status}")
    check_memory(agent, 160)
    check_live(agent, 0.5)


SLOW = """
import random, socket, sys, time
count, ports, end = int(sys.argv[1]), [int(p) for p in sys.argv[2].split(",")], time.time() + float(sys.argv[3])
line = {"head": b"GET / HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nX: ",
        "body": b"POST /push.v1.PusherService/Push HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n"
                b"Content-Type: application/proto\\r\\nContent-Length: 60000000\\r\\n\\r\\n",
        "none": b"", "many": b"",
        "answer": b"GET /api/v0/web/components HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n" * 200}[sys.argv[4]]
held = {p: [] for p in ports}
def fresh(port):
    s = socket.socket()
    s.settimeout(0.5)
    try:
        if sys.argv[4] == "many":
            s.bind((f"127.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(2, 250)}", 0))
        s.connect(("127.0.0.1", port))
        if line: s.send(line)
        s.setblocking(False)
        return s
    except OSError:
        s.close()
while time.time() < end:
    for port in ports:
        for s in list(held[port]):
            try:
                if sys.argv[4] in ("head", "body"): s.send(b"a")
            except BlockingIOError: pass
            except OSError:
                s.close()
                held[port].remove(s)
        while len(held[port]) < count:
            s = fresh(port)
            if not s: break
            held[port].append(s)
    print("holds", {p: len(h) for p, h in held.items()}, flush=True)
    time.sleep(0.5)
"""


def slow(lab, count, how, seconds=12):
    """A user with so many slow connections at both servers: probes and pushes get through."""
    receiver_free = lab.agent(*BOTH, config=config())
    attacker = lab.run(["prlimit", "--nofile=20000", *user(), sys.executable, "-c", SLOW, str(count), "12345,4040",
                        str(seconds), how])
    wait_for("connections", lambda: "holds" in attacker.text(), 20)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        check_live(receiver_free, 0.3, 1)
        body = push.request([push.profile()], "innocent")
        begun = time.monotonic()
        try:
            status = lab.machine.http("POST", f"http://127.0.0.1:{STORE}{push.PATH}", body, push.HEADERS, timeout=5)[0]
        except OSError as e:
            raise Failure(f"no push gets through: {e}; {attacker.text()[-200:]}") from None
        equal(status, 200, "push")
        check(time.monotonic() - begun < 2, f"a push took {time.monotonic() - begun:.1f} s")


@test
def slow_heads_block_nobody(lab):
    """64 connections at each server that send a byte of a header now and then."""
    slow(lab, 64, "head")


@test
def slow_bodies_block_nobody(lab):
    """64 pushes that never end."""
    slow(lab, 64, "body")


@test
def silent_connections_block_nobody(lab):
    """1,000 connections at each server that send nothing."""
    slow(lab, 1000, "none", 15)


@test
def connections_from_many_addresses_block_nobody(lab):
    """1,000 silent connections at each server, each from another address of the loopback network: still one user."""
    slow(lab, 1000, "many", 15)


@test
def connections_that_do_not_read_block_nobody(lab):
    """64 connections at each server that ask again and again and read nothing."""
    slow(lab, 64, "answer")


@test
def thousands_of_connections_are_survived(lab):
    """3,000 connections at each server that come and go; afterwards all is as it was."""
    agent = lab.agent(*BOTH, config="")
    before = len(os.listdir(f"/proc/{agent.pid}/fd"))
    status, text = lab.call(["prlimit", "--nofile=20000", *user(), sys.executable, "-c", SLOW, "3000", "12345,4040",
                             "3", "none"], seconds=40)
    wait_for("answer", lambda: live(lab), 10, 0.2)
    wait_for("end of the connections", lambda: len(os.listdir(f"/proc/{agent.pid}/fd")) < before + 20, 20, 0.2)
    check_live(agent, 0.5)


def live(lab):
    try:
        return lab.machine.http("GET", "http://127.0.0.1:12345/-/ready", timeout=1)[0] == 200
    except OSError:
        return False


@test
def a_storm_of_reloads_loses_no_session(lab):
    """A local user reloads the configuration as often as he can: the JVM's session goes on, and its profiles have no
    gap."""
    receiver = lab.receiver()
    jvm = lab.jvm()
    agent = lab.agent(config=config())
    receiver.wait(2, type="process_cpu")
    storm = "while :; do curl -s -m 2 -o /dev/null -X POST http://127.0.0.1:12345/-/reload; done"
    lab.run([*user(), "sh", "-c", storm])
    lab.run([*user(), "sh", "-c", storm])
    count = len(receiver.profiles(type="process_cpu"))
    receiver.wait(count + 4, type="process_cpu", seconds=10)
    equal(agent.metric("smolder_attach_seconds_count"), 1, "attaches")
    equal(len(jvm.recordings()), 1, "sessions in the JVM")
    check_live(agent, 2)


@test
def patterns_and_names_of_the_page_stay_small(lab):
    """Expressions that would grow, thousands of them, numbers beyond everything; names of services that would end a
    header or leave a folder: an answer each, and the agent lives as small as before."""
    agent = lab.agent(*BOTH, config="")
    one = "service=x&type=a:b:c:d:e&"
    for query in ("hide=/" + "(" * 500 + "a{1000}" + "){1000}" * 500 + "/", "hide=/(a%2B)%2B%2B/", "fold=/%5B/",
                  "search=" + "a" * 20000, "&".join(f"only=/x{i}/" for i in range(500)),
                  "buckets=99999999999&rows=99999999999&limit=99999999999", "by=" + "&by=a" * 100,
                  "query=%7Ba%3D~%22" + "(a%7B1000%7D)" * 100 + "%22%7D", "at=" + "&at=x" * 3000,
                  "base_from=9223372036854775807&base_until=1", "function=%00&name=%00&sort=%00&format=%00"):
        # More parameters than the server reads: it ends the connection, after a while.
        much = query.count("&") > 400
        for path in ("flamegraph", "functions", "sandwich", "diff", "series", "heatmap", "services", "labels", "values",
                     "download")[:1 if much else None]:
            status = ask(lab, f"GET /api/{path}?{one}{query}", STORE_HOST, port=STORE, timeout=20)[0]
            check(status in (200, 400, 404, 414) or much, f"{path}?{query[:100]}: {status}")
    name = '../x"\r\nSet-Cookie: a=b'
    equal(raw_answer(lab, "POST", push.PATH, push.HEADERS, push.request([push.profile()], service=name), STORE)[0], 200,
          "a push")
    address = urllib.parse.urlencode({"service": name, "format": "html",
                                      "type": "process_cpu:cpu:nanoseconds:cpu:nanoseconds"})
    status, headers, page = raw_answer(lab, "GET", "/api/download?" + address, port=STORE)
    equal(status, 200, "the download")
    check("Set-Cookie" not in headers, headers)
    check(headers["Content-Disposition"].startswith('attachment; filename="-.-x---Set-Cookie--a-b-cpu-'), headers)
    check(b"Set-Cookie: a=b" not in page, "the name is in the page as it is")
    check_live(agent, 0.5)


@test
def odd_requests_to_every_route_end_nothing(lab):
    """Each route with the wrong method, a body nobody wants, and parameters of every kind: an answer each, and the
    agent lives."""
    agent = lab.agent(*BOTH, config=config())
    routes = {API: ["/", "/metrics", "/-/ready", "/-/healthy", "/-/reload", "/-/support", "/api/v0/web/components",
                    "/api/v0/web/peers",
                    "/api/v0/web/components/x", "/api/v0/web/modules/x/components", "/api/v0/web/graph",
                    "/api/v0/web/debug/x"],
              STORE: ["/", "/api/services", "/api/jvms", "/api/flamegraph", "/api/timeline", "/api/functions",
                      "/api/sandwich", "/api/diff", "/api/series", "/api/heatmap", "/api/labels", "/api/values",
                      "/api/download", "/api/", "/api/x", "/ingest", push.PATH]}
    queries = ("", "?window=-1", "?duration=99999999999999999999", "?duration=%00",
               "?from=NaN&until=1e99&service=%ff%fe&type=a:b",
               "?" + "&".join(f"label={i}=" for i in range(200)))
    for port, paths in routes.items():
        for path in paths:
            for method in ("PUT", "DELETE", "TRACE", "CONNECT", "PROPFIND", "HEAD"):
                ask(lab, f"{method} {path}", f"Host: 127.0.0.1:{port}", "Content-Length: 3", body=b"abc", port=port,
                    timeout=1)
            for query in queries:
                if path not in ("/-/support", "/api/v0/web/graph"):
                    ask(lab, f"GET {path}{query}", f"Host: 127.0.0.1:{port}", port=port, timeout=1)
    check(agent.alive(), "the agent ended")
    check_live(agent, 0.5)
