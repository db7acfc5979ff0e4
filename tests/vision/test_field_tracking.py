from edge_mnist.vision.field_reading import FieldReading, FormReading
from edge_mnist.vision.field_tracking import FieldTracker

CORNERS = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
NO_PAGE = FormReading(None, (FieldReading("sum", "", None, (), ("page not found",)),))


def page(text, confidence=0.99, doubts=()):
    """A page whose only field has a text."""
    known = confidence if text else None
    return FormReading(CORNERS, (FieldReading("sum", text, known, (), doubts),))


def track(readings):
    """The texts that were told, in order."""
    tracker = FieldTracker()
    return [field.text for reading in readings for field in tracker.update(reading)]


def test_field_that_holds_is_told_once_within_ten_frames():
    assert track([page("42")] * 10) == ["42"]
    assert track([page("42")] * 100) == ["42"]


def test_single_misreading_is_not_told():
    assert track(([page("42")] * 5 + [page("47", 0.6)]) * 5) == ["42"]


def test_reading_that_keeps_changing_is_never_told():
    assert track([page("41"), page("42"), page("43")] * 10) == []


def test_empty_field_is_not_told():
    assert track([page("")] * 20) == []


def test_meter_that_counts_on_is_told_again():
    assert track([page("41")] * 20 + [page("42")] * 20) == ["41", "42"]


def test_same_number_on_the_next_page_is_told_again():
    for gap, told in ((3, ["42"]), (30, ["42", "42"])):
        assert track([page("42")] * 10 + [NO_PAGE] * gap + [page("42")] * 10) == told


def test_what_is_told_has_its_doubts():
    tracker = FieldTracker()
    told = [x for _ in range(10) for x in tracker.update(page("7", doubts=("length",)))]
    assert [field.doubts for field in told] == [("length",)]
