"""The query API of the embedded store, asked with Grafana's own client (tests/querier)."""
import gzip
import json
import re
import shutil
import subprocess

from lab import CACHE, ROOT, Skip, built, check, config, equal, test, wait_for

GO = (1, 25)  # of Grafana's API module


def querier_binary():
    text = subprocess.run(["go", "version"], capture_output=True, text=True).stdout
    version = re.search(r"go(\d+)\.(\d+)", text)
    if not version or tuple(map(int, version.groups())) < GO:
        raise Skip(f"Grafana's client requires Go {GO[0]}.{GO[1]}: {text}")
    folder = ROOT / "tests" / "querier"
    return built(CACHE / "querier", [*folder.glob("*.go"), folder / "go.mod"], ["go", "build"], folder)


@test(weight=2)
def queries_equal_what_was_pushed(lab):
    """Every call, in protobuf and JSON, plain and gzip, against sums of the profiles of real JVMs."""
    binary = shutil.copy(querier_binary(), lab.dir / "querier")
    rules = ('rule {\n source_labels = ["__process_pid__"]\n target_label = "service_name"\n '
             'replacement = "shop-$1"\n }')
    lab.jvm()
    lab.jvm()
    lab.agent("--store.listen=127.0.0.1:4040", config="")
    proxy = lab.run([binary, "--listen", "127.0.0.1:4041", "--profiles", "16"], name="querier")
    wait_for("querier", lambda: "listening" in proxy.text())
    lab.agent("--server.http.listen-addr=127.0.0.1:12346", f"--storage.path={lab.dir}/other",
              config=config(url="http://127.0.0.1:4041", rules=rules))
    equal(proxy.wait(150), 0, f"what the client found: {proxy.text()}")
    check(re.search(r"\d+ answers checked, 0 wrong", proxy.text()), proxy.text())


CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
STORE = "http://127.0.0.1:4040"


def ingest(lab, parameters, body, headers=None):
    status, text = lab.machine.http("POST", f"{STORE}/ingest?{parameters}", body, headers or {})
    equal(status, 200, f"/ingest?{parameters}: {text}")


def total(lab, service, kind=CPU):
    """Sum of a service's profiles of all times."""
    request = {"profileTypeID": kind, "labelSelector": f'{{service_name="{service}"}}', "start": 1}
    status, text = lab.machine.http("POST", f"{STORE}/querier.v1.QuerierService/SelectMergeStacktraces",
                                    json.dumps(request), {"Content-Type": "application/json"})
    equal(status, 200, f"SelectMergeStacktraces: {text}")
    return int(json.loads(text)["flamegraph"].get("total", 0))


@test
def ingest_takes_recordings_profiles_and_stacks(lab):
    """A recording of a real JVM, pushed as JFR, as pprof and as collapsed stacks, counts the same each time."""
    jvm = lab.jvm()
    recording, profile, stacks = (lab.dir / f"shop.{suffix}" for suffix in ("jfr", "pb.gz", "collapsed"))
    status, text = lab.call([lab.smolder, "record", "-d", "2s", "-q", "-o", recording, jvm.inner], 60)
    equal(status, 0, f"record: {text}")
    for path in (profile, stacks):
        status, text = lab.call([lab.smolder, "convert", "--type=process_cpu", f"--output={path}", recording])
        equal(status, 0, f"convert: {text}")
    lines = stacks.read_text().splitlines()
    expected = sum(int(line.rpartition(" ")[2]) for line in lines)
    check(expected > 0, f"a recording without CPU time: {lines[:3]}")
    lab.agent("--store.listen=127.0.0.1:4040", config="")
    ingest(lab, "name=by-jfr&format=jfr", recording.read_bytes())
    ingest(lab, "name=by-packed-jfr&format=jfr", gzip.compress(recording.read_bytes()))
    form = (b'--x\r\nContent-Disposition: form-data; name="jfr"\r\n\r\n' + recording.read_bytes() + b"\r\n--x--\r\n")
    ingest(lab, "name=by-form&format=jfr", form, {"Content-Type": "multipart/form-data; boundary=x"})
    ingest(lab, "name=by-pprof&format=pprof", profile.read_bytes())
    ingest(lab, "name=by-stacks.cpu&sampleRate=1000000000", stacks.read_bytes())
    ingest(lab, "name=by-gzip.cpu&sampleRate=1000000000", gzip.compress(stacks.read_bytes()),
           {"Content-Encoding": "gzip"})
    for service in ("by-jfr", "by-packed-jfr", "by-form", "by-pprof", "by-stacks", "by-gzip"):
        equal(total(lab, service), expected, f"nanoseconds of {service}")
    ingest(lab, "name=by-jfr&format=jfr", recording.read_bytes())
    equal(total(lab, "by-jfr"), expected, "nanoseconds of the same recording twice")
    status, text = lab.machine.http("POST", f"{STORE}/ingest?name=x&format=jfr", b"FLR\0garbage")
    equal(status, 422, f"what is no recording: {text}")
