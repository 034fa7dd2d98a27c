"""What the documentation shows works."""
import os
import re
import subprocess
import sys

from lab import ROOT, check, equal, test


def fences():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for i, text in enumerate(re.findall(r"^```alloy\n(.*?)^```$", page.read_text(), re.M | re.S), 1):
            yield f"{page.relative_to(ROOT)}, example {i}", text


@test
def documented_examples_run(lab):
    found = list(fences())
    check(len(found) >= 5, f"only {len(found)} examples found")
    for where, text in found:
        # A file that the next example needs.
        file = re.match(r"// ([\w-]+\.alloy)\n", text)
        if file:
            lab.file(file[1], text)
            continue
        flags = re.findall(r"^// flags: (.*)$", text, re.M)
        text = text.replace("/etc/smolder/token", str(lab.file("token", "of an example")))
        # As in a pod, though there is no API server.
        pod = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "6443", "NODE_NAME": "node-1"}
        agent = lab.start_agent(*(flags[0].split() if flags else []), config=text, env=pod).locate()
        agent.wait_log("smolder is running|Error", 10)
        check("smolder is running" in agent.text(), f"{where}: {agent.text()}")
        equal(agent.lines("level=error"), [], where)
        agent.stop()


def sessions(page):
    """[(command, what it prints)] of the console fences of a page, in order."""
    found = []
    for text in re.findall(r"^```console\n(.*?)^```$", page.read_text(), re.M | re.S):
        for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


@test
def documented_commands_print_what_is_shown(lab):
    """The commands of a page run in one folder and one shell; `cat FILE` of a file that is not there yet makes it."""
    (lab.dir / "bin").mkdir()
    (lab.dir / "bin" / "smolder").symlink_to(lab.smolder)
    pages = [p for p in sorted((ROOT / "docs").rglob("*.md")) if sessions(p)]
    check(pages, "no page shows a command")
    for page in pages:
        folder = lab.dir / page.stem
        folder.mkdir()
        shown = sessions(page)
        for command, output in shown:
            name = command.removeprefix("cat ")
            if name != command and not (folder / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(output)
        script = "last=0\n" + "".join(f"(exit $last)\n{command}\nlast=$?\nprintf '\\001'\n" for command, _ in shown)
        done = subprocess.run(["bash", "-c", script], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, env={**os.environ, "PATH": f"{lab.dir}/bin:{os.environ['PATH']}"})
        for (command, output), got in zip(shown, done.stdout.split("\1")):
            equal(got, output, f"{page.relative_to(ROOT)}: {command}")


@test
def documented_flags_exist(lab):
    for command in ("run", "store", "top"):
        status, text = lab.call([lab.smolder, command, "--help"])
        equal(status, 0, "exit status of --help")
        page = (ROOT / "docs" / f"{command}.md").read_text()
        documented = set(re.findall(r"`--([a-z.-]+)", page)) - {"flag"}
        known = set(re.findall(r"--([a-z.-]+)", text)) - {"flag", "help"}
        equal(documented, known, f"flags in docs/{command}.md and in --help")


@test
def pages_of_components_and_functions_are_up_to_date(lab):
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "update-docs"), "--check", str(lab.smolder)],
                          capture_output=True, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    check(done.returncode == 0, done.stdout + done.stderr)


@test
def printed_built_in_configuration_runs(lab):
    status, text = lab.call([lab.smolder, "run", "--print-config"])
    equal(status, 0, "exit status of --print-config")
    lab.agent(config=text)
