"""examples/kubernetes, as far as there is no kubelet: its objects, its rights, and its configuration with a JVM."""
import re

from cgroups import cgroups
from cluster import Cluster
from lab import ROOT, equal, test, wait_for

CONTAINER, OTHER = "a" * 64, "b" * 64
PATHS = {"Namespace": "/api/v1/namespaces", "ServiceAccount": "/api/v1/namespaces/smolder/serviceaccounts",
         "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
         "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
         "ConfigMap": "/api/v1/namespaces/smolder/configmaps",
         "DaemonSet": "/apis/apps/v1/namespaces/smolder/daemonsets"}


def apply(cluster):
    """Creates the objects of the manifest; the server rejects unknown fields."""
    for document in (ROOT / "examples" / "kubernetes" / "smolder.yaml").read_text().split("\n---\n"):
        kind = re.search(r"^kind: (\w+)$", document, re.M)[1]
        status, text = cluster.send("POST", PATHS[kind] + "?fieldValidation=Strict", document, "application/yaml")
        equal((status, text if status != 201 else ""), (201, ""), kind)


@test(weight=2)
def the_example_profiles_the_jvms_of_its_node(lab):
    """With the token of its service account, and no other right; opt-out by annotation."""
    cluster = Cluster(lab)
    apply(cluster)
    token = cluster.create("/api/v1/namespaces/smolder/serviceaccounts/smolder/token", {"spec": {}})["status"]["token"]
    cluster.service_account(token, "smolder")
    cluster.pod("web-1", labels={"app.kubernetes.io/name": "shop"}, container=CONTAINER)
    cluster.pod("quiet", ip="10.1.0.2", annotations={"profiles.grafana.com/java.enabled": "false"}, container=OTHER)
    cluster.pod("elsewhere", node="node-2", ip="10.1.0.3", container="c" * 64)
    config = cluster.do("GET", PATHS["ConfigMap"] + "/smolder")["data"]["config.alloy"]
    receiver = lab.receiver()
    with cgroups() as place:
        jvm, quiet, host = lab.jvm(), lab.jvm(), lab.jvm()
        place(jvm, f"kubepods.slice/kubepods-pod1.slice/cri-containerd-{CONTAINER}.scope")
        place(quiet, f"kubepods.slice/kubepods-pod2.slice/cri-containerd-{OTHER}.scope")
        agent = lab.agent(config=config, env={**cluster.env(), "NODE_NAME": "node-1",
                                              "PYROSCOPE_URL": "http://127.0.0.1:4040"})
        profile = receiver.wait(type="process_cpu", service_name="shop", seconds=60)[0]
        wanted = {"namespace": "default", "pod": "web-1", "container": "app", "node": "node-1"}
        equal({k: profile["labels"].get(k) for k in wanted}, wanted, "labels")
        equal(set(agent.jvms("pyroscope.java.pods")), {jvm.inner}, "JVMs")
        # It ends with its pod.
        cluster.delete_pod("web-1")
        wait_for("the end of the session", lambda: not agent.jvms("pyroscope.java.pods"))
        # What the sandbox of the parser lacks depends on the kernel and the build.
        complaints = [line for line in agent.lines("level=(warn|error)") if "parser process" not in line]
        equal(complaints, [], "warnings and errors")
        equal(host.alive(), True, "the JVM outside of pods")
        agent.stop()
