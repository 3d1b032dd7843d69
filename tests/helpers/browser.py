"""Pages as Chromium shows them, headless: how wide they are, what colours, and what they ask for.

The pages lie on a server of this machine, and Chromium finds no other one.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
_DARK, _LIGHT = 0, 1  # as Blink numbers the schemes that a person can prefer
_SECONDS = 120
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--window-size=1400,2000"),
    "--dump-dom",
)

# Each page lies in a frame of its own width. What sticks out of it and cannot be scrolled to is
# named by its tag and text.
_FRAMES = """<!DOCTYPE html><body>{frames}<pre id="seen"></pre><script>
function looked(frame) {{
  const page = frame.contentDocument, width = page.documentElement.clientWidth;
  const out = [...page.querySelectorAll("body *")].filter((element) =>
    !element.closest("svg") && !element.parentElement.closest(".wide") &&
    element.getBoundingClientRect().right > width + 0.5);
  const style = page.defaultView.getComputedStyle(page.body);
  return {{
    name: frame.name, width: width, needed: page.documentElement.scrollWidth,
    out: out.map((element) => element.tagName + " " + element.textContent.slice(0, 40)),
    paper: style.backgroundColor, height: page.body.getBoundingClientRect().height,
    pictures: [...page.images].filter((image) => image.naturalWidth > 0).length,
    asked: page.defaultView.performance.getEntriesByType("resource").map((entry) => entry.name),
  }};
}}
addEventListener("load", () => {{
  const seen = [...document.querySelectorAll("iframe")].map(looked);
  document.getElementById("seen").textContent = JSON.stringify(seen);
}});
</script>"""


def seen(
    pages: Mapping[str, tuple[bytes, int]], folder: Path, *, is_dark: bool = False
) -> dict[str, dict[str, Any]]:
    """What Chromium makes of pages, by name: their bodies, and the widths of their frames."""
    frames = "".join(
        f'<iframe name="{name}" src="{name}.html" width="{width}" height="20000"'
        ' style="border:0"></iframe>'
        for name, (_, width) in pages.items()
    )
    bodies = {f"/{name}.html": body for name, (body, _) in pages.items()}
    with _served({**bodies, "/": _FRAMES.format(frames=frames).encode()}) as port:
        command = (
            str(CHROMIUM),
            *_OPTIONS,
            f"--user-data-dir={folder}",
            f"--blink-settings=preferredColorScheme={_DARK if is_dark else _LIGHT}",
            f"http://127.0.0.1:{port}/",
        )
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=True)
    text = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout.decode(), re.DOTALL)
    assert text, done.stderr
    return {row["name"]: row for row in json.loads(html.unescape(text[1]))}


@contextmanager
def _served(bodies: Mapping[str, bytes]) -> Iterator[int]:
    """A server of these bodies, by path; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = bodies.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
