"""A headless Chromium driven through ChromeDriver's own protocol (W3C WebDriver over HTTP), with nothing to install in Python."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # how the protocol marks a reference to an element


def browser_is_installed() -> bool:
    """Whether there is a Chromium and its driver to test with."""
    return shutil.which("chromedriver") is not None and _chromium() is not None


def _chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """One window."""

    def __init__(self, address: str):
        self.address = address

    def ask(self, method: str, path: str, **body: Any) -> Any:
        data = json.dumps(body).encode() if method == "POST" else None
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=200) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            error.msg = json.load(error)["value"]["message"].split("\n")[0]  # what the driver says of it
            raise

    def open(self, page: Path) -> None:
        self.ask("POST", "/url", url=page.as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript in the page; `return` gives the value."""
        return self.ask("POST", "/execute/sync", script=script, args=list(arguments))

    def element(self, selector: str) -> str:
        return self.ask("POST", "/element", using="css selector", value=selector)[ELEMENT]

    def click(self, selector: str) -> None:
        """Click what is there now: a page that draws itself anew may do so between finding an element and clicking it."""
        for _ in range(2):
            try:
                self.ask("POST", f"/element/{self.element(selector)}/click")
                return
            except urllib.error.HTTPError as error:
                if error.code != 404:
                    raise
        self.ask("POST", f"/element/{self.element(selector)}/click")

    def hover(self, selector: str) -> None:
        """Move the mouse to the middle of an element."""
        move = {"type": "pointerMove", "x": 0, "y": 0, "origin": {ELEMENT: self.element(selector)}}
        self.ask("POST", "/actions", actions=[{"type": "pointer", "id": "mouse", "actions": [move]}])

    def press(self, key: str) -> None:
        actions = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.ask("POST", "/actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def resize(self, width: int, height: int) -> None:
        """The window's size; Chromium's own is at least 500 wide, so a phone is simulated."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}
        self.ask("POST", "/goog/cdp/execute", cmd="Emulation.setDeviceMetricsOverride", params=metrics)

    def console(self) -> list[str]:
        """What the page complained about."""
        return [entry["message"] for entry in self.ask("POST", "/se/log", type="browser")]

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.ask("GET", "/screenshot")))


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile, closed at the end."""
    driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert driver.stdout is not None
    try:
        line = next(line for line in driver.stdout if "started successfully on port" in line)
        server = f"http://127.0.0.1:{line.rsplit(' ', 1)[1].strip().rstrip('.')}"
        switches = [
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
            *("--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}"),
        ]
        options = {"binary": _chromium(), "args": switches}
        wanted = {
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"script": 150_000},  # ms: a busy machine is no mistake
        }
        session = Browser(server).ask("POST", "/session", capabilities={"alwaysMatch": wanted})["sessionId"]
        window = Browser(f"{server}/session/{session}")
        try:
            yield window
        finally:
            window.ask("DELETE", "")  # else Chromium lives on, and its driver is waited for without end
    finally:
        driver.terminate()
        driver.communicate()
