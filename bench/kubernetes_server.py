"""A kube-apiserver with etcd that a benchmark fills with pods, and that changes one of them now and then."""

import concurrent.futures
import http.client
import json
import os
import ssl
import threading

import lab

TOKEN = "token-of-the-benchmark"
WORKERS = 4
NODE_PODS = 100  # of the other nodes


class Server:
    def __init__(self, bench, programs):
        self.bench, self.port, self.local = bench, lab.free_port(), threading.local()
        self.url = f"https://127.0.0.1:{self.port}"
        self.access = f'  bearer_token = "{TOKEN}"\n  tls_config {{\n    insecure_skip_verify = true\n  }}\n'
        self.changing = []
        peer, etcd = (f"http://127.0.0.1:{lab.free_port()}" for _ in range(2))
        bench.run(["openssl", "genrsa", "-out", bench.path("accounts.key"), "2048"])
        bench.write("tokens.csv", f"{TOKEN},admin,1,system:masters\n")
        bench.start("etcd", [os.path.join(programs, "etcd"), f"--data-dir={bench.path('etcd')}", "--unsafe-no-fsync",
                             f"--listen-client-urls={etcd}", f"--advertise-client-urls={etcd}",
                             f"--listen-peer-urls={peer}"])
        self.process = bench.start("kube-apiserver", [
            os.path.join(programs, "kube-apiserver"), f"--etcd-servers={etcd}", "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1", f"--secure-port={self.port}", f"--cert-dir={bench.path('certificates')}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={bench.path('accounts.key')}",
            f"--service-account-signing-key-file={bench.path('accounts.key')}",
            "--service-cluster-ip-range=10.0.0.0/24", f"--token-auth-file={bench.path('tokens.csv')}",
            "--authorization-mode=RBAC", "--disable-admission-plugins=ServiceAccount",
            "--shutdown-delay-duration=0s"])
        lab.wait_until(self.ready, 300, "the API server", 0.2)

    def ready(self):
        self.bench.check_alive(self.process)
        try:
            return self.ask("GET", "/readyz")[0] == 200 and self.ask("GET", "/api/v1/namespaces/default")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def ask(self, method, path, body=None, kind="application/json"):
        """(status, text), over a connection that each thread keeps."""
        if not hasattr(self.local, "connection"):
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.local.connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)
        try:
            self.local.connection.request(method, path, None if body is None else json.dumps(body),
                                          {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind})
            answer = self.local.connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            del self.local.connection
            raise

    def do(self, method, path, body, kind="application/json", well=range(200, 300)):
        status, text = self.ask(method, path, body, kind)
        if status not in well:
            raise lab.Failed(f"{method} {path}: {status} {text[:500]}")

    def create(self, number, body, node):
        """A pod as a kubelet leaves it: created, then its status."""
        meta, status = body["metadata"], body.pop("status")
        path = f"/api/v1/namespaces/{meta['namespace']}/pods"
        for managed in ("resourceVersion", "uid", "managedFields", "ownerReferences"):
            meta.pop(managed, None)
        body["spec"].update(nodeName=node, automountServiceAccountToken=False)
        self.do("POST", path, body)
        for container in status["containerStatuses"]:
            container.update(image="", imageID="", ready=True, restartCount=0)
        self.do("PATCH", f"{path}/{meta['name']}/status", {"status": status}, "application/merge-patch+json")
        return f"{path}/{meta['name']}"

    def fill(self, node, everything, pod):
        """`node` pods on node-1, the others on others; pod(number) makes one."""
        def add(number):
            body = pod(number)
            return self.create(number, body, "node-1" if number < node else f"node-{number // NODE_PODS + 2}")
        for space in range(20):
            self.do("POST", "/api/v1/namespaces", {"metadata": {"name": f"team-{space:02}"}})
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as workers:
            self.changing = list(workers.map(add, range(everything)))[:node]

    def change(self, ends, seconds):
        """A pod of node-1 every so often, in turn."""
        count = 0
        while not ends.wait(seconds):
            patch = {"metadata": {"annotations": {"example.org/annotation-0": f"change {count}"}}}
            try:
                self.do("PATCH", self.changing[count % len(self.changing)], patch, "application/merge-patch+json")
            except (OSError, http.client.HTTPException):
                return  # the benchmark failed, and its server is gone
            count += 1
