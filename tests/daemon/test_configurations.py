"""Configurations that set each argument of each component (tests/configurations) are accepted and loaded."""
import re
import shutil
import subprocess
import sys

from lab import ROOT, Skip, check, equal, test, wait_for

FOLDER = ROOT / "tests" / "configurations"
SETTINGS = "// HTTP settings"
SAMPLE = "/etc/smolder"  # what the configurations call the folder of their files


def pairs(path):
    """{"COMPONENT ARGUMENT"} that a file sets."""
    text = subprocess.run([sys.executable, ROOT / "tools" / "config-pairs", path], check=True, capture_output=True,
                          text=True).stdout
    return set(text.splitlines())


def reference(smolder):
    """The same of everything there is, by the reference."""
    def ask(*names):
        return subprocess.run([smolder, "reference", *names], check=True, capture_output=True, text=True).stdout
    found = set()
    for component in re.findall(r"^  ((?:discovery|import|local|pyroscope|remote)\.\S+)", ask(), re.M):
        block = ""
        for line in ask(component).splitlines():
            if line.startswith("## ") and line != "## Arguments":
                break
            if title := re.match(r"### Block `([^`]+)`", line):
                block = re.sub(r" [A-Z]+\b", "", title.group(1)).replace(" > ", "/") + "/"
                found.add(f"{component} {block[:-1]}")
            if row := re.match(r"\| `(\w+)` \|", line):
                found.add(f"{component} {block}{row.group(1)}")
    return found


def provide_files(lab):
    """What the configurations refer to."""
    openssl = shutil.which("openssl")
    if not openssl:
        raise Skip("no openssl")
    subprocess.run([openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-days", "2",
                    "-keyout", lab.dir / "client.key", "-out", lab.dir / "client.pem"], check=True,
                   capture_output=True)
    shutil.copy(lab.dir / "client.pem", lab.dir / "ca.pem")
    shutil.copy(ROOT / "examples" / "modules" / "select.alloy", lab.dir / "select.alloy")
    (lab.dir / "client.key").chmod(0o644)
    lab.file("password", "secret\n")
    lab.file("kubeconfig", """apiVersion: v1
kind: Config
current-context: test
contexts:
- name: test
  context: {cluster: here, user: me}
clusters:
- name: here
  cluster: {server: "https://127.0.0.1:1"}
users:
- name: me
  user: {token: secret}
""")


def configuration(lab, settings):
    text = "\n".join(path.read_text() for path in sorted(FOLDER.glob("*.alloy")))
    check(SETTINGS in text, f"no place for {settings.name}")
    return text.replace(SETTINGS, settings.read_text()).replace(SAMPLE, str(lab.dir))


@test(weight=2)
def each_argument_of_each_component_is_accepted(lab):
    provide_files(lab)
    covered = set()
    for settings in sorted((FOLDER / "http").glob("*.alloy")):
        path = lab.file("config.alloy", configuration(lab, settings))
        equal(lab.call([lab.smolder, "validate", "--stability.level=experimental", path])[0], 0,
              f"validate with {settings.name}")
        covered |= pairs(path)
        agent = lab.agent("--stability.level=experimental", config=path.read_text())
        agent.stop()
    public = {line for line in (FOLDER / "public.table").read_text().splitlines() if not line.startswith("#")}
    known = reference(lab.smolder)
    equal(sorted(public - known), [], "arguments in public use that smolder does not have")
    equal(sorted(known - covered), [], "arguments that no configuration sets")
    equal(sorted(covered - known), [], "arguments that the reference does not have")
