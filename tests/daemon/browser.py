"""A headless Chromium, driven over its debugging pipe (Chrome DevTools Protocol): NUL-terminated JSON on descriptors 3
and 4."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

from lab import ROOT, Failure, Skip, check


def program():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return shutil.which(name)
    raise Skip("no Chromium here")


# Without these, the browser itself does not know the keys: buttons, dialogs and the order of elements are its matter.
KEY_CODES = {"Tab": 9, "Enter": 13, "Escape": 27}


class Browser:
    """`machine`: whose network the browser is in; None = ours."""

    def __init__(self, width=1280, height=800, dark=False, machine=None):
        command = program()
        network = ["nsenter", "-t", str(machine.init), "-n", "--"] if machine else []
        self.profile = tempfile.mkdtemp(prefix="smolder-browser-", dir="/var/tmp")
        to_read, self.to = os.pipe()
        self.got, to_write = os.pipe()

        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{to_write}', "bash", *network, command, "--headless=new",
             "--no-sandbox",
             "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", f"--window-size={width},{height}",
             f"--user-data-dir={self.profile}", "--remote-debugging-pipe"],
            pass_fds=(to_read, to_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.buffer, self.last, self.events, self.session, self.measures = b"", 0, [], None, False
        self.fingers = 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        if dark:
            self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.got)
        shutil.rmtree(self.profile, ignore_errors=True)

    def _receive(self, deadline):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.got], [], [], max(0, deadline - time.monotonic()))
            check(ready, "the browser does not answer")
            data = os.read(self.got, 1 << 20)
            check(data, "the browser ended")
            self.buffer += data
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, seconds=40, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + seconds
        while True:
            answer = self._receive(deadline)
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise Failure(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url):
        self.call("Page.navigate", url=url)

    def run(self, script):
        """The value of an expression in the page; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise Failure(f"in the page: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition, seconds=40):
        deadline = time.monotonic() + seconds
        while True:
            value = self.run(condition)
            if value:
                return value
            check(time.monotonic() < deadline, f"the page never came to: {condition}")
            time.sleep(0.05)

    def busy(self):
        """CPU time of the page's main thread so far, in seconds: scripts, styles, layout. What else the machine does
        hardly changes it."""
        if not self.measures:
            self.call("Performance.enable", timeDomain="threadTicks")
            self.measures = True
        metrics = self.call("Performance.getMetrics")["metrics"]
        return next(m["value"] for m in metrics if m["name"] == "TaskDuration")

    def key(self, key):
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        code = {"windowsVirtualKeyCode": KEY_CODES[key]} if key in KEY_CODES else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text, **code)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, **code)

    def mouse(self, kind, x, y):
        press = {"button": "left", "clickCount": 1} if kind != "mouseMoved" else {}
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **press)

    def click(self, x, y):
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y)
        self.mouse("mouseReleased", x, y)

    def touch(self, *points):
        """Fingers at these points; those that were down and are not among them are lifted."""
        kind = "touchEnd" if not points else "touchMove" if self.fingers == len(points) else "touchStart"
        self.fingers = len(points)
        self.call("Input.dispatchTouchEvent", type=kind,
                  touchPoints=[{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)])

    def picture(self, name):
        """What the page looks like, kept as a file of the build."""
        folder = ROOT / "build" / "screenshots"
        folder.mkdir(parents=True, exist_ok=True)
        data = self.call("Page.captureScreenshot")["data"]
        (folder / f"{name}.png").write_bytes(base64.b64decode(data))

    def problems(self, server="file:"):
        """What the console and the security policy complained about, and every request that was not to `server` and no
        data."""
        found = []
        for e in self.events:
            p = e.get("params", {})
            if e.get("method") == "Runtime.exceptionThrown":
                found.append(str(p["exceptionDetails"]))
            elif e.get("method") == "Log.entryAdded" and p["entry"]["level"] == "error":
                found.append(p["entry"]["text"])
            elif e.get("method") == "Network.requestWillBeSent" and not p["request"]["url"].startswith(
                    (server, "data:", "blob:", "about:")):
                found.append("request of " + p["request"]["url"])
        return found
