"""A Nomad agent in a test's machine: the program `nomad` of this host, where there is one. No package has it."""
import contextlib
import http.client
import json
import shutil

from lab import Skip, check, proc_text, wait_for

URL = "http://127.0.0.1:4646"
CONFIG = """
bind_addr            = "127.0.0.1"
name                 = "host-1"
datacenter           = "dc1"
log_level            = "warn"
disable_update_check = true
plugin "raw_exec" {
  config { enabled = true }
}
"""


def program():
    found = shutil.which("nomad")
    if not found:
        raise Skip("no Nomad: no program `nomad` on this host")
    return found


def service(name, tags=()):
    """Of a job, with a port of its own and the provider that registers it with Nomad itself."""
    return {"Name": name, "PortLabel": name, "Provider": "nomad", "Tags": list(tags)}


class Nomad:
    """Server and client in development mode: state is in memory, and lost with the process."""

    def __init__(self, lab, more=""):
        self.lab, self.machine, self.program = lab, lab.machine, program()
        self.config = lab.file("nomad.hcl", CONFIG + more)
        self.token = None
        self.start()

    def start(self):
        self.agent = self.lab.run([self.program, "agent", "-dev", "-config", self.config], name="nomad",
                                  find=lambda pid: proc_text(pid, "comm").strip() == "nomad")
        wait_for("Nomad", self.ready, 120, 0.2)

    def ready(self):
        check(self.agent.alive(), f"Nomad ended: {self.agent.text()[-2000:]}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.machine.http("GET", f"{URL}/v1/status/leader")[1] == '"127.0.0.1:4647"'
        return False

    def ask(self, method, path, body=None):
        """(status, text)"""
        headers = {"X-Nomad-Token": self.token} if self.token else {}
        return self.machine.http(method, URL + path, None if body is None else json.dumps(body), headers, timeout=60)

    def do(self, method, path, body=None):
        status, text = self.ask(method, path, body)
        check(status == 200, f"{method} {path}: {status} {text}")
        return json.loads(text or "null")

    def run_job(self, name, *services, namespace="default", count=1):
        """`count` instances of a process that does nothing, with these services."""
        network = {"Mode": "host", "DynamicPorts": [{"Label": s["Name"]} for s in services]}
        group = {"Name": "group", "Count": count, "Services": list(services), "Networks": [network],
                 "Tasks": [{"Name": "task", "Driver": "raw_exec", "Resources": {"CPU": 10, "MemoryMB": 10},
                            "Config": {"command": "/bin/sleep", "args": ["100000"]}}]}
        job = {"ID": name, "Name": name, "Namespace": namespace, "Type": "service", "Datacenters": ["dc1"],
               "TaskGroups": [group]}
        self.do("POST", f"/v1/jobs?namespace={namespace}", {"Job": job})

    def stop_job(self, name, namespace="default"):
        self.do("DELETE", f"/v1/job/{name}?namespace={namespace}")

    def instances(self, name, namespace="default"):
        return self.do("GET", f"/v1/service/{name}?namespace={namespace}")

    def wait_instances(self, name, count, namespace="default"):
        """Nomad's own answer, once it has so many."""
        def there():
            found = self.instances(name, namespace)
            return [found] if len(found) == count else None
        return wait_for(f"{count} instances of {name}", there, 120, 0.2)[0]
