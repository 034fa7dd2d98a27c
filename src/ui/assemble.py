#!/usr/bin/env python3
"""Makes one self-contained page: its scripts and style sheets go in, and its Content-Security-Policy names them by hash.

usage: assemble.py PAGE OUTPUT    @SCRIPTS@ and @STYLES@ in PAGE stand for the hashes
"""
import base64
import hashlib
import pathlib
import re
import sys


def hashes(tag, page):
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
    return " ".join("'sha256-" + base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() + "'" for t in found)


def main():
    page, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    text = page.read_text(encoding="utf-8")

    def inline(tag):
        return lambda m: f"<{tag}>\n{(page.parent / m[1]).read_text(encoding='utf-8')}</{tag}>"
    text = re.sub(r'<link rel="stylesheet" href="([^"]+)">', inline("style"), text)
    text = re.sub(r'<script src="([^"]+)"></script>', inline("script"), text)
    text = text.replace("@SCRIPTS@", hashes("script", text)).replace("@STYLES@", hashes("style", text))
    output.write_text(text, encoding="utf-8")


main()
