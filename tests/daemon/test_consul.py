"""discovery.consul with a real Consul agent."""
from consul_lab import Consul
from lab import check, debug_value, equal, test, wait_for

NAME = "discovery.consul.services"


def config(more):
    return f'discovery.consul "services" {{\n  server = "127.0.0.1:8500"\n{more}}}\n'


def targets(agent):
    exports = debug_value(agent.component(NAME)["exports"])
    return {t["__meta_consul_service_id"]: t for t in exports.get("targets") or []}


def wait_targets(agent, *wanted):
    wait_for(f"targets {wanted}", lambda: sorted(targets(agent)) == sorted(wanted), 40)


@test
def changes_are_noticed_without_polling(lab):
    consul = Consul(lab)
    consul.register("shop-1", "shop", 8080, Tags=["jvm", "blue"], Meta={"version": "2"},
                    Check={"CheckID": "alive", "TTL": "1h", "Status": "passing"})
    consul.wait_settled("shop")
    # The first change of each service and of the catalog arrives by itself; the interval could not bring it.
    agent = lab.agent(config=config('  refresh_interval = "1h"\n'))
    wait_targets(agent, "consul", "shop-1")
    shop = targets(agent)["shop-1"]
    of_node = ("__meta_consul_tagged_address_", "__meta_consul_metadata_")
    equal({k: v for k, v in shop.items() if not k.startswith(of_node)},
          {"__address__": "127.0.0.1:8080", "__meta_consul_address": "127.0.0.1", "__meta_consul_dc": "dc1",
           "__meta_consul_health": "passing", "__meta_consul_node": "host-1", "__meta_consul_service": "shop",
           "__meta_consul_service_id": "shop-1", "__meta_consul_service_metadata_version": "2",
           "__meta_consul_service_port": "8080", "__meta_consul_tags": ",jvm,blue,"}, "labels")
    equal(shop["__meta_consul_tagged_address_lan"], "127.0.0.1", "tagged address")
    consul.put("/v1/agent/check/fail/alive")
    wait_for("the failed check", lambda: targets(agent)["shop-1"]["__meta_consul_health"] == "critical", 40)
    consul.register("cart-1", "cart", 8081)
    wait_targets(agent, "cart-1", "consul", "shop-1")
    agent.stop()


@test
def a_restart_that_forgets_everything_is_followed(lab):
    consul = Consul(lab)
    consul.register("shop-1", "shop", 8080, Tags=["jvm"])
    consul.register("cart-1", "cart", 8081, Tags=["jvm", "old"])
    consul.register("db-1", "db", 5432)
    agent = lab.agent(config=config('  refresh_interval = "100ms"\n  tags = ["jvm"]\n'
                                    '  node_meta = { "consul-network-segment" = "" }\n'))
    wait_targets(agent, "cart-1", "shop-1")
    consul.put("/v1/agent/service/deregister/cart-1")
    wait_targets(agent, "shop-1")
    consul.agent.kill()
    wait_for("health", lambda: agent.component(NAME)["health"]["state"] == "unhealthy", 40)
    equal(sorted(targets(agent)), ["shop-1"], "targets without a server")
    check(agent.metric("prometheus_sd_consul_rpc_failures_total", component_id=NAME) >= 1, "failures")
    consul.start()
    consul.register("shop-2", "shop", 8082, Tags=["jvm"])
    wait_targets(agent, "shop-2")
    wait_for("health", lambda: agent.component(NAME)["health"]["state"] == "healthy", 40)
    agent.stop()
