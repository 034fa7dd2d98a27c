"""A Consul agent in a test's machine: the package of Debian 11, the last with one, kept beside the JVMs of the zoo."""
import contextlib
import http.client
import json
import pathlib
import shutil
import sys

from lab import HERE, Skip, check, proc_text, wait_for

sys.path.append(str(HERE.parent / "jvms"))
import zoo

URL = "http://127.0.0.1:8500"
PACKAGE = "consul | consul | apt bullseye amd64 | consul | usr/bin/consul |"
FETCH_SECONDS = 120


def program():
    installed = shutil.which("consul")
    if installed:
        return pathlib.Path(installed)
    kept = zoo.Zoo(zoo.default_directory(), FETCH_SECONDS)
    kept.parts["consul"] = zoo.Part(PACKAGE)
    try:
        kept.provide(["consul"], "-")
    except zoo.Missing as e:
        raise Skip(f"no Consul: {e}") from None
    return kept.dir / "consul" / "usr" / "bin" / "consul"


class Consul:
    """In development mode: state is in memory, and lost with the process."""

    def __init__(self, lab):
        self.lab, self.machine, self.program = lab, lab.machine, program()
        self.start()

    def start(self):
        self.agent = self.lab.run([self.program, "agent", "-dev", "-bind=127.0.0.1", "-node=host-1",
                                   "-datacenter=dc1", "-log-level=warn"], name="consul",
                                  find=lambda pid: "consul" in proc_text(pid, "comm"))
        wait_for("Consul", self.ready, 60)

    def ready(self):
        check(self.agent.alive(), f"Consul ended: {self.agent.text()[-2000:]}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            return "consul" in self.machine.http("GET", f"{URL}/v1/catalog/services")[1]
        return False

    def wait_settled(self, name):
        """Until the agent has told the catalog all about that service, so that only what the test does changes it."""
        seen = []

        def settled():
            seen.append(self.machine.http("GET", f"{URL}/v1/health/service/{name}?passing&index=1")[1])
            return len(seen) > 30 and len(set(seen[-30:])) == 1 and "serfHealth" in seen[-1]
        wait_for(f"a settled {name}", settled, 60, 0.1)

    def put(self, path, body=None):
        status, text = self.machine.http("PUT", URL + path, None if body is None else json.dumps(body))
        check(status == 200, f"PUT {path}: {status} {text}")

    def register(self, identity, name, port, **more):
        self.put("/v1/agent/service/register", {"ID": identity, "Name": name, "Port": port, **more})
