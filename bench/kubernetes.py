#!/usr/bin/env python3
"""What discovery.kubernetes costs: memory and CPU time, with the pods of a node and with those of a whole cluster.

An API server of this program's own, on loopback and without TLS, answers a selector of the node with NODE pods and
other lists with ALL; then one pod changes every second. The agent passes the targets through four rules, to nobody.
Memory is that of all its processes together, more than that of an agent without discovery; CPU time is that of the main
process, in the seconds after the list.

With --cluster and --alloy, beside that: Grafana Alloy with the same configuration, the two in turn at one real API
server (the directory has kube-apiserver and etcd, tests/cluster/programs says where) with those pods.
"""

import http.server
import json
import threading
import time

import footprint
import kubernetes_server
import lab

RULES = "".join(f'''
  rule {{
    source_labels = ["__meta_kubernetes_{source}"]
    target_label  = "{target}"
  }}''' for source, target in (("namespace", "namespace"), ("pod_name", "pod"), ("pod_container_name", "container"),
                              ("pod_node_name", "node")))


def pod(number, version=1):
    """Of the size that pods have: about 6 KB, with the fields that a server manages."""
    name = f"shop-{number:05}-7c9d8b6f5-x{number:05}"
    return {
        "metadata": {
            "name": name, "namespace": f"team-{number % 20:02}", "uid": f"{number:08x}-0000-4000-8000-000000000000",
            "resourceVersion": str(version), "labels": {f"label-{i}": f"value-{i}-{number}" for i in range(8)},
            "annotations": {f"example.org/annotation-{i}": "text " * 10 + str(version if i == 0 else i)
                            for i in range(6)},
            "ownerReferences": [{"kind": "ReplicaSet", "name": name[:-7], "controller": True}],
            "managedFields": [{"manager": "kubelet", "fieldsV1": {f"f:field-{i}": {"f:x": {}} for i in range(60)}}]},
        "spec": {"nodeName": "node-1", "containers": [
            {"name": f"c{i}", "image": f"registry.example.org/shop/image-{i}:1.2.3",
             "env": [{"name": f"VARIABLE_{k}", "value": "x" * 20} for k in range(20)],
             "ports": [{"name": "http", "containerPort": 8080 + i, "protocol": "TCP"}]} for i in range(2)]},
        "status": {"phase": "Running", "podIP": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
                   "hostIP": "192.168.0.1", "conditions": [{"type": "Ready", "status": "True"}],
                   "containerStatuses": [{"name": f"c{i}", "containerID": f"containerd://{number:063x}{i}"}
                                         for i in range(2)]}}


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    node, everything, ends = 0, 0, threading.Event()

    def log_message(self, *_):
        pass

    def do_GET(self):
        count = self.node if "fieldSelector" in self.path else self.everything
        if "watch=true" in self.path:
            self.watch(count)
            return
        body = json.dumps({"metadata": {"resourceVersion": "1"}, "items": [pod(i) for i in range(count)]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def watch(self, count):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        version = 1
        try:
            while not self.ends.wait(1):
                version += 1
                event = json.dumps({"type": "MODIFIED", "object": pod(version % count, version)}).encode() + b"\n"
                self.wfile.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
                self.wfile.flush()
        except OSError:
            self.close_connection = True  # the agent has ended


SELECTOR = """
  selectors {
    role  = "pod"
    field = "spec.nodeName=node-1"
  }
"""


def config(bench, url, selector, access=""):
    return bench.write("config.alloy", f'''
discovery.kubernetes "pods" {{
  role       = "pod"
  api_server = "{url}"
{access}{selector}
}}

discovery.relabel "pods" {{
  targets = discovery.kubernetes.pods.targets{RULES}
}}
''')


def anonymous_and_rss(process):
    total = {"RSS": 0, "anonymous": 0}
    for pid in lab.family(process.pid):
        found = footprint.rollup(pid)
        for kind in total:
            total[kind] += found[kind]
    return total


def settled(bench, process, wanted):
    def there():
        bench.check_alive(process)
        try:
            text = lab.get(process.url + "/api/v0/web/components").decode()
        except TimeoutError:
            return False  # a busy machine
        return not wanted or f"{wanted} pods" in text
    lab.wait_until(there, 300, "the list", 0.2)


def run(bench, name, path, seconds, baseline, pods):
    process = bench.agent(path)
    lab.wait_until(lambda: "smolder is running" in bench.log("smolder"), 30, "the agent")
    begun = time.monotonic()
    settled(bench, process, pods)
    took, first = time.monotonic() - begun, lab.cpu_seconds_with_children(process.pid)
    time.sleep(3)
    cpu = lab.cpu_seconds_with_children(process.pid)
    time.sleep(seconds)
    cpu = lab.cpu_seconds_with_children(process.pid) - cpu
    memory = anonymous_and_rss(process)
    bench.stop(process)
    if baseline:
        for kind, size in memory.items():
            more = (size - baseline[kind]) / lab.MIB
            limit = 10 if pods < 1000 and kind == "RSS" else None
            lab.figure(f"{name}: {kind} more", f"{more:.1f} MB", f"{limit} MB or less" if limit else "",
                       more <= limit if limit else None)
        percent = 100 * cpu / seconds
        limit = 0.1 if pods < 1000 else None
        lab.figure(f"{name}: CPU, a change a second", f"{percent:.3f} %", f"{limit} % or less" if limit else "",
                   percent <= limit if limit else None,
                   f"of a core; list after {took:.1f} s, {first:.2f} s of CPU time")
    return memory


# Beside Alloy: at a real server.

CHANGE_SECONDS, CONTAINERS = 1, 2


class Peer:
    """What both programs are asked: how to start it, and how many pods it has found."""

    def __init__(self, bench, name):
        self.bench, self.name = bench, name

    def start(self, path):
        if self.name == "smolder":
            return self.bench.agent(path)
        port = lab.free_port()
        process = self.bench.start("alloy", [
            self.bench.args.alloy, "run", f"--server.http.listen-addr=127.0.0.1:{port}", "--disable-reporting",
            f"--storage.path={self.bench.path('alloy')}", path])
        process.url = f"http://127.0.0.1:{port}"
        return process

    def has(self, process, pods):
        self.bench.check_alive(process)
        try:
            if self.name == "smolder":
                return f"{pods} pods" in lab.get(process.url + "/api/v0/web/components").decode()
            text = lab.get(process.url + "/api/v0/web/components/discovery.kubernetes.pods").decode()
        except OSError:
            return False
        return text.count('"__meta_kubernetes_pod_uid"') >= pods * CONTAINERS

    def measure(self, path, pods, seconds):
        """(CPU seconds until the list is there, CPU seconds of watching, resident bytes)."""
        process = self.start(path)
        lab.wait_until(lambda: self.has(process, pods), 300, f"{pods} pods of {self.name}", 1)
        time.sleep(5)
        listed = lab.cpu_seconds_with_children(process.pid)
        time.sleep(seconds)
        watched = lab.cpu_seconds_with_children(process.pid) - listed
        memory = anonymous_and_rss(process)["RSS"]
        self.bench.stop(process)
        return listed, watched, memory


def compare(bench, server, selector, pods):
    path = config(bench, server.url, selector, server.access)
    ours = Peer(bench, "smolder").measure(path, pods, bench.args.seconds)
    theirs = Peer(bench, "alloy").measure(path, pods, bench.args.seconds)
    for name, mine, other, form, limit in (
            ("CPU until listed", ours[0], theirs[0], lambda v: f"{v:.2f} s", 1 / 20),
            ("CPU, a change a second", ours[1], theirs[1], lambda v: f"{100 * v / bench.args.seconds:.3f} %", 1 / 20),
            ("RSS of all", ours[2], theirs[2], lambda v: f"{v / lab.MIB:.1f} MB", None)):
        ratio = mine / other if other else float("inf")
        lab.figure(f"{pods} pods: {name}", form(mine), "1/20 or less" if limit else "",
                   ratio <= limit if limit else None, f"Alloy {form(other)}: 1/{1 / ratio if ratio else 0:.1f}")


def beside_alloy(bench):
    server = kubernetes_server.Server(bench, bench.args.cluster)
    server.fill(bench.args.node, bench.args.all, pod)
    ends = threading.Event()
    changes = threading.Thread(target=server.change, args=(ends, CHANGE_SECONDS), daemon=True)
    changes.start()
    compare(bench, server, SELECTOR, bench.args.node)
    compare(bench, server, "", bench.args.all)
    ends.set()
    changes.join()


def measure(args):
    with lab.Lab(args) as bench:
        if args.cluster and args.alloy:
            beside_alloy(bench)
            return
        Api.node, Api.everything = args.node, args.all
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        nothing = bench.write("nothing.alloy", 'logging {\n  level = "info"\n}\n')
        baseline = run(bench, "none", nothing, 3, None, 0)
        run(bench, f"{args.node} pods", config(bench, url, SELECTOR), args.seconds, baseline, args.node)
        run(bench, f"{args.all} pods", config(bench, url, ""), args.seconds, baseline, args.all)
        Api.ends.set()
        server.shutdown()


if __name__ == "__main__":
    arguments = lab.parser(__doc__)
    arguments.add_argument("--node", type=int, default=100, help="pods of the node (%(default)s)")
    arguments.add_argument("--all", type=int, default=5000, help="pods of the cluster (%(default)s)")
    arguments.add_argument("--seconds", type=int, default=60, help="of watching, each (%(default)s)")
    arguments.add_argument("--cluster", help="directory with kube-apiserver and etcd")
    arguments.add_argument("--alloy", help="the program to compare with at that server")
    lab.main(measure, arguments)
