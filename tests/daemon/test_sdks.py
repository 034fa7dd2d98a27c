"""Pyroscope's SDKs for Java, Go, Python and Node.js, unmodified, push to the store: what becomes of their profiles."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from lab import CACHE, ROOT, Skip, built, check, equal, maven_jar, test, wait_for, within
from test_store_alone import CPU, STORE, store

SDK = ROOT / "tests" / "sdk"
JAVA, PYTHON, NODE = "2.9.2", "1.4.0", "0.6.4"
SECOND = 10**9


def call(lab, method, **request):
    status, text = lab.machine.http("POST", f"{STORE}/querier.v1.QuerierService/{method}",
                                    json.dumps({"start": 1, **request}), {"Content-Type": "application/json"})
    equal(status, 200, f"{method}: {text}")
    return json.loads(text)


def types(lab, service):
    series = call(lab, "Series", matchers=[f'{{service_name="{service}",region="eu"}}'],
                  labelNames=["__profile_type__"]).get("labelsSet", [])
    return {label["value"] for one in series for label in one["labels"]}


def flame(lab, selector, kind):
    answer = call(lab, "SelectMergeStacktraces", profileTypeID=kind, labelSelector=selector)["flamegraph"]
    return int(answer.get("total", 0)), answer["names"]


def check_types(lab, service, *wanted):
    found = types(lab, service)
    equal([w for w in wanted if w not in found], [], f"missing types of {service}, which has {sorted(found)}")


def check_cpu(lab, selector, kind, frame, used, most=None):
    """The named function is there, and the values are what the program used, which is `most` at the most."""
    total, names = flame(lab, selector, kind)
    check(any(frame in name for name in names), f"{frame} of {selector}: {names}")
    within(total / SECOND, 0.3 * used, 1.5 * (most or used), f"CPU seconds of {selector}")


def installed(name, command):
    """A directory of CACHE, filled by a package client, or a skip."""
    folder = CACHE / name
    if folder.exists():
        return folder
    if not shutil.which(command[0]):
        raise Skip(f"no {command[0]}")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as half:
        done = subprocess.run([*command, f"{half}/it"], capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise Skip(f"{name} cannot be installed: {done.stderr.strip()[-300:]}")
        os.rename(f"{half}/it", folder)
    return folder


def run(lab, command, **env):
    """Runs a program with an SDK to its end; how many seconds of CPU time it took."""
    status, said = lab.call(command, 60, env=env, cwd=lab.dir)
    equal(status, 0, f"status of {command[-1]}: {said}")
    return float(said.strip().splitlines()[-1])


@test(weight=2)
def java_agent_pushes_recordings(lab):
    """CPU time, allocations and locks of a real JVM, with its labels."""
    jar = shutil.copy(maven_jar("io.pyroscope", "agent", JAVA), lab.dir / "agent.jar")
    store(lab)
    jvm = lab.jvm(options=[f"-javaagent:{jar}"], env={
        "PYROSCOPE_APPLICATION_NAME": "by-java", "PYROSCOPE_SERVER_ADDRESS": STORE, "PYROSCOPE_FORMAT": "jfr",
        "PYROSCOPE_LABELS": "region=eu", "PYROSCOPE_UPLOAD_INTERVAL": "1s", "PYROSCOPE_PROFILER_EVENT": "itimer",
        "PYROSCOPE_PROFILER_ALLOC": "64k", "PYROSCOPE_PROFILER_LOCK": "1ms"})
    jvm.quiet = None  # the agent logs
    wanted = {CPU, "memory:alloc_in_new_tlab_bytes:bytes:space:bytes", "mutex:contentions:count:mutex:count",
              "mutex:delay:nanoseconds:mutex:count"}
    wait_for("the types of a JVM", lambda: wanted <= types(lab, "by-java"), 40)
    total, names = flame(lab, '{service_name="by-java",pyroscope_spy="javaspy"}', CPU)
    check("Shop.bake" in names and total > 0, f"frames: {names}")


@test(weight=2)
def go_programs_push_profiles(lab):
    """Mutex and block profiles have the same sample types and different names."""
    text = subprocess.run(["go", "version"], capture_output=True, text=True).stdout
    version = re.search(r"go(\d+)\.(\d+)", text)
    if not version or tuple(map(int, version.groups())) < (1, 25):
        raise Skip(f"the SDK requires Go 1.25: {text}")
    binary = built(CACHE / "sdk", [SDK / "main.go", SDK / "go.mod"], ["go", "build"], SDK)
    store(lab)
    used = run(lab, [shutil.copy(binary, lab.dir / "sdk")])
    check_types(lab, "by-go", CPU, "memory:alloc_space:bytes:space:bytes", "memory:inuse_objects:count:space:bytes",
                "goroutine:goroutine:count:goroutine:count", "mutex:contentions:count:contentions:count",
                "mutex:delay:nanoseconds:contentions:count", "block:contentions:count:contentions:count",
                "block:delay:nanoseconds:contentions:count")
    check_cpu(lab, '{service_name="by-go",step="oven"}', CPU, "main.bake", used)


@test(weight=2)
def python_programs_push_profiles(lab):
    folder = installed(f"pyroscope-io-{PYTHON}", [sys.executable, "-m", "pip", "install", "-q", "--only-binary=:all:",
                                                  f"pyroscope-io=={PYTHON}", "--target"])
    store(lab)
    app = shutil.copy(SDK / "app.py", lab.dir / "app.py")
    begun = time.monotonic()
    used = run(lab, [sys.executable, app], PYTHONPATH=str(folder))
    ran = time.monotonic() - begun
    check_types(lab, "by-python", CPU)
    # Its sampler counts a thread that waits for a CPU as well.
    check_cpu(lab, '{service_name="by-python",step="oven"}', CPU, "bake", used, most=ran)


@test(weight=2)
def node_programs_push_profiles(lab):
    node = shutil.which("node")
    if not node:
        raise Skip("no node")
    folder = installed(f"pyroscope-nodejs-{NODE}", ["npm", "install", "--silent", "--no-audit", "--no-fund",
                                                    f"@pyroscope/nodejs@{NODE}", "--prefix"])
    store(lab)
    app = shutil.copy(SDK / "app.js", lab.dir / "app.js")
    used = run(lab, [pathlib.Path(node).resolve(), app], NODE_PATH=f"{folder}/node_modules")
    wall = "wall:cpu:nanoseconds:wall:nanoseconds"
    check_types(lab, "by-node", wall, "wall:wall:nanoseconds:wall:nanoseconds",
                "memory:inuse_space:bytes:inuse_space:bytes")
    check_cpu(lab, '{service_name="by-node"}', wall, "bake", used)
