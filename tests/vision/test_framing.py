import numpy as np
import pytest

from edge_mnist.errors import InvalidInputError

pytest.importorskip("cv2")

from edge_mnist.vision.framing import Framing, parse_roi

# Every pixel differs, so that a picture tells where its pixels went: 4 rows of 6.
PICTURE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def test_by_default_frames_stay_as_they_are():
    np.testing.assert_array_equal(Framing().apply(PICTURE), PICTURE, strict=True)


def test_region_is_cut_out():
    np.testing.assert_array_equal(Framing(roi=(1, 2, 3, 2)).apply(PICTURE), PICTURE[2:4, 1:4])


def test_region_ends_at_the_border():
    np.testing.assert_array_equal(Framing(roi=(4, 3, 99, 99)).apply(PICTURE), PICTURE[3:, 4:])


def test_rotation_is_clockwise():
    turned = Framing(rotate=90).apply(PICTURE)
    np.testing.assert_array_equal(turned[0, -1], PICTURE[0, 0])  # from the left to the right corner
    np.testing.assert_array_equal(Framing(rotate=270).apply(turned), PICTURE)
    np.testing.assert_array_equal(Framing(rotate=180).apply(PICTURE), PICTURE[::-1, ::-1])


def test_mirror_changes_left_and_right():
    np.testing.assert_array_equal(Framing(mirror=True).apply(PICTURE), PICTURE[:, ::-1])


def test_wide_frames_are_scaled_down_in_their_aspect():
    scaled = Framing(width=320).apply(np.full((480, 640, 3), 77, np.uint8))
    np.testing.assert_array_equal(scaled, np.full((240, 320, 3), 77, np.uint8), strict=True)


def test_thin_lines_do_not_vanish_when_scaled_down():
    paper = np.full((400, 1600), 255, np.uint8)
    paper[:, 801] = 0
    assert Framing(width=200).apply(paper).min() == pytest.approx(255 * 7 / 8, abs=1)


def test_narrow_frames_are_not_enlarged():
    assert Framing(width=7).apply(PICTURE).shape == PICTURE.shape


def test_order_is_crop_rotate_mirror_scale():
    framing = Framing(width=2, mirror=True, rotate=90, roi=(0, 0, 6, 2))
    # Cut 6 wide and 2 high, turned to 2 wide and 6 high: narrow enough, so nothing is scaled.
    expected = np.rot90(PICTURE[:2], -1)[:, ::-1]
    np.testing.assert_array_equal(framing.apply(PICTURE), expected)


def test_gray_frames():
    gray = PICTURE[..., 0]
    framing = Framing(mirror=True, rotate=180, roi=(0, 0, 5, 4))
    np.testing.assert_array_equal(framing.apply(gray), gray[::-1, :5])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"width": 0}, "width: expected 1 px or more, got 0"),
        ({"rotate": 45}, "rotation: expected 0, 90, 180 or 270 degrees, got 45"),
        (
            {"roi": (-1, 0, 5, 5)},
            "region to read: expected x and y of 0 px or more, width and height of 1 px or more, "
            "got -1,0,5,5",
        ),
        (
            {"roi": (0, 0, 0, 5)},
            "region to read: expected x and y of 0 px or more, width and height of 1 px or more, "
            "got 0,0,0,5",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(options, told):
    with pytest.raises(InvalidInputError) as error:
        Framing(**options)
    assert str(error.value) == told


def test_region_outside_of_the_frame():
    with pytest.raises(InvalidInputError) as error:
        Framing(roi=(6, 0, 2, 2)).apply(PICTURE)
    assert str(error.value) == (
        "region to read: expected a part of the frame of 6x4 px, got 6,0,2,2"
    )


def test_region_is_parsed():
    assert parse_roi("0, 100,640,200") == (0, 100, 640, 200)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1.5,0,2,2"])
def test_what_is_no_region_is_refused(text):
    with pytest.raises(InvalidInputError) as error:
        parse_roi(text)
    assert str(error.value).startswith("region to read: expected x,y,w,h in pixels, such as ")
