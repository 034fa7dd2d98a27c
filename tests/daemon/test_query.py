"""The query API of the embedded store, asked with Grafana's own client (tests/querier)."""
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
