import struct
import sys
import zlib

import numpy as np
import pytest

from edge_mnist.errors import InvalidInputError

cv2 = pytest.importorskip("cv2")

from edge_mnist.vision.image_file import read_image  # noqa: E402 - needs cv2

RAMP = np.arange(0, 240, 2, np.uint8).reshape(10, 12)
FORMATS = "PNG, JPEG, BMP, TIFF, WebP, PGM"

# The types of pixels in a PNG (its specification, 11.2.1).
PALETTE, GRAY_ALPHA = 3, 4


@pytest.fixture
def save(tmp_path):
    def write(image, suffix=".png"):
        path = tmp_path / f"image{suffix}"
        path.write_bytes(image if isinstance(image, bytes) else encode(image, suffix))
        return path

    return write


def encode(image, suffix=".png"):
    return cv2.imencode(suffix, image)[1].tobytes()


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def make_png(row, width, kind, extra=b""):
    """Write a PNG of one row of bytes by hand, of kinds that OpenCV does not write."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, 8, kind, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" + bytes(row)))
    return b"\x89PNG\r\n\x1a\n" + header + extra + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".tiff", ".pgm", ".PNG"])
def test_gray_pixels_are_read_as_they_are(save, suffix):
    image = read_image(save(RAMP, suffix))
    np.testing.assert_array_equal(image, RAMP, strict=True)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp"])
def test_lossy_pixels_are_read_nearly_as_they_are(save, suffix):
    image = read_image(save(RAMP, suffix))
    assert image.dtype == np.uint8
    assert image.shape == RAMP.shape
    assert np.abs(image.astype(int) - RAMP).max() <= 12


def test_color_becomes_its_luminance(save):
    # Blue, green, red and white; ITU-R BT.601 weighs them.
    row = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    expected = [255 * 0.114, 255 * 0.587, 255 * 0.299, 255]
    assert read_image(save(row))[0] == pytest.approx(expected, abs=1)


def test_16_bits_become_8(save):
    row = np.array([[0, 0x4000, 0x8000, 0xFFFF]], np.uint16)
    assert read_image(save(row))[0] == pytest.approx([0, 64, 128, 255], abs=1)


@pytest.mark.parametrize(("dtype", "full"), [(np.uint8, 255), (np.uint16, 65_535)])
def test_transparent_becomes_white(save, dtype, full):
    # Black ink, solid, half there and absent, and white that is absent.
    row = np.zeros((1, 4, 4), dtype)
    row[0, 3, :3] = full
    row[0, :, 3] = [full, full // 2, 0, 0]
    image = read_image(save(row))
    assert image.dtype == np.uint8
    assert image[0] == pytest.approx([0, 127.5, 255, 255], abs=1)


def test_gray_with_transparency(save):
    pixels = [(0, 255), (0, 0), (255, 255), (0, 128)]
    image = read_image(save(make_png(sum(pixels, ()), 4, GRAY_ALPHA)))
    assert image[0] == pytest.approx([0, 255, 255, 127], abs=1)


def test_palette_with_transparency(save):
    black_black_white, first_is_absent = bytes([0] * 6 + [255] * 3), bytes([0, 255, 255])
    extra = chunk(b"PLTE", black_black_white) + chunk(b"tRNS", first_is_absent)
    assert read_image(save(make_png([0, 1, 2], 3, PALETTE, extra))).tolist() == [[255, 0, 255]]


@pytest.mark.parametrize(("mark", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_cameras_rotation_mark_is_followed(save, mark, turns):
    picture = np.full((16, 32), 255, np.uint8)
    picture[:, :8] = 0
    jpeg = encode(picture, ".jpg")
    # EXIF: a TIFF header and one entry, the orientation (tag 0x112), after JPEG's first marker.
    entry = struct.pack(">HHHIHH", 1, 0x112, 3, 1, mark, 0)
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + entry + bytes(4)
    marked = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
    image = read_image(save(marked, ".jpg"))
    assert np.array_equal(image > 127, np.rot90(picture, turns) > 127)


def test_names_of_any_kind(tmp_path):
    path = tmp_path / "zwölf 数字 #1.png"
    path.write_bytes(encode(RAMP))
    assert read_image(path).shape == RAMP.shape


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidInputError) as error:
        read_image(tmp_path / "nothing.png")
    assert str(error.value) == (
        f"cannot read {tmp_path / 'nothing.png'}: got No such file or directory"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows says permission denied")
def test_folder_is_named(tmp_path):
    with pytest.raises(InvalidInputError) as error:
        read_image(tmp_path)
    assert str(error.value) == f"cannot read {tmp_path}: got Is a directory"


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "an empty file"),
        (b"no image", "something else or a damaged file"),
        (encode(RAMP)[:60], "something else or a damaged file"),
        (b"P5 90000 90000 255\n", "something else or a damaged file"),
        (encode(np.zeros((2, 2, 4), np.float32), ".tiff"), "something else or a damaged file"),
    ],
    ids=["empty", "text", "cut off", "too large", "floats"],
)
def test_what_holds_no_image_is_named(save, content, got):
    path = save(content)
    with pytest.raises(InvalidInputError) as error:
        read_image(path)
    assert str(error.value) == f"cannot read {path}: expected an image ({FORMATS}), got {got}"
