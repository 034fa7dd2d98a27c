"""Profiles of OpenTelemetry, sent to the store by the exporter of the OpenTelemetry Collector (tests/otlp)."""
import json
import re
import shutil
import subprocess

from lab import CACHE, ROOT, Skip, built, check, equal, test
from test_store_alone import CPU, store

STORE = "http://127.0.0.1:4040"
GO = (1, 26)  # of the collector's modules
PERIOD = 10_000_000


def exporter_binary():
    text = subprocess.run(["go", "version"], capture_output=True, text=True).stdout
    version = re.search(r"go(\d+)\.(\d+)", text)
    if not version or tuple(map(int, version.groups())) < GO:
        raise Skip(f"the collector's exporter requires Go {GO[0]}.{GO[1]}: {text}")
    folder = ROOT / "tests" / "otlp"
    return built(CACHE / "otlp", [*folder.glob("*.go"), folder / "go.mod"], ["go", "build"], folder)


def call(lab, method, **request):
    status, text = lab.machine.http("POST", f"{STORE}/querier.v1.QuerierService/{method}", json.dumps(request),
                                    {"Content-Type": "application/json"})
    equal(status, 200, f"{method}: {text}")
    return json.loads(text)


def total(lab, method, service, **more):
    answer = call(lab, method, profileTypeID=CPU, labelSelector=f'{{service_name="{service}"}}', start=1, **more)
    return int(answer["flamegraph"].get("total", 0)), answer["flamegraph"]["names"]


def post(lab, body, **headers):
    return lab.machine.http("POST", f"{STORE}/v1development/profiles", body,
                            {k.replace("_", "-"): v for k, v in headers.items()})


@test(weight=2)
def profiles_of_the_collector_are_kept(lab):
    """Protobuf and JSON, plain and gzip: values, frames, labels of resources and samples, spans."""
    binary = shutil.copy(exporter_binary(), lab.dir / "otlp")
    store(lab)
    for number, (encoding, compression) in enumerate(
            [("proto", "gzip"), ("proto", "none"), ("json", "gzip"), ("json", "none")]):
        service, samples = f"{encoding}-{compression}", 100 + number
        status, said = lab.call([binary, f"--encoding={encoding}", f"--compression={compression}",
                                 f"--service={service}", f"--samples={samples}"])
        equal((status, said), (0, "sent\n"), f"what the exporter says of {service}")
        value, names = total(lab, "SelectMergeStacktraces", service)
        equal((value, sorted(names)), (samples * PERIOD, ["main", "total", "work"]), f"profiles of {service}")
        value, _ = total(lab, "SelectMergeSpanProfile", service, spanSelector=["1112131415161718"])
        equal(value, (samples - 1) * PERIOD, f"the span of {service}")
        series = call(lab, "Series", matchers=[f'{{service_name="{service}"}}'], start=1,
                      labelNames=["k8s_pod_name", "thread_name", "__otel__"])["labelsSet"]
        found = sorted(tuple(sorted((p["name"], p["value"]) for p in s["labels"])) for s in series)
        pod = [("__otel__", "true"), ("k8s_pod_name", f"{service}-1")]
        equal(found, [tuple(pod), (*pod, ("thread_name", "pool-1"))], f"series of {service}")


@test
def what_is_no_profile_of_opentelemetry_is_refused(lab):
    """With the status by which an exporter drops it, or tries again."""
    store(lab)
    for body, headers, status, text in (
            (b"", {"Content_Type": "text/plain"}, 415, "Unsupported Content-Type: text/plain"),
            (b"{}", {"Content_Type": "application/json"}, 400, "missing profile metadata dictionary"),
            (b"", {"Content_Type": "application/x-protobuf"}, 400, "missing profile metadata dictionary"),
            (b"\x0a\xff", {"Content_Type": "application/x-protobuf"}, 400, "cut off"),
            (b"nonsense", {"Content_Type": "application/x-protobuf", "Content_Encoding": "gzip"}, 400, "gzip"),
            (b"{}", {"Content_Type": "application/json", "Content_Encoding": "zstd"}, 415, "zstd"),
            (b"{}", {"Content_Type": "application/json", "otlp_profiles_development_version": "2"}, 400,
             "otlp-profiles-development-version")):
        got, said = post(lab, body, **headers)
        equal(got, status, f"status of {body} with {headers} ({said})")
        check(text in said, f"{body} with {headers}: {said}")
    equal(lab.machine.http("POST", f"{STORE}/v1/profiles", b"{}")[0], 404, "a path without a version")
