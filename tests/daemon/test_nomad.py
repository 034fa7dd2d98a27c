"""discovery.nomad with a real Nomad agent."""
from lab import check, debug_value, equal, test, wait_for
from nomad_lab import Nomad, service

NAME = "discovery.nomad.services"


def config(more=""):
    return f'discovery.nomad "services" {{\n  refresh_interval = "200ms"\n{more}}}\n'


def targets(agent):
    exports = debug_value(agent.component(NAME)["exports"])
    return {t["__meta_nomad_service_id"]: t for t in exports.get("targets") or []}


def documented(instance, separator=","):
    """The labels of an instance, from what Nomad says of it."""
    address, port = instance["Address"], str(instance["Port"])
    labels = {"__address__": f"{address}:{port}", "__meta_nomad_address": address,
              "__meta_nomad_dc": instance["Datacenter"], "__meta_nomad_namespace": instance["Namespace"],
              "__meta_nomad_node_id": instance["NodeID"], "__meta_nomad_service": instance["ServiceName"],
              "__meta_nomad_service_address": address, "__meta_nomad_service_id": instance["ID"],
              "__meta_nomad_service_port": port, "__meta_nomad_job_id": instance["JobID"],
              "__meta_nomad_allocation_id": instance["AllocID"]}
    if instance["Tags"]:
        labels["__meta_nomad_tags"] = separator + separator.join(instance["Tags"]) + separator
    return labels


def wait_targets(agent, *instances, separator=","):
    wanted = {i["ID"]: documented(i, separator) for i in instances}
    wait_for(f"targets {sorted(wanted)}", lambda: targets(agent) == wanted, 60)


def wait_health(agent, state):
    wait_for(f"health {state}", lambda: agent.component(NAME)["health"]["state"] == state, 60)


@test
def every_instance_is_a_target_while_it_is_registered(lab):
    nomad = Nomad(lab)
    nomad.run_job("shop", service("shop", ["jvm", "blue"]), service("shop-admin"))
    shop, admin = nomad.wait_instances("shop", 1)[0], nomad.wait_instances("shop-admin", 1)[0]
    equal((shop["JobID"], shop["Datacenter"], shop["Address"], shop["Tags"]),
          ("shop", "dc1", "127.0.0.1", ["jvm", "blue"]), "what Nomad says")
    agent = lab.agent(config=config('  tag_separator = "|"\n'))
    wait_targets(agent, shop, admin, separator="|")
    nomad.run_job("cart", service("cart", ["jvm"]), count=2)
    cart = nomad.wait_instances("cart", 2)
    wait_targets(agent, shop, admin, *cart, separator="|")
    nomad.run_job("cart", service("cart", ["jvm", "new"]), count=1)
    wait_for("the changed tag", lambda: [i["Tags"] for i in nomad.instances("cart")] == [["jvm", "new"]], 120, 0.2)
    wait_targets(agent, shop, admin, *nomad.instances("cart"), separator="|")
    nomad.stop_job("cart")
    nomad.stop_job("shop")
    wait_targets(agent)
    agent.stop()


@test
def a_nomad_that_forgot_everything_is_followed(lab):
    nomad = Nomad(lab)
    nomad.run_job("shop", service("shop"))
    before = nomad.wait_instances("shop", 1)
    agent = lab.agent(config=config())
    wait_targets(agent, *before)
    nomad.agent.kill()
    wait_health(agent, "unhealthy")
    wait_targets(agent, *before)
    nomad.start()
    nomad.run_job("shop", service("shop"))
    wait_targets(agent, *nomad.wait_instances("shop", 1))
    wait_health(agent, "healthy")
    agent.stop()


@test
def namespaces_and_tokens_are_those_of_nomad(lab):
    nomad = Nomad(lab, "acl { enabled = true }\n")
    nomad.token = nomad.do("POST", "/v1/acl/bootstrap")["SecretID"]
    nomad.do("POST", "/v1/namespace/team", {"Name": "team"})
    nomad.run_job("shop", service("shop"))
    nomad.run_job("shop", service("shop"), namespace="team")
    ours = nomad.wait_instances("shop", 1)
    theirs = nomad.wait_instances("shop", 1, "team")
    agent = lab.agent(config=config('  namespace = "team"\n'))
    wait_health(agent, "unhealthy")
    check("403" in agent.component(NAME)["health"]["message"], f"health: {agent.component(NAME)['health']}")
    token = f'  bearer_token = "{nomad.token}"\n'
    agent.stop()
    agent = lab.agent(config=config(f'  namespace = "team"\n{token}'))
    wait_targets(agent, *theirs)
    agent.stop()
    agent = lab.agent(config=config(f'  namespace = "*"\n{token}'))
    wait_targets(agent, *ours, *theirs)
    agent.stop()
