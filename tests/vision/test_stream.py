import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from edge_mnist.errors import InvalidInputError, SourceError

cv2 = pytest.importorskip("cv2")

from edge_mnist.vision.sources import open_source  # noqa: E402 - needs cv2

FRAME_S = 0.02
TIMEOUT_S = 1.5


class Handler(BaseHTTPRequestHandler):
    """Serves `server.video` as a file, and all else as frames that are pushed one by one."""

    def do_GET(self):
        if self.path.endswith(".avi"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.server.video)))
            self.end_headers()
            self.wfile.write(self.server.video)
            return
        self.send_response(200 if self.path == "/live" else 404)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        if self.path != "/live":
            return
        jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        part = head.encode() + jpeg + b"\r\n"
        try:
            while not self.server.is_cut.is_set():
                if not self.server.is_stalled.is_set():
                    self.wfile.write(part)
                time.sleep(FRAME_S)
        except ConnectionError:  # the reader has gone
            pass

    def log_message(self, *args):
        """Say nothing of requests."""


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.is_stalled, server.is_cut = threading.Event(), threading.Event()
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.is_cut.set()
        server.shutdown()
        thread.join()


def test_stream_is_read_live(server):
    source = open_source(f"{server.url}/live", timeout_s=TIMEOUT_S)
    frames = [frame for frame, _ in zip(source, range(3), strict=False)]
    source.close()
    assert (source.name, source.is_live) == (f"{server.url}/live", True)
    assert [x.picture.shape for x in frames] == [(48, 64, 3)] * 3
    assert frames[0].picture.mean() == pytest.approx(90, abs=2)


def test_stream_that_stalls_is_connected_again_and_then_given_up(server, capfd):
    told = []
    source = open_source(f"{server.url}/live", timeout_s=TIMEOUT_S, say=told.append)
    frames = iter(source)
    next(frames)
    server.is_stalled.set()
    with pytest.raises(SourceError) as error:
        list(frames)
    source.close()
    reason = (
        f"no stream at {server.url}/live: expected pictures within 1.5 s; "
        "check the address, and that the camera is on and not behind a password"
    )
    assert str(error.value) == (
        f"{server.url}/live went away: expected a picture within 1.5 s, got none ({reason})"
    )
    assert told == [f"{server.url}/live gives no pictures any more; connecting again", reason]
    assert capfd.readouterr().err == ""


def test_stream_that_breaks_off_and_comes_back(server):
    told = []
    source = open_source(f"{server.url}/live", timeout_s=5, say=told.append)
    frames = iter(source)
    next(frames)
    server.is_cut.set()
    while not told:
        time.sleep(FRAME_S)
    server.is_cut.clear()
    while len(told) < 2 or " is back after " not in told[-1]:
        next(frames)
    next(frames)
    source.close()
    assert told[0] == f"{server.url}/live gives no pictures any more; connecting again"


def test_address_without_a_stream(server, capfd):
    with pytest.raises(SourceError) as error:
        open_source(f"{server.url}/nothing", timeout_s=TIMEOUT_S)
    assert str(error.value) == (
        f"no stream at {server.url}/nothing: expected pictures within 1.5 s; "
        "check the address, and that the camera is on and not behind a password"
    )
    assert capfd.readouterr().err == ""


def test_password_is_not_shown():
    with pytest.raises(SourceError) as error:
        open_source("rtsp://me:secret@127.0.0.1:9/live", timeout_s=TIMEOUT_S)
    assert str(error.value).startswith("no stream at rtsp://127.0.0.1:9/live: expected pictures ")


def test_video_at_an_address_is_read_frame_by_frame(server, tmp_path):
    path = str(tmp_path / "clip.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 20, (64, 48))
    for number in range(20):
        writer.write(np.full((48, 64, 3), 10 * number, np.uint8))
    writer.release()
    server.video = (tmp_path / "clip.avi").read_bytes()
    source = open_source(f"{server.url}/clip.avi")
    assert [x.index for x in source] == list(range(20))
    assert (source.is_live, source.fps) == (False, 20)


def test_video_at_an_address_that_does_not_answer(capfd):
    with pytest.raises(SourceError) as error:
        open_source("http://me:secret@127.0.0.1:9/clip.mp4")
    assert str(error.value) == (
        "cannot read http://127.0.0.1:9/clip.mp4: expected a video (MP4, MOV, AVI, MKV, WebM, "
        "GIF), got no answer, something else or a damaged file"
    )
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan"), float("inf")])
def test_timeout_that_cannot_be_waited(timeout_s):
    with pytest.raises(InvalidInputError) as error:
        open_source("0", timeout_s=timeout_s)
    assert str(error.value) == (
        f"timeout: expected more than 0 s, at most 86400 s, got {timeout_s:g}"
    )


def test_address_of_another_kind():
    with pytest.raises(SourceError) as error:
        open_source("ftp://example.org/clip")
    assert str(error.value) == (
        "cannot open ftp://example.org/clip: "
        "expected an address with one of rtsp, rtsps, http, https, got ftp"
    )
