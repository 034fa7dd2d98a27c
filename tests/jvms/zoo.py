"""The zoo: JVMs as parts of parts.table, fetched by the ordinary package clients into a directory that is kept.

Nothing is installed on the host: apt gets a state directory of its own per suite and architecture, its packages are
unpacked into roots. A part that is there is not fetched again; one whose row changed is. A part that cannot be had
raises Missing with the reason. Fetching ends at a deadline; what is missing then is fetched by a later run.
"""
import contextlib
import fcntl
import fnmatch
import hashlib
import os
import pathlib
import shutil
import stat
import subprocess
import tarfile
import tempfile
import threading
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
KEYRING = pathlib.Path("/usr/share/keyrings/debian-archive-keyring.gpg")
FAILURES_MOST = 2  # in a row of one client: it does not reach its registry
NETWORK_SECONDS = 20  # without an answer

# A root as a container image has it, usr-merged: what packages of every Debian release unpack into.
SKELETON = ["usr/lib", "usr/lib64", "usr/bin", "usr/sbin", "tmp", "proc", "dev", "etc", "opt"]
MERGED = ["lib", "lib64", "bin", "sbin"]

ZLIB_SOURCES = ("adler32 crc32 compress uncompr deflate inflate inffast inftrees infback trees zutil "
                "gzclose gzlib gzread gzwrite").split()


class Missing(Exception):
    """Why a part cannot be had."""


def default_directory():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.environ.get("SMOLDER_ZOO") or os.path.join(cache, "smolder", "zoo")


class Part:
    def __init__(self, line):
        self.name, self.into, client, packages, members, self.sha256 = (cell.strip() for cell in line.split("|"))
        self.client, *self.origin = client.split()
        self.packages, self.members = packages.split(), members.split()
        self.mark = hashlib.sha256(" ".join(line.split()).encode()).hexdigest()


def parts():
    lines = (HERE / "parts.table").read_text().splitlines()
    return {p.name: p for p in (Part(line) for line in lines if line.strip() and not line.startswith("#"))}


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no message"


class Zoo:
    def __init__(self, directory, seconds, offline=False, say=lambda text: None):
        self.dir, self.offline, self.say = pathlib.Path(directory).resolve(), offline, say
        self.deadline = time.monotonic() + seconds
        self.parts = parts()
        self.failures = {}  # of a client, in a row
        self.suites = {}  # (suite, architecture): its apt.conf, or why there is none
        self.lock = threading.Lock()

    def provide(self, names, root):
        """Makes the parts be there; `root` names the root they are in, or is "-"."""
        with self.lock:
            missing = [self.parts[n] for n in names if self.mark_of(self.parts[n]) != self.parts[n].mark]
            if not missing:
                return
            if self.offline:
                raise Missing(f"{missing[0].name} is not in the zoo, and nothing is fetched")
            try:
                with self.locked():
                    for part in missing:
                        if self.mark_of(part) != part.mark:  # another run was faster
                            self.fetch(part, root)
            except OSError as e:
                raise Missing(f"the zoo cannot be written: {e}") from None

    def mark_of(self, part):
        with contextlib.suppress(OSError):
            return (self.dir / "parts" / part.name).read_text()
        return None

    @contextlib.contextmanager
    def locked(self):
        """Two runs may share a zoo."""
        self.dir.mkdir(parents=True, exist_ok=True)
        with open(self.dir / "lock", "w") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            for left in self.dir.glob("fetch-*"):  # by a run that was killed
                shutil.rmtree(left, ignore_errors=True)
            yield

    def fetch(self, part, root):
        self.seconds_left()
        if self.failures.get(part.client, 0) >= FAILURES_MOST:
            raise Missing(f"{part.name}: {part.client} failed {FAILURES_MOST} times in a row before")
        begun = time.monotonic()
        if root != "-":
            make_skeleton(self.dir / root)
        into = self.dir / part.into
        if part.into != root and into.exists():  # of an earlier row
            shutil.rmtree(into)
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=self.dir) as folder:
            try:
                CLIENTS[part.client](self, part, pathlib.Path(folder), into)
            except Missing as e:
                self.failures[part.client] = self.failures.get(part.client, 0) + 1
                raise Missing(f"{part.name}: {e}") from None
        self.failures[part.client] = 0
        (self.dir / "parts").mkdir(exist_ok=True)
        (self.dir / "parts" / part.name).write_text(part.mark)
        self.say(f"fetched {part.name} ({time.monotonic() - begun:.1f} s)")

    def seconds_left(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Missing("no time left for fetching; the next run goes on")
        return left

    def call(self, command, **kw):
        """Runs a client to its end; its standard output."""
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=self.seconds_left(), errors="replace", **kw)
        except FileNotFoundError:
            raise Missing(f"no {command[0]} on this host") from None
        except subprocess.TimeoutExpired:
            raise Missing(f"{command[0]} did not end in time; the next run goes on") from None
        if done.returncode != 0:
            raise Missing(f"{command[0]}: {last_line(done.stderr or done.stdout)}")
        return done.stdout

    def debian_mirror(self):
        """Where the host's own apt gets Debian from."""
        command = ["apt-get", "indextargets", "--format", "$(LABEL)|$(REPO_URI)", "Created-By: Packages"]
        for attempt in range(2):
            for line in self.call(command).splitlines():
                label, _, uri = line.partition("|")
                if label == "Debian":
                    return uri
            if attempt == 0:  # labels are in the lists
                self.call(["apt-get", "update", "-qq", *apt_limits()])
        raise Missing("the host's apt has no sources of Debian")

    def apt(self, suite, architecture):
        """Environment for an apt with a state of its own."""
        key = (suite, architecture)
        if key not in self.suites:
            try:
                self.suites[key] = self.make_apt(suite, architecture)
            except Missing as e:
                self.suites[key] = str(e)
        if isinstance(self.suites[key], str):
            raise Missing(self.suites[key])
        return {**os.environ, "APT_CONFIG": str(self.suites[key])}

    def make_apt(self, suite, architecture):
        folder = self.dir / "apt" / f"{suite}-{architecture}"
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("lists/partial", "cache/archives/partial", "etc", "preferences"):
            (folder / name).mkdir(parents=True)
        (folder / "status").write_text("")
        signed = f" [signed-by={KEYRING}]" if KEYRING.exists() else ""
        mirror = self.debian_mirror()
        (folder / "etc" / "sources.list").write_text("".join(f"{kind}{signed} {mirror} {suite} main\n"
                                                             for kind in source_kinds(architecture)))
        settings = {"Dir::State::Lists": folder / "lists", "Dir::State::status": folder / "status",
                    "Dir::Cache": folder / "cache", "Dir::Etc::sourcelist": folder / "etc" / "sources.list",
                    "Dir::Etc::sourceparts": "-", "Dir::Etc::preferencesparts": folder / "preferences",
                    "APT::Architecture": architecture if architecture != "source" else "amd64",
                    "Acquire::Languages": "none", "APT::Sandbox::User": "root"}
        lines = [f'{name} "{value}";\n' for name, value in settings.items()]
        lines.append(f'#clear APT::Architectures;\nAPT::Architectures {{ "{settings["APT::Architecture"]}"; }};\n')
        (folder / "apt.conf").write_text("".join(lines))
        self.call(["apt-get", "update", "-qq", *apt_limits()], env={**os.environ, "APT_CONFIG": folder / "apt.conf"})
        if not any((folder / "lists").glob("*_dists_*")):  # without network the update "succeeds"
            raise Missing(f"apt-get: no lists of {suite}")
        return folder / "apt.conf"

    def fetch_apt(self, part, folder, into):
        env = self.apt(*part.origin)
        self.call(["apt-get", "download", "-qq", *apt_limits(), *part.packages], cwd=folder, env=env)
        for deb in sorted(folder.glob("*.deb")):
            if part.members:
                self.call(["sh", "-c", 'deb=$1; shift; dpkg-deb --fsys-tarfile "$deb" | tar -x "$@"', "-", deb,
                           "-C", into, *(f"./{m}" for m in part.members)])
            else:
                self.call(["dpkg-deb", "-x", deb, into])

    def fetch_pip(self, part, folder, into):
        pip = shutil.which("pip3") or shutil.which("pip")
        if not pip:
            raise Missing("no pip on this host")
        limits = ["--retries=1", f"--timeout={NETWORK_SECONDS}"]
        self.call([pip, "download", "-q", "--no-deps", "--disable-pip-version-check", *limits, "-d", folder,
                   *part.packages])
        with zipfile.ZipFile(checked(part, folder, "*.whl")) as wheel:
            for member in wheel.infolist():
                if not part.members or any(fnmatch.fnmatch(member.filename, m) for m in part.members):
                    wheel.extract(member, into)
        make_executable(into)

    def fetch_npm(self, part, folder, into):
        limits = ["--fetch-retries=1", f"--fetch-timeout={NETWORK_SECONDS * 1000}"]
        self.call(["npm", "pack", "--silent", *limits, f"--pack-destination={folder}", *part.packages], cwd=folder)
        with tarfile.open(checked(part, folder, "*.tgz")) as archive:
            archive.extractall(into, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))

    def fetch_musl_zlib(self, part, folder, into):
        """JVMs built for Alpine need one, and Debian has none for musl."""
        if not shutil.which("musl-gcc"):
            raise Missing("no musl-gcc on this host")
        env = self.apt(part.origin[0], "source")
        self.call(["apt-get", "source", "-qq", "--download-only", *apt_limits(), *part.packages], cwd=folder, env=env)
        self.call(["tar", "-x", "--strip-components=1", "-f", *folder.glob("*.orig.tar.*")], cwd=folder)
        self.call(["musl-gcc", "-O1", "-fPIC", "-shared", "-nostdlib", "-w", "-DHAVE_UNISTD_H",
                   "-D_LARGEFILE64_SOURCE=1", "-Wl,-soname,libz.so.1", "-o", "libz.so.1",
                   *(f"{name}.c" for name in ZLIB_SOURCES)], cwd=folder)
        library = into / "lib" / "x86_64-linux-musl"
        library.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "libz.so.1", library)


CLIENTS = {"apt": Zoo.fetch_apt, "pip": Zoo.fetch_pip, "npm": Zoo.fetch_npm, "musl-zlib": Zoo.fetch_musl_zlib}


def source_kinds(architecture):
    return ["deb-src"] if architecture == "source" else ["deb"]


def apt_limits():
    return ["-o", "Acquire::Retries=1", "-o", f"Acquire::http::Timeout={NETWORK_SECONDS}",
            "-o", f"Acquire::https::Timeout={NETWORK_SECONDS}"]


def checked(part, folder, pattern):
    """The one file that was fetched, if it is the one that was meant."""
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise Missing(f"{part.client} left {len(found)} files")
    have = hashlib.sha256(found[0].read_bytes()).hexdigest()
    if have != part.sha256:
        raise Missing(f"{found[0].name} has SHA-256 {have}, expected {part.sha256}")
    return found[0]


def make_skeleton(root):
    for name in SKELETON:
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    for name in MERGED:
        with contextlib.suppress(FileExistsError):
            (root / name).symlink_to(f"usr/{name}")
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")


def make_executable(folder):
    """zipfile drops the modes, and not all wheels have them."""
    for path in folder.rglob("*"):
        if path.is_file() and (path.parent.name == "bin" or path.name == "jspawnhelper"):
            path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
