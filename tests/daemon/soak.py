#!/usr/bin/env python3
"""Thousands of reloads of ever other configurations: nothing may grow.

usage: tests/daemon/soak.py --smolder PATH [--reloads N] [--seed N]

For a program with AddressSanitizer. Every configuration is made up anew: other components, other arguments, modules,
another log, a password, TLS, live debugging, mistakes of every kind. Prints memory, descriptors, threads and handles as
it goes; exit status 1 when they grew between the first tenth, by when all code has run, and the end.
"""
import argparse
import base64
import contextlib
import http.client
import os
import pathlib
import random
import shutil
import ssl
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lab

PORT = 12345
WORKERS = 2  # threads of the pool
BROKEN = [
    "logging {\n  level =\n}\n",
    'discovery.nope "x" { }\n',
    'discovery.relabel "x" {\n  targets = discovery.process.missing.targets\n}\n',
    'discovery.relabel "a" {\n  targets = discovery.relabel.b.output\n}\n'
    'discovery.relabel "b" {\n  targets = discovery.relabel.a.output\n}\n',
    'pyroscope.write "x" {\n  endpoint {\n    url = 7 + "x"\n  }\n}\n',
    'pyroscope.java "x" {\n  targets = []\n  forward_to = []\n  profiling_config {\n    interval = "1ms"\n  }\n}\n',
    'http {\n  tls {\n    cert_pem = "x"\n    key_pem = "y"\n  }\n}\n',
    "\xff\xfe".encode("latin-1").decode("latin-1") + "}\n" * 50,
]


def write_block(name, rng):
    return f"""
pyroscope.write "{name}" {{
  endpoint {{
    url = "http://127.0.0.1:{rng.randrange(1, 9)}"
    headers = {{"X-Scope-OrgID" = "{rng.randrange(99)}"}}
  }}
  external_labels = {{"host" = constants.hostname, "n" = "{rng.randrange(99)}"}}
}}
"""


def relabel_block(name, source, rng):
    rules = "".join(f"""
  rule {{
    source_labels = ["__meta_process_exe"]
    regex         = "(.*){rng.randrange(99)}"
    target_label  = "l{i}"
    action        = "{rng.choice(['replace', 'keep', 'drop', 'lowercase'])}"
  }}""" for i in range(rng.randrange(4)))
    return f'\ndiscovery.relabel "{name}" {{\n  targets = {source}\n{rules}\n}}\n'


def java_block(name, source, write, rng):
    return f"""
pyroscope.java "{name}" {{
  targets    = {source}
  forward_to = [pyroscope.write.{write}.receiver]
  profiling_config {{
    interval = "{rng.randrange(5, 60)}s"
    cpu      = {rng.choice(["true", "false"])}
  }}
}}
"""


def settings(rng, pem):
    """Blocks for the program itself, whether it speaks TLS, and whether it wants a password."""
    text, tls, auth = "", rng.random() < 0.2, rng.random() < 0.3
    if rng.random() < 0.5:
        text += f'logging {{\n  level  = "{rng.choice(["debug", "info", "warn", "error"])}"\n'
        text += f'  format = "{rng.choice(["logfmt", "json"])}"\n}}\n'
    if rng.random() < 0.3:
        text += f'livedebugging {{\n  enabled = {rng.choice(["true", "false"])}\n}}\n'
    if tls or auth:
        inner = f'  tls {{\n    cert_file = "{pem}/cert.pem"\n    key_file = "{pem}/key.pem"\n  }}\n' if tls else ""
        if auth:
            inner += '  auth {\n    basic {\n      username = "ann"\n      password = "word"\n    }\n  }\n'
        text += f"http {{\n{inner}}}\n"
    return text, tls, auth


def module(rng):
    """A declared module, used once or twice."""
    uses = "".join(f'\nmod "u{i}" {{\n  input = [{{"a" = "{rng.randrange(9)}"}}]\n}}\n'
                   for i in range(rng.randrange(1, 3)))
    return """
declare "mod" {
  argument "input" { }
  discovery.relabel "inner" {
    targets = argument.input.value
  }
  export "output" {
    value = discovery.relabel.inner.output
  }
}
""" + uses


def imported(rng, folder):
    """The same from elsewhere: a file that changes under the agent's eyes, or a text."""
    declare = module(rng).split("\nmod ")[0]
    (folder / "library.new").write_text(f"// {rng.randrange(99)}\n{declare}")
    (folder / "library.new").rename(folder / "library.alloy")  # nobody may read half of it
    source = rng.choice([f'import.file "lib" {{\n  filename = "{folder}/library.alloy"\n}}\n',
                         f'import.string "lib" {{\n  content = `{declare}`\n}}\n'])
    return source + f'\nlib.mod "x" {{\n  input = [{{"a" = "{rng.randrange(9)}"}}]\n}}\n'


def foreach(rng):
    items = ", ".join(f'"{rng.randrange(9)}"' for _ in range(rng.randrange(4)))
    return f"""
foreach "all" {{
  collection = [{items}]
  var        = "one"
  template {{
    discovery.relabel "inner" {{
      targets = [{{"a" = one}}]
    }}
  }}
}}
"""


def make(rng, pem):
    """A good configuration: (text, tls, auth)."""
    text, tls, auth = settings(rng, pem)
    writes = [f"w{i}" for i in range(rng.randrange(1, 4))]
    text += "".join(write_block(w, rng) for w in writes)
    for p in range(rng.randrange(0, 3)):
        text += f'\ndiscovery.process "p{p}" {{\n  refresh_interval = "{rng.randrange(1, 60)}s"\n}}\n'
        source = f"discovery.process.p{p}.targets"
        for i in range(rng.randrange(0, 6)):
            text += relabel_block(f"r{p}_{i}", source, rng)
            source = f"discovery.relabel.r{p}_{i}.output"
        text += java_block(f"j{p}", source, rng.choice(writes), rng)
    for part in (module(rng), imported(rng, pem), foreach(rng)):
        if rng.random() < 0.3:
            text += part
    return text, tls, auth


class Soak:
    """A machine with an agent of its own, so that it finds no JVMs but its own."""

    def __init__(self, smolder, folder):
        self.machine, self.folder = lab.Machine(), pathlib.Path(folder)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes",
                        "-subj", "/CN=localhost", "-days", "2", "-keyout", str(self.folder / "key.pem"),
                        "-out", str(self.folder / "cert.pem")], check=True, capture_output=True)
        (self.folder / "key.pem").chmod(0o644)  # the agent does not stay root
        shutil.copy(smolder, self.folder / "smolder")
        self.config, self.tls, self.auth = self.folder / "config.alloy", False, False
        self.config.write_text("")
        self.log = self.folder / "agent.log"
        options = "detect_leaks=1:quarantine_size_mb=4:thread_local_quarantine_size_kb=64:malloc_context_size=8"
        self.agent = lab.Process(self.machine, [self.folder / "smolder", "run", f"--storage.path={self.folder}/data",
                                                "--stability.level=experimental", self.config], self.log,
                                 cwd=self.folder,
                                 env={"ASAN_OPTIONS": options, "UBSAN_OPTIONS": "print_stacktrace=1",
                                      # glibc counts what it keeps for each thread as in use
                                      "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"},
                                 find=lambda pid: "smolder" in lab.proc_text(pid, "comm")).locate()
        lab.wait_for("agent", lambda: "smolder is running" in self.log.read_text() or not self.agent.alive(), 60)
        self.context = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))

    def ask(self, method, path):
        with self.machine.network():
            if self.tls:
                connection = http.client.HTTPSConnection("localhost", PORT, timeout=30, context=self.context)
            else:
                connection = http.client.HTTPConnection("localhost", PORT, timeout=30)
            connection.connect()
        with contextlib.closing(connection):
            headers = {"Authorization": "Basic " + base64.b64encode(b"ann:word").decode()} if self.auth else {}
            connection.request(method, path, None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")

    def reload(self, text, wanted):
        self.config.write_text(text)
        status, answer = self.ask("POST", "/-/reload")
        lab.check(status == wanted, f"reload answers {status}, not {wanted}: {answer[:2000]}\n{text}")

    def make_what_stays(self):
        """What the agent makes once, when it is first needed, and keeps: the pool's threads (a support bundle is a job
        for them), inotify (for an imported file). Otherwise it would be left to chance whether the first figures know
        of them."""
        status, _ = self.ask("GET", "/-/support?duration=1")
        lab.equal(status, 200, "status of the support bundle")
        lab.equal(self.threads(), 1 + WORKERS, "threads once the pool is at work")
        (self.folder / "empty.alloy").write_text("")
        self.reload(f'import.file "x" {{\n  filename = "{self.folder}/empty.alloy"\n}}\n', 200)

    def threads(self):
        return len(os.listdir(f"/proc/{self.agent.pid}/task"))

    def figures(self):
        """Of the idle agent: the heap in use, resident memory, descriptors, threads, handles of the loop."""
        self.reload("", 200)
        self.tls = self.auth = False
        before = None
        for _ in range(100):  # components stop in their own time
            time.sleep(0.1)
            metrics = dict(line.rsplit(" ", 1) for line in self.ask("GET", "/metrics")[1].splitlines()
                           if line[0] != "#")
            now = [int(metrics["smolder_heap_bytes"]) // 1024, int(metrics["process_resident_memory_bytes"]) // 1024,
                   len(os.listdir(f"/proc/{self.agent.pid}/fd")), self.threads(),
                   int(metrics["smolder_loop_handles"])]
            if before and now[2:] == before[2:] and abs(now[0] - before[0]) < 4:
                break
            before = now
        # The connection we asked on may not be closed yet.
        now[2] = min([now[2]] + [len(os.listdir(f"/proc/{self.agent.pid}/fd")) for _ in range(5)
                                 if not time.sleep(0.05)])
        return dict(zip(("heap_kib", "rss_kib", "fds", "threads", "handles"), now))

    def one(self, rng):
        if rng.random() < 0.15:
            good, _, _ = make(rng, self.folder)
            self.reload(good + rng.choice(BROKEN), 400)
            return
        text, tls, auth = make(rng, self.folder)
        self.reload(text, 200)
        self.tls, self.auth = tls, auth

    def finish(self):
        os.kill(self.agent.pid, 15)
        status = self.agent.wait(60)
        report = lab.SANITIZER.search(self.log.read_text(errors="replace"))
        self.machine.close()
        lab.check(status == 0, f"the agent ended with {status}")
        lab.check(not report, f"a sanitizer reported, see {self.log}")


def run(smolder, reloads, seed, folder, say):
    soak = Soak(smolder, folder)
    rng, warm, rows = random.Random(seed), max(reloads // 10, 1), []
    soak.make_what_stays()
    for n in range(reloads + 1):
        if n == warm or n == reloads or (n and n % max(reloads // 10, 1) == 0):
            rows.append(soak.figures())
            say(f"{n:6} reloads  " + "  ".join(f"{k} {v}" for k, v in rows[-1].items()))
        if n < reloads:
            soak.one(rng)
    soak.finish()
    first, last = rows[0], rows[-1]
    for what in ("fds", "threads", "handles"):
        lab.check(last[what] <= first[what], f"{what} grew from {first[what]} to {last[what]}")
    lab.check(last["heap_kib"] <= first["heap_kib"] + 64,
              f"the heap grew from {first['heap_kib']} to {last['heap_kib']} KiB")
    lab.check(last["rss_kib"] <= first["rss_kib"] * 1.1 + 4096,
              f"memory grew from {first['rss_kib']} to {last['rss_kib']} KiB")
    return first, last


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("--smolder", required=True)
    parser.add_argument("--reloads", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="smolder-soak-", dir="/var/tmp")
    os.chmod(folder, 0o755)
    begun = time.monotonic()
    try:
        run(options.smolder, options.reloads, options.seed, folder, lambda text: print(text, flush=True))
    except lab.Failure as e:
        sys.exit(f"FAIL {e}\nleft for a look: {folder}")
    shutil.rmtree(folder)
    print(f"ok: nothing grew in {options.reloads} reloads ({time.monotonic() - begun:.0f} s)")


if __name__ == "__main__":
    main()
