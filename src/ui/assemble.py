#!/usr/bin/env python3
"""Makes one self-contained page: scripts and style sheets are inlined, the Content-Security-Policy has their hashes.

usage: assemble.py PAGE OUTPUT [POLICY]

@SCRIPTS@ and @STYLES@ in PAGE stand for the hashes. POLICY gets the value of the Content-Security-Policy header.
"""
import base64
import hashlib
import pathlib
import re
import sys

META = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')


def hashes(tag, page):
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
    return " ".join("'sha256-" + base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() + "'" for t in found)


def assemble(page):
    text = page.read_text(encoding="utf-8")
    for tag in ("script", "style"):
        if re.search(rf"<{tag}>", text):
            sys.exit(f"{page}: <{tag}> with its text in the page; put it into a file of its own")

    def inline(tag):
        return lambda m: f"<{tag}>\n{(page.parent / m[1]).read_text(encoding='utf-8')}</{tag}>"
    text = re.sub(r'<link rel="stylesheet" href="([^"]+)">', inline("style"), text)
    text = re.sub(r'<script src="([^"]+)"></script>', inline("script"), text)
    return text.replace("@SCRIPTS@", hashes("script", text)).replace("@STYLES@", hashes("style", text))


def main():
    page, output, *policy = [pathlib.Path(argument) for argument in sys.argv[1:]]
    text = assemble(page)
    output.write_text(text, encoding="utf-8")
    for file in policy: # what a header can say and a page cannot comes on top
        file.write_text(META.search(text)[1] + "; frame-ancestors 'none'", encoding="utf-8")


main()
