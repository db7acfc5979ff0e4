"""Where one number ends and the next one begins."""

import pytest

pytest.importorskip("cv2")

HIGH = 44


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize("gap", [1.35, 1.9])
def test_columns_that_stand_apart_are_numbers_of_their_own(gap, hand, reader, make_paper, write):
    page = make_paper()
    texts = [("4825", "306"), ("936", "2854"), ("50", "43")]
    for place, (left, right) in enumerate(texts):
        top = 80 + 100 * place
        *_, last = write(page, left, 60, top, height=HIGH, hand=hand)
        write(page, right, last[0] + last[2] + round(gap * HIGH), top, height=HIGH, hand=hand)
    assert reader.read(page).lines == [" ".join(pair) for pair in texts]


@pytest.mark.parametrize("hand", range(3))
@pytest.mark.parametrize("gap", [0.2, 0.8, 1.35])
def test_digits_that_stand_evenly_apart_are_one_number(gap, hand, reader, make_paper, write):
    page = make_paper()
    write(page, "482536", 60, 200, height=HIGH, gap=gap, hand=hand)
    assert reader.read(page).lines == ["482536"]


@pytest.mark.parametrize("hand", range(3))
def test_last_digit_that_stands_apart_is_one_of_its_number(hand, reader, make_paper, write):
    page = make_paper()
    *_, last = write(page, "48253", 60, 200, height=HIGH, hand=hand)
    write(page, "6", last[0] + last[2] + round(1.35 * HIGH), 200, height=HIGH, hand=hand)
    assert reader.read(page).lines == ["482536"]
