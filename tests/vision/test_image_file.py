import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from edge_mnist.errors import InvalidInputError

cv2 = pytest.importorskip("cv2")

from edge_mnist.vision.image_file import (  # noqa: E402 - needs cv2
    MAX_SIDE_PX,
    read_image,
    read_picture,
)

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


def mark_rotation(jpeg, mark):
    """Put EXIF after JPEG's first marker: a TIFF header and the orientation (tag 0x112)."""
    entry = struct.pack(">HHHIHH", 1, 0x112, 3, 1, mark, 0)
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + entry + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


@pytest.mark.parametrize(("mark", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_cameras_rotation_mark_is_followed(save, mark, turns):
    picture = np.full((16, 32), 255, np.uint8)
    picture[:, :8] = 0
    path = save(mark_rotation(encode(picture, ".jpg"), mark), ".jpg")
    expected = np.rot90(picture, turns) > 127
    np.testing.assert_array_equal(read_image(path) > 127, expected)
    np.testing.assert_array_equal(read_picture(path)[..., 1] > 127, expected)


def note_in_webp(webp, exif):
    """Append a chunk of EXIF; an odd chunk before it is padded."""
    chunks = b"".join(
        name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
        for name, body in ((b"XTRA", b"odd"), (b"EXIF", exif))
    )
    return b"RIFF" + struct.pack("<I", len(webp) - 8 + len(chunks)) + webp[8:] + chunks


def make_exif(mark, order=">"):
    byte_order = b"MM" if order == ">" else b"II"
    entries = struct.pack(f"{order}HHIHH", 0x100, 3, 1, 9, 0)
    entries += struct.pack(f"{order}HHIHH", 0x112, 3, 1, mark, 0)
    return byte_order + struct.pack(f"{order}HIH", 42, 8, 2) + entries + bytes(4)


# Where EXIF says that the first row and the first column are seen, by its mark.
SEEN = {
    1: lambda picture: picture,
    2: np.fliplr,
    3: lambda picture: np.rot90(picture, 2),
    4: np.flipud,
    5: lambda picture: picture.T,
    6: lambda picture: np.rot90(picture, 3),
    7: lambda picture: np.rot90(picture, 2).T,
    8: np.rot90,
}


@pytest.mark.parametrize("mark", SEEN)
@pytest.mark.parametrize(("order", "prefix"), [("<", b""), (">", b"Exif\0\0")])
def test_rotation_mark_of_a_webp_is_followed_as_that_of_a_jpeg(save, mark, order, prefix):
    picture = np.full((16, 32), 255, np.uint8)
    picture[:8, :8] = 0
    webp = note_in_webp(encode(picture, ".webp"), prefix + make_exif(mark, order))
    path = save(webp, ".webp")
    expected = SEEN[mark](picture) > 127
    np.testing.assert_array_equal(read_image(path) > 127, expected)
    np.testing.assert_array_equal(read_picture(path)[..., 1] > 127, expected)
    jpeg = save(mark_rotation(encode(picture, ".jpg"), mark), ".jpg")
    np.testing.assert_array_equal(read_image(jpeg) > 127, expected)


@pytest.mark.parametrize(
    "exif", [b"", b"II", make_exif(0), make_exif(9), make_exif(6)[:20], b"MM\0*" + b"\xff" * 40]
)
def test_webp_without_a_mark_that_makes_sense_is_read_as_it_is(save, exif):
    picture = np.full((16, 32), 255, np.uint8)
    picture[:8, :8] = 0
    path = save(note_in_webp(encode(picture, ".webp"), exif), ".webp")
    np.testing.assert_array_equal(read_image(path) > 127, picture > 127)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".ppm"])
def test_colors_are_read_as_they_are(save, suffix):
    picture = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    np.testing.assert_array_equal(read_picture(save(picture, suffix)), picture, strict=True)


def test_gray_picture_has_three_equal_colors(save):
    picture = read_picture(save(RAMP))
    np.testing.assert_array_equal(picture, np.stack([RAMP] * 3, axis=-1), strict=True)


def test_16_bits_of_color_become_8(save):
    row = np.array([[[0, 0x4000, 0x8000], [0xFFFF, 0, 0xFFFF]]], np.uint16)
    picture = read_picture(save(row))
    assert picture.dtype == np.uint8
    assert picture[0].tolist() == [pytest.approx([0, 64, 128], abs=1), [255, 0, 255]]


@pytest.mark.parametrize(("dtype", "full"), [(np.uint8, 255), (np.uint16, 65_535)])
def test_transparent_color_becomes_white(save, dtype, full):
    # Blue ink, solid, half there and absent.
    row = np.zeros((1, 3, 4), dtype)
    row[..., 0] = full
    row[0, :, 3] = [full, full // 2, 0]
    picture = read_picture(save(row))
    assert picture.dtype == np.uint8
    assert picture[0].tolist() == [
        [255, 0, 0],
        pytest.approx([255, 127.5, 127.5], abs=1),
        [255, 255, 255],
    ]


@pytest.mark.parametrize("pages", [1, 3])
def test_of_several_pages_the_first_is_read_and_the_rest_told(tmp_path, pages):
    path, told = tmp_path / "scan.tif", []
    cv2.imwritemulti(str(path), [np.full((6, 8), 50 * page, np.uint8) for page in range(pages)])
    assert (read_picture(path, told.append) == 0).all()
    several = f"{path}: the first of its 3 pages is read; save the others as files of their own"
    assert told == ([several] if pages > 1 else [])


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize(("side", "reduction"), [(MAX_SIDE_PX, 1), (20_000, 4), (60_000, 8)])
def test_large_pictures_are_read_in_reduced_size(save, suffix, side, reduction):
    paper = np.full((side, 64), 255, np.uint8)
    paper[: side // 2] = 0
    path, told = save(paper, suffix), []
    picture = read_picture(path, told.append)
    assert picture.shape == (side // reduction, 64 // reduction, 3)
    assert read_image(path).shape == picture.shape[:2]
    # What was in the upper half still is.
    middle = len(picture) // 2
    assert (picture[: middle - 1] < 10).all()
    assert (picture[middle + 1 :] > 245).all()
    told_once = f"{path}: longer than 8192 px, it is read at 1/{reduction} of its size"
    assert told == ([told_once] if reduction > 1 else [])


def test_large_picture_with_transparency(save):
    paper = np.zeros((16, 2 * MAX_SIDE_PX, 4), np.uint8)
    paper[:, :MAX_SIDE_PX, 3] = 255
    picture = read_picture(save(paper))
    assert picture.shape == (8, MAX_SIDE_PX, 3)
    assert (picture[:, : MAX_SIDE_PX // 2] == 0).all()
    assert (picture[:, MAX_SIDE_PX // 2 :] == 255).all()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize("shape", [(1, 20_000), (20_000, 1), (3, 60_000), (1, 20_000, 4)])
def test_long_thin_pictures_keep_a_pixel_of_their_width(save, suffix, shape):
    path = save(np.full(shape, 99, np.uint8), suffix)
    reduction = 8 if max(shape) > 4 * MAX_SIDE_PX else 4
    expected = tuple(max(1, side // reduction) for side in shape[:2])
    assert read_picture(path).shape == (*expected, 3)
    assert read_image(path).shape == expected


def test_too_large_picture_is_refused(save):
    path = save(np.zeros((2, 65_537), np.uint8))
    with pytest.raises(InvalidInputError) as error:
        read_picture(path)
    assert str(error.value) == (
        f"cannot read {path}: expected at most 65536 px a side, got 65537 px; "
        "scale it down or cut it into parts"
    )


def test_notes_of_decoders_are_held_back(save, capfd):
    noise = np.random.default_rng(7).integers(0, 256, (64, 64), np.uint8)
    jpeg = bytearray(encode(noise, ".jpg"))
    middle = len(jpeg) // 2
    jpeg[middle : middle + 30] = b"\x77" * 30  # libjpeg complains and reads on
    assert read_picture(save(bytes(jpeg), ".jpg")).shape == (64, 64, 3)
    assert capfd.readouterr().err == ""


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
    for read in (read_image, read_picture):
        with pytest.raises(InvalidInputError) as error:
            read(path)
        assert str(error.value) == f"cannot read {path}: expected an image ({FORMATS}), got {got}"


@pytest.mark.parametrize(
    ("name", "content", "got"),
    [
        ("photo.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture"),
        ("photo.jpg", b"\0\0\0\x18ftypheix\0\0\0\0mif1heix", "a HEIC picture"),
        ("photo.heif", b"\0\0\0\x14ftypmif1\0\0\0\0mif1", "a HEIF picture"),
        ("photo.avif", b"\0\0\0\x14ftypavif\0\0\0\0avif", "an AVIF picture"),
        ("scan.pdf", b"%PDF-1.7\n", "a PDF document"),
    ],
)
def test_format_that_is_not_read_is_named_and_what_helps(tmp_path, name, content, got):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInputError) as error:
        read_picture(path)
    expected = f"cannot read {path}: expected an image ({FORMATS}), got {got}; "
    assert str(error.value) == f"{expected}convert to JPEG or PNG first"


@pytest.mark.parametrize("name", ["a clip.mp4", "clip.AVI"])
def test_for_videos_the_command_that_reads_them_is_told(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.write_bytes(b"\0\0\0\x18ftypisom" + bytes(64))
    with pytest.raises(InvalidInputError) as error:
        read_picture(path)
    quoted = f"'{name}'" if " " in name else name
    assert str(error.value) == (
        f"cannot read {name}: expected an image ({FORMATS}), got a video, by its name; "
        f"videos are read with: edge-mnist webcam --source {quoted}"
    )
