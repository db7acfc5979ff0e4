import http.client
import socket
import sys
import threading
import time
from urllib.request import urlopen

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")

from edge_mnist.errors import InvalidInputError  # noqa: E402 - needs cv2
from edge_mnist.vision.view import View, ViewAddress  # noqa: E402

ANY_PORT = ViewAddress("127.0.0.1", 0)


@pytest.fixture
def view():
    view = View(ANY_PORT)
    yield view
    view.close()


@pytest.fixture
def watch(view):
    """Return a function that opens the stream."""
    streams = []

    def open_stream():
        streams.append(urlopen(view.url + "stream", timeout=10))  # noqa: S310 - our own server
        return streams[-1]

    yield open_stream
    for stream in streams:
        stream.close()


def paint(level, size=(48, 64)):
    return np.full((*size, 3), level, np.uint8)


def read_level(stream):
    """Return the grey level of the next frame of a stream."""
    assert stream.readline() == b"--frame\r\n"
    headers = http.client.parse_headers(stream)
    assert headers["Content-Type"] == "image/jpeg"
    jpeg = stream.read(int(headers["Content-Length"]))
    assert stream.readline() == b"\r\n"
    return round(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).mean())


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("8080", "127.0.0.1", 8080),
        (":8080", "127.0.0.1", 8080),
        ("0.0.0.0:0", "0.0.0.0", 0),  # noqa: S104 - as a user may
        ("pi.local:80", "pi.local", 80),
        ("[::1]:65535", "::1", 65535),
    ],
)
def test_address_is_read(text, host, port):
    assert ViewAddress.parse(text) == ViewAddress(host, port)


@pytest.mark.parametrize("text", ["", "localhost", "localhost:", "1:65536", "1:-1", "1:²", "a:b"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(InvalidInputError) as refused:
        ViewAddress.parse(text)
    assert str(refused.value) == (
        f"--view: expected HOST:PORT or PORT, as 127.0.0.1:8080, got {text!r}"
    )


def test_page_shows_the_stream(view):
    with urlopen(view.url, timeout=10) as page:  # noqa: S310 - our own server
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert b'src="/stream"' in page.read()


@pytest.mark.parametrize("path", ["/other", "/../secret", "/stream/"])
def test_there_is_nothing_else(view, path):
    connection = http.client.HTTPConnection(view.url.split("/")[2], timeout=10)
    connection.request("GET", path)
    assert connection.getresponse().status == 404
    connection.close()


def test_viewer_gets_the_newest_frame_and_those_after(view, watch):
    for level in (10, 20, 30):
        view.show(paint(level))
    stream = watch()
    assert stream.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"
    assert read_level(stream) == 30
    view.show(paint(40))
    assert read_level(stream) == 40


def test_many_viewers_see_the_same(view, watch):
    streams = [watch() for _ in range(5)]
    for level in (10, 200):
        view.show(paint(level))
        assert [read_level(stream) for stream in streams] == [level] * 5


def test_slow_viewer_misses_frames_and_holds_up_nobody(view, watch):
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    slow, quick = watch(), watch()
    started = time.perf_counter()
    for _ in range(20):  # 20 MB, which no socket keeps
        view.show(noise)
        read_level(quick)
    view.show(paint(77))
    assert read_level(quick) == 77
    assert time.perf_counter() - started < 10, "waited for the slow one"
    levels = []
    while not levels or levels[-1] != 77:
        levels.append(read_level(slow))
    assert len(levels) < 20


def test_viewer_that_goes_away_is_forgotten_without_a_word(view, watch, capfd):
    address = view.url.split("/")[2].split(":")
    before = threading.active_count()
    for request in (b"GET /stream HTTP/1.0\r\n\r\n", b"GET /str", b""):
        gone = socket.create_connection((address[0], int(address[1])))
        gone.sendall(request)
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        gone.close()  # resets the connection
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        view.show(noise)
        time.sleep(0.01)
    assert threading.active_count() <= before
    stream = watch()
    view.show(paint(50))
    while read_level(stream) != 50:
        pass
    assert capfd.readouterr() == ("", "")


def test_closing_ends_the_stream_and_frees_the_port():
    view = View(ANY_PORT)
    view.show(paint(10))
    stream = urlopen(view.url + "stream", timeout=10)  # noqa: S310 - our own server
    read_level(stream)
    view.close()
    assert stream.read() == b""
    stream.close()
    again = View(ViewAddress("127.0.0.1", int(view.url.split(":")[2].strip("/"))))
    again.close()


def test_busy_port_is_told(view):
    port = int(view.url.split(":")[2].strip("/"))
    with pytest.raises(InvalidInputError) as refused:
        View(ViewAddress("127.0.0.1", port))
    if sys.platform == "linux":
        assert str(refused.value) == (
            f"--view: cannot serve on 127.0.0.1:{port}: got Address already in use; "
            "choose another, or port 0 for any that is free"
        )


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_address_of_another_machine_is_told(host):
    with pytest.raises(InvalidInputError, match=f"--view: cannot serve on {host}:0: got "):
        View(ViewAddress(host, 0))
