#!/usr/bin/env python3
"""Looks at built programs for what the build is to protect them with, and for what delays their start.

usage: tests/hardening/check.py SMOLDER LAUNCHER    needs readelf; exit status 1 when something is missing, 77 without
readelf
"""
import pathlib
import re
import shutil
import subprocess
import sys

ENDBR64, PACIASP, BTI_C = b"\xf3\x0f\x1e\xfa", b"\x3f\x23\x03\xd5", b"\x5f\x24\x03\xd5"
LEAST_ENTRIES = 50  # functions that begin so: more than the C library's own start-up code has


class Program:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.headers = self.readelf("-hlW")
        self.dynamic = self.readelf("-dW")

    def readelf(self, *options):
        done = subprocess.run(["readelf", *options, str(self.path)], capture_output=True, text=True, check=True,
                              env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
        return done.stdout

    def segment_flags(self, kind):
        found = re.search(rf"^\s+{kind}(?:\s+0x[0-9a-f]+)+\s+([RWE ]{{3}})", self.headers, re.M)
        return found[1] if found else None

    def writable_code(self):
        return [line for line in self.headers.splitlines() if re.search(r"^\s+LOAD\b.*\bRWE\b", line)]

    def machine(self):
        return re.search(r"Machine:\s+(.*)", self.headers)[1]

    def protected_entries(self):
        """How many functions a branch may go to by the processor's own check."""
        found = re.search(r"\s\.text\s+PROGBITS\s+[0-9a-f]+\s+([0-9a-f]+)\s+([0-9a-f]+)", self.readelf("-SW"))
        start, size = int(found[1], 16), int(found[2], 16)
        code = self.path.read_bytes()[start:start + size]
        marks = [ENDBR64] if "X86-64" in self.machine() else [PACIASP, BTI_C]
        return sum(code.count(mark) for mark in marks)


def missing(program):
    """What every program is to have."""
    if "DYN (" not in program.headers or "PIE" not in program.dynamic:
        yield "it is no position-independent executable"
    if program.segment_flags("GNU_RELRO") is None:
        yield "no GNU_RELRO"
    if "BIND_NOW" not in program.dynamic and not re.search(r"FLAGS_1.*\bNOW\b", program.dynamic):
        yield "no BIND_NOW: the table of functions stays writable"
    if "E" in (program.segment_flags("GNU_STACK") or "E"):
        yield "an executable stack"
    if program.writable_code():
        yield f"memory that is writable and executable: {program.writable_code()}"
    if "TEXTREL" in program.dynamic:
        yield "relocations in its code"
    if re.search("X86-64|AArch64", program.machine()) and program.protected_entries() < LEAST_ENTRIES:
        yield f"only {program.protected_entries()} functions with branch protection"


def missing_checks(program):
    """What is seen only where the C library is shared: which of its checks are called."""
    symbols = set(re.findall(r"UND (__\w+?_chk|__stack_chk_fail)\b", program.readelf("--dyn-syms", "-W")))
    if "__stack_chk_fail" not in symbols:
        yield "no stack protector"
    if len(symbols) < 5:
        yield f"few checked calls: {sorted(symbols)}"


def loaded_too_early(program):
    """Libraries that are slow to load: most processes do without them, or they are in the program itself."""
    late = r"lib(stdc\+\+|gcc_s|re2|sqlite3|curl|gnutls|microhttpd|zstd|lzma|lz4)[-.]"
    for library in re.findall(r"\(NEEDED\).*\[(.*)\]", program.dynamic):
        if re.match(late, library):
            yield f"{library} is loaded by every process"


def main():
    if not shutil.which("readelf"):
        print("skip: no readelf")
        return 77
    smolder, launcher = (Program(path) for path in sys.argv[1:])
    wrong = {smolder.path.name: [*missing(smolder), *missing_checks(smolder), *loaded_too_early(smolder)],
             launcher.path.name: [*missing(launcher)]}
    for name, found in wrong.items():
        print(f"{'FAIL' if found else 'ok  '} {name}{': ' + '; '.join(found) if found else ''}")
    return 1 if any(wrong.values()) else 0


sys.exit(main())
