#!/usr/bin/env python3
"""Makes one self-contained page: its modules are bundled and inlined with the style sheets that they import, the
Content-Security-Policy has their hashes.

usage: assemble.py PAGE OUTPUT MODULES DEPFILE [POLICY]

In PAGE, `<script src="x.tsx">` stands for the script and `<link rel="stylesheet" href="x.tsx">` for the style sheet
that esbuild makes of that module; @SCRIPTS@ and @STYLES@ for the hashes. MODULES is the folder with the modules of
others. DEPFILE gets what the page was made of, for Ninja; POLICY the value of the Content-Security-Policy header.
"""
import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

META = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')
SCRIPT = re.compile(r'<script src="([^"]+)"></script>')
STYLE = re.compile(r'<link rel="stylesheet" href="([^"]+)">')


def hashes(tag, page):
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
    return " ".join("'sha256-" + base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() + "'" for t in found)


def bundle(module, modules):
    """The script and the style sheet of a module with all that it imports, and the files that they are made of."""
    with tempfile.TemporaryDirectory() as work:
        out, meta = pathlib.Path(work) / "out", pathlib.Path(work) / "meta.json"
        # baseUrl of web/tsconfig.json is the folder "build": in any other, a second preact would come from there.
        own = pathlib.Path(work) / "tsconfig.json"
        own.write_text("{}")
        subprocess.run(["esbuild", str(module), "--bundle", "--minify", "--charset=utf8", "--target=es2020",
                        "--format=iife", "--jsx=automatic", "--jsx-import-source=preact", "--legal-comments=inline",
                        "--log-level=warning", f"--outfile={out}.js", f"--metafile={meta}",
                        f"--tsconfig={own}"],
                       env=os.environ | {"NODE_PATH": str(modules.resolve())}, check=True)
        style = out.with_suffix(".css")
        return {"script": out.with_suffix(".js").read_text(encoding="utf-8"),
                "style": style.read_text(encoding="utf-8") if style.exists() else "",
                "files": list(json.loads(meta.read_text())["inputs"])}


def check_places(files, modules):
    """A second copy of a module from elsewhere builds, and breaks in the browser."""
    places = [pathlib.Path(__file__).resolve().parent / "web", modules.resolve()]
    for file in files:
        if not any(pathlib.Path(file).resolve().is_relative_to(place) for place in places):
            sys.exit(f"{file}: neither a module of the pages nor below {modules}")


def licences(files, modules):
    """Of the modules of others that are in a page: each asks to be copied with its licence only."""
    folder = modules.resolve()
    inside = {pathlib.Path(file).resolve().relative_to(folder).parts[0] for file in files
              if pathlib.Path(file).resolve().is_relative_to(folder)}
    return "".join(f"<!--\n{name}\n\n{(modules / name / 'LICENSE').read_text(encoding='utf-8').strip()}\n-->\n"
                   for name in sorted(inside))


def assemble(page, modules):
    text = page.read_text(encoding="utf-8")
    for tag in ("script", "style"):
        if re.search(rf"<{tag}>", text):
            sys.exit(f"{page}: <{tag}> with its text in the page; put it into a file of its own")
    bundles = {name: bundle(page.parent / name, modules) for name in set(SCRIPT.findall(text) + STYLE.findall(text))}
    text = STYLE.sub(lambda m: f"<style>\n{bundles[m[1]]['style']}</style>", text)
    text = SCRIPT.sub(lambda m: f"<script>\n{bundles[m[1]]['script']}</script>", text)
    text = text.replace("@SCRIPTS@", hashes("script", text)).replace("@STYLES@", hashes("style", text))
    made_of = sorted({str(page)} | {file for one in bundles.values() for file in one["files"]})
    check_places(made_of, modules)
    return text + licences(made_of, modules), made_of


def main():
    page, output, modules, depfile, *policy = [pathlib.Path(argument) for argument in sys.argv[1:]]
    text, made_of = assemble(page, modules)
    output.write_text(text, encoding="utf-8")
    depfile.write_text(f"{output}: " + " ".join(name.replace(" ", "\\ ") for name in made_of) + "\n")
    for file in policy: # what a header can say and a page cannot comes on top
        file.write_text(META.search(text)[1] + "; frame-ancestors 'none'", encoding="utf-8")


main()
