"""A Docker daemon of a machine's own, with an image whose programs are the host's."""
import io
import json
import os
import shutil
import subprocess
import tarfile

from lab import Skip, check, need_java, wait_for

SOCKET = "/tmp/docker.sock"  # of the machine
LINKS = {"bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64", "sbin": "usr/sbin"}


def image():
    """Folders for what is mounted into a container, and the links of a merged /usr."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, mode in (("usr", 0o755), ("etc", 0o755), ("proc", 0o755), ("sys", 0o755), ("classes", 0o755),
                           ("tmp", 0o1777)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            tar.addfile(folder)
        for name, target in LINKS.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
    return out.getvalue()


class Docker:
    """Everybody in the machine may use the socket unless `mode` says otherwise."""

    def __init__(self, lab, mode=0o666):
        if not shutil.which("dockerd"):
            raise Skip("no dockerd: apt-get install docker.io")
        if not os.path.islink("/lib"):
            raise Skip("no merged /usr")
        self.lab = lab
        self.home = lab.dir / "docker"
        self.daemon = lab.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c",
             "mount -t tmpfs docker /run && mkdir -p /run/docker && exec \"$@\"", "dockerd", "dockerd",
             f"--data-root={self.home}/data", "--exec-root=/tmp/docker", "--pidfile=/tmp/docker.pid",
             "-H", f"unix://{SOCKET}", "--iptables=false", "--ip6tables=false", "--bridge=none",
             "--storage-driver=vfs"],
            name="dockerd", find=lambda pid: "dockerd" in open(f"/proc/{pid}/comm").read())
        self.socket = lab.machine.path(SOCKET)
        wait_for("Docker", lambda: "API listen on" in self.daemon.text() or not self.daemon.alive(), 60)
        if not self.daemon.alive():
            raise Skip(f"Docker does not run here: {self.daemon.text()[-300:]}")
        self.socket.chmod(mode)
        self.call("import", "-", "jvm", input=image())

    def call(self, *args, input=None):
        done = subprocess.run(["docker", "-H", f"unix://{self.socket}", *map(str, args)], input=input,
                              capture_output=True, timeout=120)
        check(done.returncode == 0, f"docker {args[0]}: {done.stderr.decode()[-500:]}")
        return done.stdout.decode().strip()

    def run(self, name, *options, command=None):
        """Starts a container with a JVM in it; returns its ID."""
        command = command or [f"{need_java(17)}/bin/java", "-Xmx64m", "-XX:+UseSerialGC", "-cp", "/classes", "Shop"]
        return self.call("run", "-d", "--name", name, "--network", "none", "-v", "/usr:/usr:ro", "-v", "/etc:/etc:ro",
                         "-v", f"{self.lab.stage.classes}:/classes:ro", *options, "jvm", *command)

    def inspect(self, name):
        return json.loads(self.call("inspect", name))[0]
