"""discovery.kubernetes against a real API server."""
import signal

from cluster import ADMIN, OBSERVER, Cluster
from lab import check, debug_value, equal, test, wait_for


def targets(agent, name="discovery.kubernetes.k"):
    exports = debug_value(agent.component(name)["exports"])
    return exports.get("targets") or []


def wait_targets(agent, wanted, label="__meta_kubernetes_pod_name", seconds=30):
    """Waits until the targets have these values of a label, in order."""
    def there():
        return [t.get(label) for t in targets(agent)] == list(wanted)
    try:
        wait_for(f"targets {wanted}", there, seconds, 0.05)
    except Exception as e:
        raise type(e)(f"{e}; there are {targets(agent)}") from None
    return targets(agent)


def discovery(cluster, role="pod", more=""):
    return f"""
discovery.kubernetes "k" {{
  role            = "{role}"
  kubeconfig_file = "{cluster.kubeconfig()}"
  {more}
}}
"""


@test(weight=2)
def pods_are_targets_and_followed(lab):
    """What happens to pods shows within seconds; other nodes' pods are left out by the server."""
    cluster = Cluster(lab)
    cluster.pod("a", labels={"app.kubernetes.io/name": "shop"}, annotations={"note/x": "y"}, container="a" * 64)
    cluster.pod("elsewhere", node="node-2", ip="10.1.0.9")
    agent = lab.agent(config=discovery(cluster, more='selectors {\n role = "pod"\n field = "spec.nodeName=node-1"\n }'))
    first = wait_targets(agent, ["a"])[0]
    wanted = {"__address__": "10.1.0.1:8080", "__meta_kubernetes_namespace": "default",
              "__meta_kubernetes_pod_container_id": "containerd://" + "a" * 64,
              "__meta_kubernetes_pod_container_name": "app", "__meta_kubernetes_pod_container_image": "shop:1",
              "__meta_kubernetes_pod_container_init": "false", "__meta_kubernetes_pod_container_port_name": "p8080",
              "__meta_kubernetes_pod_container_port_number": "8080",
              "__meta_kubernetes_pod_container_port_protocol": "TCP", "__meta_kubernetes_pod_ready": "true",
              "__meta_kubernetes_pod_phase": "Running", "__meta_kubernetes_pod_node_name": "node-1",
              "__meta_kubernetes_pod_host_ip": "192.168.0.1", "__meta_kubernetes_pod_ip": "10.1.0.1",
              "__meta_kubernetes_pod_label_app_kubernetes_io_name": "shop",
              "__meta_kubernetes_pod_labelpresent_app_kubernetes_io_name": "true",
              "__meta_kubernetes_pod_annotation_note_x": "y", "__meta_kubernetes_pod_annotationpresent_note_x": "true"}
    equal({k: first.get(k) for k in wanted}, wanted, "labels")
    equal(set(first) - set(wanted), {"__meta_kubernetes_pod_name", "__meta_kubernetes_pod_uid"}, "further labels")
    cluster.pod("b", ip="10.1.0.2", ports=(1, 2))
    wait_targets(agent, ["a", "b", "b"])
    cluster.patch("/api/v1/namespaces/default/pods/a", {"metadata": {"labels": {"team": "red"}}})
    wait_for("new label", lambda: targets(agent)[0].get("__meta_kubernetes_pod_label_team") == "red")
    cluster.delete_pod("a")
    wait_targets(agent, ["b", "b"])
    for event in ("add", "update", "delete"):
        check(agent.metric("prometheus_sd_kubernetes_events_total", role="pod", event=event) >= 1, event)
    equal(agent.http("GET", "/-/healthy")[0], 200, "health")


@test(weight=2)
def all_roles_have_targets(lab):
    """Nodes, services, endpoints, endpoint slices and ingresses, with attached metadata."""
    cluster = Cluster(lab)
    cluster.node("node-1", labels={"zone": "north"})
    cluster.patch("/api/v1/namespaces/default", {"metadata": {"labels": {"team": "red"}}})
    cluster.pod("a", ports=(8080, 9090))
    cluster.create("/api/v1/namespaces/default/services", {
        "metadata": {"name": "shop", "labels": {"tier": "web"}},
        "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080}]}})
    reference = {"kind": "Pod", "namespace": "default", "name": "a"}
    cluster.create("/api/v1/namespaces/default/endpoints", {
        "metadata": {"name": "shop"},
        "subsets": [{"addresses": [{"ip": "10.1.0.1", "nodeName": "node-1", "targetRef": reference}],
                     "ports": [{"name": "http", "port": 8080}]}]})
    cluster.create("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
        "metadata": {"name": "shop-1", "labels": {"kubernetes.io/service-name": "shop"}}, "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.1.0.1"], "nodeName": "node-1", "targetRef": reference,
                       "conditions": {"ready": True}}],
        "ports": [{"name": "http", "port": 8080}]})
    cluster.create("/apis/networking.k8s.io/v1/namespaces/default/ingresses", {
        "metadata": {"name": "door"},
        "spec": {"tls": [{"hosts": ["*.example.org"]}], "rules": [{"host": "shop.example.org", "http": {"paths": [
            {"path": "/buy", "pathType": "Prefix",
             "backend": {"service": {"name": "shop", "port": {"number": 80}}}}]}}]}})
    attach = "attach_metadata {\n node = true\n namespace = true\n }"
    only = 'namespaces {\n names = ["default"]\n }'
    roles = ("pod", "node", "service", "endpoints", "endpointslice", "ingress")
    text = "".join(discovery(cluster, role, f"{attach}\n{only}").replace('"k"', f'"{role}"') for role in roles)
    agent = lab.agent(config=text)
    meta = "__meta_kubernetes_"
    wanted = {
        "pod": [{"__address__": "10.1.0.1:8080", meta + "node_label_zone": "north",
                 meta + "namespace_label_team": "red"},
                {"__address__": "10.1.0.1:9090", meta + "node_name": "node-1"}],
        "node": [{"__address__": "192.168.0.1:10250", "instance": "node-1", meta + "node_label_zone": "north",
                  meta + "node_address_InternalIP": "192.168.0.1", meta + "node_address_Hostname": "node-1",
                  meta + "node_condition_ready": "true"}],
        "endpoints": [{"__address__": "10.1.0.1:8080", meta + "service_label_tier": "web",
                       meta + "endpoints_name": "shop", meta + "pod_name": "a", meta + "node_label_zone": "north",
                       meta + "endpoint_ready": "true", meta + "pod_container_name": "app"},
                      {"__address__": "10.1.0.1:9090", meta + "pod_container_port_name": "p9090"}],
        "endpointslice": [{"__address__": "10.1.0.1:8080", meta + "service_name": "shop",
                           meta + "endpointslice_name": "shop-1", meta + "pod_name": "a",
                           meta + "namespace_label_team": "red",
                           meta + "endpointslice_endpoint_conditions_ready": "true"},
                          {"__address__": "10.1.0.1:9090"}],
        "ingress": [{"__address__": "shop.example.org", meta + "ingress_scheme": "https",
                     meta + "ingress_path": "/buy", meta + "namespace_label_team": "red"}],
    }

    def picked(role):
        got = targets(agent, f"discovery.kubernetes.{role}")
        if role in ("endpoints", "endpointslice"):  # the API server has some of its own
            got = [t for t in got if t.get(meta + "pod_name") == "a"]
        if len(got) != len(wanted[role]):
            return got
        return [{k: t.get(k) for k in w} for t, w in zip(got, wanted[role])]

    for role in wanted:
        try:
            wait_for(role, lambda: picked(role) == wanted[role], 30)
        except Exception as e:
            raise type(e)(f"{e}: {picked(role)}") from None
    services = {t[meta + "service_name"]: t for t in targets(agent, "discovery.kubernetes.service")}
    equal(services["shop"]["__address__"], "shop.default.svc:80", "address of the service")
    # A change of what is only looked up.
    cluster.patch("/api/v1/nodes/node-1", {"metadata": {"labels": {"zone": "south"}}})
    cluster.patch("/api/v1/namespaces/default/pods/a", {"metadata": {"labels": {"version": "2"}}})
    for role in ("pod", "endpoints", "endpointslice"):
        for label, value in (("node_label_zone", "south"), ("pod_label_version", "2")):
            wait_for(f"{label} of {role}", lambda: any(
                t.get(meta + label) == value for t in targets(agent, f"discovery.kubernetes.{role}")))


@test(weight=2)
def a_restarted_server_and_forgotten_versions_lose_nothing(lab):
    """An agent that was stopped meanwhile resumes; what the server does not know any more is listed again."""
    cluster = Cluster(lab)
    cluster.pod("a")
    cluster.pod("b", ip="10.1.0.2")
    agent = lab.agent(config=discovery(cluster))
    wait_targets(agent, ["a", "b"])
    cluster.stop()
    agent.wait_log("cannot follow Kubernetes objects", 60)
    equal([t["__meta_kubernetes_pod_name"] for t in targets(agent)], ["a", "b"], "targets without a server")
    check("discovery.kubernetes.k" in agent.http("GET", "/-/healthy")[1], "health without a server")
    cluster.start()
    cluster.pod("c", ip="10.1.0.3")
    wait_targets(agent, ["a", "b", "c"], seconds=60)
    wait_for("health", lambda: agent.http("GET", "/-/healthy")[0] == 200, 60)
    # Its cache begins after what happens now: a watch from before is answered with 410.
    agent.signal(signal.SIGSTOP)
    cluster.delete_pod("a")
    cluster.pod("d", ip="10.1.0.4")
    cluster.stop()
    cluster.start()
    agent.signal(signal.SIGCONT)
    agent.popen.send_signal(signal.SIGCONT)  # nsenter stops with its child
    wait_targets(agent, ["b", "c", "d"], seconds=60)
    cluster.delete_pod("b")
    wait_targets(agent, ["c", "d"], seconds=60)


@test(weight=2)
def a_pod_finds_its_service_account(lab):
    """Token and CA of the file system; a token that is replaced counts at the next request; rights can be missing."""
    cluster = Cluster(lab)
    cluster.pod("a")
    cluster.create("/api/v1/namespaces", {"metadata": {"name": "other"}})
    cluster.pod("b", space="other", ip="10.1.0.2")
    cluster.service_account("rubbish", "other")
    config = 'discovery.kubernetes "k" {\n  role = "pod"\n  namespaces {\n    own_namespace = true\n  }\n}\n'
    agent = lab.agent(config=config, env=cluster.env())
    agent.wait_log("HTTP status 401")
    cluster.service_account(OBSERVER, "other")
    agent.wait_log("HTTP status 403.*observer.*cannot list resource", 60)
    check("cannot list resource" in str(agent.component("discovery.kubernetes.k")["health"]), "health")
    cluster.grant([{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}])
    wait_targets(agent, ["b"], seconds=60)
    wait_for("health", lambda: agent.http("GET", "/-/healthy")[0] == 200, 60)


@test(weight=2)
def an_address_and_a_token_will_do(lab):
    """api_server with HTTP settings; a reload keeps the targets until the new ones are listed."""
    cluster = Cluster(lab)
    cluster.pod("a", labels={"app": "x"})
    cluster.pod("b", ip="10.1.0.2", labels={"app": "y"})
    token = lab.file("token", ADMIN + "\n")

    def config(more):
        return (f'discovery.kubernetes "k" {{\n  role = "pod"\n  api_server = "{cluster.url}/"\n'
                f'  bearer_token_file = "{token}"\n  tls_config {{\n    ca_file = "{cluster.ca}"\n  }}\n{more}}}\n')
    agent = lab.agent(config=config(""))
    wait_targets(agent, ["a", "b"])
    lab.file("config.alloy", config('  selectors {\n    role = "pod"\n    label = "app in (y, z)"\n  }\n'))
    equal(agent.reload()[0], 200, "status of the reload")
    check(targets(agent), "no targets right after a reload")
    wait_targets(agent, ["b"])
    lab.file("config.alloy", config('  selectors {\n    role = "pod"\n    field = "spec.colour=red"\n  }\n'))
    equal(agent.reload()[0], 200, "status of the reload")
    agent.wait_log("field label not supported")
    equal([t["__meta_kubernetes_pod_name"] for t in targets(agent)], ["b"], "targets with a wrong selector")


@test(weight=2)
def data_of_objects_becomes_arguments(lab):
    """A ConfigMap and a Secret as arguments of others, which wait until the API can be reached."""
    cluster = Cluster(lab)
    cluster.pod("a")
    client = f'client {{\n kubeconfig_file = "{cluster.kubeconfig()}"\n }}\n poll_frequency = "200ms"'
    agent = lab.agent(config=f"""
remote.kubernetes.configmap "where" {{
  namespace = "default"
  name      = "where"
  {client}
}}
remote.kubernetes.secret "who" {{
  namespace = "default"
  name      = "who"
  {client}
}}
discovery.kubernetes "k" {{
  role         = "pod"
  api_server   = remote.kubernetes.configmap.where.data["url"]
  bearer_token = remote.kubernetes.secret.who.data["token"]
  tls_config {{
    ca_pem = remote.kubernetes.configmap.where.data["ca"]
  }}
}}
""")
    agent.wait_log('configmaps \\\\"where\\\\" not found')
    space = "/api/v1/namespaces/default"
    cluster.create(f"{space}/configmaps", {"metadata": {"name": "where"},
                                           "data": {"url": cluster.url, "ca": cluster.ca.read_text()}})
    cluster.create(f"{space}/secrets", {"metadata": {"name": "who"}, "stringData": {"token": ADMIN}})
    wait_targets(agent, ["a"])
    check(ADMIN not in agent.http("GET", "/api/v0/web/components/remote.kubernetes.secret.who")[1], "the secret shows")
