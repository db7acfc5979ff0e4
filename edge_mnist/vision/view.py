"""Frames as a page that a browser shows (MJPEG over HTTP)."""

import os
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer

import cv2

from edge_mnist.errors import InvalidInputError
from edge_mnist.vision.frames import Picture

DEFAULT_HOST = "127.0.0.1"
JPEG_QUALITY = 80
# A viewer that takes nothing for this long has gone without a word.
VIEWER_TIMEOUT_S = 10.0

PAGE = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>edge-mnist</title>
<style>
  body { margin: 0; background: #111; }
  img { display: block; width: 100%; height: 100vh; object-fit: contain; }
</style>
<img src="/stream" alt="What the camera sees, with the digits that were read">
</html>
"""


@dataclass(frozen=True)
class ViewAddress:
    """Where the page is served.

    Attributes:
        host: A name or an address of this machine.
        port: 0 for any that is free.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "ViewAddress":
        """Read HOST:PORT, [IPv6]:PORT or PORT.

        Raises:
            InvalidInputError: If it is something else.
        """
        host, _, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not (port.isascii() and port.isdigit() and int(port) <= 65535):
            raise InvalidInputError(
                "--view", expected="HOST:PORT or PORT, as 127.0.0.1:8080", got=repr(text)
            )
        return cls(host or DEFAULT_HOST, int(port))


class View:
    """A server whose viewers get the newest frame each time that they have taken the last.

    Viewers are served by threads of their own, so that slow ones miss frames and hold up nobody.

    Attributes:
        url: Where the page is.
    """

    def __init__(self, address: ViewAddress) -> None:
        """Start to serve.

        Raises:
            InvalidInputError: If the address is in use, or not one of this machine.
        """
        self._newest = _NewestFrame()
        try:
            self._server = _Server(address, self._newest)
        except OSError as exc:
            raise InvalidInputError(
                f"--view: cannot serve on {address.host}:{address.port}",
                got=exc.strerror or str(exc),
                remedy="choose another, or port 0 for any that is free",
            ) from exc
        host = f"[{address.host}]" if ":" in address.host else address.host
        self.url = f"http://{host}:{self._server.server_address[1]}/"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )
        self._thread.start()

    def show(self, picture: Picture) -> None:
        """Show a picture, uint8 [height, width, 3], to whoever watches."""
        self._newest.put(picture)

    def close(self) -> None:
        """Stop serving; twice does no harm."""
        self._newest.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _NewestFrame:
    """The newest frame, which viewers wait for; the first to take it makes it a JPEG for all."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._picture: Picture | None = None
        self._count = 0
        self._is_closed = False
        self._encoding = threading.Lock()
        self._jpeg = b""
        self._encoded_count = 0

    def put(self, picture: Picture) -> None:
        with self._changed:
            self._picture = picture
            self._count += 1
            self._changed.notify_all()

    def wait(self, seen: int) -> tuple[bytes, int]:
        """Return the newest frame and its number, as soon as it is not `seen`; b"" at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._count != seen)
            picture, count = self._picture, self._count
        if self._is_closed or picture is None:
            return b"", count
        with self._encoding:
            if self._encoded_count < count:
                quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
                self._jpeg = cv2.imencode(".jpg", picture, quality)[1].tobytes()
                self._encoded_count = count
            return self._jpeg, self._encoded_count

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    # Elsewhere it lets two programs have the same port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, address: ViewAddress, newest: _NewestFrame) -> None:
        self.newest = newest
        if ":" in address.host:
            self.address_family = socket.AF_INET6
        super().__init__((address.host, address.port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = VIEWER_TIMEOUT_S

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError):  # the viewer has gone
            super().handle()

    def do_GET(self) -> None:
        if self.path == "/":
            self._send_page()
        elif self.path == "/stream":
            self._send_stream()
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _send_page(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def _send_stream(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        seen = 0
        while True:
            jpeg, seen = self.server.newest.wait(seen)
            if not jpeg:
                return
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing: stderr is for what the user must know."""
