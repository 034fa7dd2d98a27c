"""`smolder fmt` and `smolder validate` as commands: files, standard input, exit statuses, what is left alone."""
import json
import os
import stat
import subprocess

from lab import check, equal, test

TEN_MEGABYTES = 10 << 20


def call(lab, *args, text=None):
    """(status, standard output, standard error) in the test's folder."""
    done = subprocess.run([lab.smolder, *args], cwd=lab.dir, input=text,
                          stdin=subprocess.DEVNULL if text is None else None,
                          capture_output=True, text=isinstance(text, str) or text is None, timeout=120)
    return done.returncode, done.stdout, done.stderr


@test
def fmt_reads_standard_input(lab):
    for args in ([], ["-"]):
        equal(call(lab, "fmt", *args, text="a=1"), (0, "a = 1\n", ""), f"fmt {args}")
    equal(call(lab, "format", text="b { }"), (0, "b { }\n", ""), "the other name")
    equal(call(lab, "fmt", text=b"\xef\xbb\xbfa = 1\r\nb = 2\r\n"), (0, b"a = 1\nb = 2\n", b""),
          "mark and carriage returns")
    equal(call(lab, "fmt", "-t", text="a = 1\n"), (0, "", ""), "well formatted")
    equal(call(lab, "fmt", "-t", text="a=1\n"), (1, "", "file <stdin> is not formatted correctly\n"), "badly formatted")
    equal(call(lab, "fmt", "-w", text="a=1\n"), (2, "", "smolder fmt: cannot use -w with standard input\n"), "-w")
    equal(call(lab, "fmt", text="a = }\nb = }\n"),
          (1, "", "<stdin>:1:5: expected expression, got }\n<stdin>:2:5: expected expression, got }\n"
                  "smolder fmt: encountered errors during formatting\n"), "mistakes")


@test
def fmt_without_the_faults_of_the_reference(lab):
    """Calls without arguments over lines, backslashes in keys, tabs and blanks at line ends in either kind of
    string."""
    text = 'a = f(\n)\nb = {"x\\\\y" = 1}\nc = `tab\there  \n  `\nd = "tab\there"\n'
    want = 'a = f()\nb = {"x\\\\y" = 1}\nc = `tab\there  \n  `\nd = "tab\there"\n'
    equal(call(lab, "fmt", text=text), (0, want, ""), "once")
    equal(call(lab, "fmt", text=want), (0, want, ""), "twice")


@test
def fmt_rewrites_what_differs_and_nothing_else(lab):
    good, bad, link = lab.file("good.alloy", "a = 1\n"), lab.file("bad.alloy", "a=1\n"), lab.dir / "link.alloy"
    broken = lab.file("broken.alloy", "a = [\n")
    link.symlink_to("bad.alloy")
    bad.chmod(0o640)
    os.utime(good, (1, 1))
    status, out, err = call(lab, "fmt", "-w", "good.alloy", "broken.alloy", "link.alloy")
    equal((status, out), (1, ""), "a broken file among others")
    equal(err, "broken.alloy:2:1: expected expression, got EOF\nsmolder fmt: encountered errors during formatting\n",
          "messages")
    equal(good.stat().st_mtime, 1, "the time of the good file")
    equal(broken.read_text(), "a = [\n", "the broken file")
    check(link.is_symlink(), "the link became a file")
    equal((bad.read_text(), stat.S_IMODE(bad.stat().st_mode)), ("a = 1\n", 0o640), "the bad file")
    equal(call(lab, "fmt", "-t", "good.alloy", "bad.alloy"), (0, "", ""), "both are good now")
    lab.file("empty.alloy", "")
    equal(call(lab, "fmt", "-t", "empty.alloy"), (1, "", "file empty.alloy is not formatted correctly\n"),
          "an empty file")


@test
def fmt_says_what_it_cannot_do(lab):
    for args, status, why in ((["-w", "-t", "x"], 2, "cannot use -w/--write and -t/--test at the same time"),
                              (["."], 2, "cannot format a directory: .; pass its files"),
                              (["nothing.alloy"], 3, "nothing.alloy: No such file or directory"),
                              (["-x"], 2, "unknown flag -x; see --help")):
        equal(call(lab, "fmt", *args), (status, "", f"smolder fmt: {why}\n"), f"fmt {args}")
    (lab.dir / "large.alloy").write_text("a = 1\n" * (TEN_MEGABYTES // 6))
    equal(call(lab, "fmt", "large.alloy"), (1, "", "smolder fmt: large.alloy: larger than 4 MiB\n"
                  "smolder fmt: encountered errors during formatting\n"), "ten megabytes")


@test
def validate_takes_files_and_directories(lab):
    folder = lab.dir / "conf"
    folder.mkdir()
    (folder / "a.alloy").write_text('discovery.relabel "a" {\n\ttargets = discovery.process.b.targets\n}\n')
    (folder / "b.alloy").write_text('discovery.process "b" { }\n')
    (folder / "c.txt").write_text("no configuration")
    (lab.dir / "link").symlink_to("conf")
    for paths in (["conf"], ["link"], ["conf/a.alloy", "conf/b.alloy"]):
        equal(call(lab, "validate", *paths), (0, "", ""), f"validate {paths}")
    status, out, err = call(lab, "validate", "conf/a.alloy")
    equal((status, out), (1, ""), "half of it")
    check('Error: conf/a.alloy:2:12: component "discovery.process.b.targets" does not exist or is out of scope' in err,
          err)
    check(err.endswith("\nError: validation failed\n"), err)
    (lab.dir / "none").mkdir()
    equal(call(lab, "validate", "none"), (0, "", ""), "an empty directory")
    equal(call(lab, "validate", "missing"),
          (3, "", 'Error: reading config path "missing": No such file or directory\n'), "a missing path")


@test
def validate_finds_the_encoding_before_anything_else(lab):
    for name, data, why in (("u16", b"\xff\xfea\0", "configuration is encoded with UTF-16LE but must be utf8"),
                            ("bad", b'a = "\xff"\n', "unknown encoding for config")):
        (lab.dir / name).write_bytes(data)
        equal(call(lab, "validate", name), (1, "", f"Error: {name}: {why}\n\nError: validation failed\n"), name)


@test
def validate_warns_and_fails_only_if_asked_to(lab):
    lab.file("old.alloy", 'logging {\n\tlevel  = coalesce(env("A"), env("B"), "info")\n\tformat = "json"\n}\n')
    status, out, err = call(lab, "validate", "old.alloy")
    equal((status, out, err.count("Warning: old.alloy:2:"), "Error" in err), (0, "", 2, False),
          "one warning for each use")
    equal(call(lab, "validate", "--strict", "old.alloy")[0], 1, "--strict")
    status, out, err = call(lab, "validate", "--format=json", "old.alloy")
    report = json.loads(out)
    equal((status, err, report["valid"], report["errors"], report["warnings"]), (0, "", True, 0, 2), "as JSON")
    equal({k: v for k, v in report["diagnostics"][1].items() if k != "message"},
          {"severity": "warning", "file": "old.alloy", "line": 2, "column": 30, "end_line": 2, "end_column": 32},
          "the second")
    lab.file("new.alloy", 'logging {\n\tlevel = array.group_by([], "a", true)\n}\n')
    status, out, err = call(lab, "validate", "new.alloy")
    check(status == 1 and 'array.group_by is at stability level "experimental"' in err, err)
    status, out, err = call(lab, "validate", "--stability.level=experimental", "new.alloy")
    check("stability level" not in err, err)


@test
def hostile_files_are_answered_at_once(lab):
    """Each takes seconds at most; what is quadratic would take hours, and the call has a deadline."""
    labels = "".join(f"k{i} = 1," for i in range(300000))
    shapes = {
        "large": "a = 1\n" * (TEN_MEGABYTES // 6),
        "labels": f'discovery.relabel "a" {{\n\ttargets = [{{{labels}}}]\n}}\n',
        "names": "".join(f'discovery.relabel "a{i}" {{\n\ttargets = discovery.relabel.a{i + 1}.output\n}}\n'
                         for i in range(50000)),
        "deep": "a {\n" * 100000,
        "word": 'logging {\n\tlevel = "' + "x" * 4000000 + '"\n}\n',
        "errors": 'pyroscope.write "a" {\n' + "urll = 1\n" * 120000 + "}\n",
        "line": "a = " + "# " * 2000000 + "\n",
    }
    for name, text in shapes.items():
        lab.file(name, text)
        status, out, err = call(lab, "validate", name)
        check(status in (0, 1) and len(err) < 4 << 20, f"{name}: {status}, {len(err)} bytes: {err[:300]}")
        status, out, err = call(lab, "fmt", name)
        check(status in (0, 1) and len(err) < 4 << 20, f"{name}: {status}, {len(err)} bytes: {err[:300]}")
