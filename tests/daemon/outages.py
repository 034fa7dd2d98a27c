"""What tests of delivery share: a server that misbehaves, clocks that are set, and what was delivered."""
import collections
import json
import shutil
import struct

from lab import CACHE, HERE, ROOT, built, wait_for

PATIENT = 'min_backoff_period = "100ms"\n    max_backoff_period = "500ms"'  # and a timeout of ten seconds
FAST = 'min_backoff_period = "100ms"\n    max_backoff_period = "500ms"\n    remote_timeout = "1s"'


def stored_twice(receiver):
    counts = collections.Counter(p["id"] for p in receiver.profiles())
    return [id for id, n in counts.items() if n > 1]


def held(agent):
    """Profiles passed on so far, and bytes of the spool."""
    return sum(t["profiles"] for t in agent.jvms().values()), agent.metric("smolder_spool_bytes")


class Front:
    """tests/receiver/front: TLS in front of the receiver."""

    def __init__(self, lab):
        folder = ROOT / "tests" / "receiver"
        sources = [*(folder / "front").glob("*.go"), folder / "go.mod"]
        binary = built(CACHE / "front", sources, ["go", "build"], folder / "front")
        self.machine, self.url, self.cert = lab.machine, "https://127.0.0.1:4443", lab.dir / "front.pem"
        self.process = lab.run([binary, "--cert", self.cert], name="front")
        wait_for("the front", lambda: "listening" in self.process.text())

    def stats(self):
        seen = json.loads(self.machine.http("GET", "http://127.0.0.1:4444/stats")[1])
        return collections.Counter(seen)

    def behave(self, mode):
        self.machine.http("POST", f"http://127.0.0.1:4444/behave?mode={mode}")

    def endpoint(self, more="", times=PATIENT):
        return f'{times}\n    {more}\n    tls_config {{\n      ca_file = "{self.cert}"\n    }}'


class Clocks:
    """Clocks of an agent, set while it runs: tests/daemon/jump.c."""

    def __init__(self, lab):
        source = HERE / "jump.c"
        command = ["cc", "-O1", "-shared", "-fPIC", str(source)]
        library = shutil.copy(built(CACHE / "jump.so", [source], command), lab.dir)
        self.path, self.ahead = lab.file("ahead", "\0" * 16), [0, 0]
        # The agent becomes an ordinary user after it has mapped the file.
        self.env = {"LD_PRELOAD": str(library), "JUMP_FILE": str(self.path),
                    "ASAN_OPTIONS": "detect_leaks=1:verify_asan_link_order=0"}
        self.jump()

    def jump(self, wall=0, monotonic=0):
        """By so many seconds."""
        self.ahead = [self.ahead[0] + wall * 10**9, self.ahead[1] + monotonic * 10**9]
        with open(self.path, "r+b") as f:
            f.write(struct.pack("<qq", *self.ahead))
