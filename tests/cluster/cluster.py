"""A Kubernetes API server with etcd in a test's machine, and a client for it.

There are no controllers and no kubelet: tests create what those would (endpoints, the status of pods).
"""
import contextlib
import http.client
import json
import os
import pathlib
import ssl
import subprocess

from lab import Failure, check, equal, wait_for

PORT = 6443
ADMIN = "admin-token-of-the-tests"
OBSERVER = "observer-token-of-the-tests"  # who may do nothing until a test grants it
ETCD = "http://127.0.0.1:2379"
SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


class Cluster:
    def __init__(self, lab):
        self.lab, self.machine, self.url = lab, lab.machine, f"https://127.0.0.1:{PORT}"
        self.programs = pathlib.Path(os.environ["SMOLDER_CLUSTER"])
        self.dir = lab.dir / "cluster"
        self.dir.mkdir()
        self.ca = self.dir / "certificates" / "apiserver.crt"
        subprocess.run(["openssl", "genrsa", "-out", self.dir / "accounts.key", "2048"], check=True,
                       capture_output=True)
        (self.dir / "tokens.csv").write_text(f"{ADMIN},admin,1,system:masters\n{OBSERVER},observer,2\n")
        lab.run([self.programs / "etcd", "--data-dir", self.dir / "etcd", "--listen-client-urls", ETCD,
                 "--advertise-client-urls", ETCD, "--listen-peer-urls", "http://127.0.0.1:2380",
                 "--unsafe-no-fsync"], name="etcd", env={"ETCD_UNSUPPORTED_ARCH": "arm64"})
        self.start()

    def start(self):
        self.server = self.lab.run(
            [self.programs / "kube-apiserver", f"--etcd-servers={ETCD}", "--bind-address=127.0.0.1",
             "--advertise-address=127.0.0.1", f"--secure-port={PORT}", f"--cert-dir={self.dir}/certificates",
             "--service-account-issuer=https://kubernetes.default.svc",
             f"--service-account-key-file={self.dir}/accounts.key",
             f"--service-account-signing-key-file={self.dir}/accounts.key",
             "--service-cluster-ip-range=10.0.0.0/24", f"--token-auth-file={self.dir}/tokens.csv",
             "--authorization-mode=RBAC", "--disable-admission-plugins=ServiceAccount",
             "--shutdown-delay-duration=0s"], name="apiserver")
        wait_for("API server", self.ready, 300, 0.2)

    def ready(self):
        check(self.server.alive(), f"the API server ended: {self.server.text()[-2000:]}")
        with contextlib.suppress(OSError, http.client.HTTPException, Failure):
            return self.ask("GET", "/readyz")[0] == 200 and self.ask("GET", "/api/v1/namespaces/default")[0] == 200
        return False

    def stop(self):
        self.server.kill()

    def ask(self, method, path, body=None, kind="application/json"):
        """(status, text); `body` becomes JSON."""
        return self.send(method, path, None if body is None else json.dumps(body), kind)

    def send(self, method, path, text=None, kind="application/json"):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", PORT, timeout=60, context=context)
        with self.machine.network():
            connection.connect()
        with contextlib.closing(connection):
            connection.request(method, path, text, {"Authorization": f"Bearer {ADMIN}", "Content-Type": kind})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def do(self, method, path, body=None, kind="application/json"):
        status, text = self.ask(method, path, body, kind)
        check(200 <= status < 300, f"{method} {path}: {status} {text}")
        return json.loads(text)

    def create(self, path, body):
        return self.do("POST", path, body)

    def patch(self, path, body):
        return self.do("PATCH", path, body, "application/merge-patch+json")

    def delete(self, path):
        return self.do("DELETE", path)

    # What the tests need of it.

    def pod(self, name, space="default", node="node-1", ip="10.1.0.1", labels=None, annotations=None, ports=(8080,),
            container=None):
        """A running pod with one container; `container` is its ID."""
        path = f"/api/v1/namespaces/{space}/pods"
        self.create(path, {
            "metadata": {"name": name, "labels": labels or {}, "annotations": annotations or {}},
            "spec": {"nodeName": node, "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0,
                     "containers": [{"name": "app", "image": "shop:1",
                                     "ports": [{"name": f"p{p}", "containerPort": p} for p in ports]}]}})
        status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "hostIP": "192.168.0.1",
                  "conditions": [{"type": "Ready", "status": "True"}]}
        if container:
            status["containerStatuses"] = [{"name": "app", "image": "shop:1", "imageID": "", "ready": True,
                                            "restartCount": 0, "containerID": f"containerd://{container}"}]
        return self.patch(f"{path}/{name}/status", {"status": status})

    def delete_pod(self, name, space="default"):
        self.delete(f"/api/v1/namespaces/{space}/pods/{name}?gracePeriodSeconds=0")

    def node(self, name, labels=None):
        self.create("/api/v1/nodes", {"metadata": {"name": name, "labels": labels or {}}})
        return self.patch(f"/api/v1/nodes/{name}/status", {"status": {
            "addresses": [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": "192.168.0.1"}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}}}})

    def grant(self, rules, name="grant", user="observer"):
        """A cluster role for a user."""
        self.create("/apis/rbac.authorization.k8s.io/v1/clusterroles", {"metadata": {"name": name}, "rules": rules})
        self.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
            "metadata": {"name": name}, "subjects": [{"kind": "User", "name": user}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}})

    def kubeconfig(self, token=ADMIN):
        path = self.dir / "kubeconfig"
        path.write_text(f"""apiVersion: v1
kind: Config
current-context: test
contexts:
- name: test
  context: {{cluster: here, user: me}}
clusters:
- name: here
  cluster: {{server: "{self.url}", certificate-authority: certificates/apiserver.crt}}
users:
- name: me
  user: {{token: {token}}}
""")
        return path

    def service_account(self, token, space="default"):
        """What a pod finds in its file system; the agent has to be started with its env()."""
        folder = self.machine.path(SERVICE_ACCOUNT)
        if not folder.exists():
            equal(self.lab.call(["sh", "-c", f"mkdir -p {SERVICE_ACCOUNT} || "
                                 f"mount -t tmpfs none /var/run && mkdir -p {SERVICE_ACCOUNT}"])[0], 0, "mkdir")
        (folder / "token").write_text(token)
        (folder / "namespace").write_text(space)
        (folder / "ca.crt").write_text(self.ca.read_text())

    def env(self):
        return {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(PORT)}
