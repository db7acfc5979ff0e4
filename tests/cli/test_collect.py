import pytest

cv2 = pytest.importorskip("cv2", reason="needs OpenCV: pip install 'edge-mnist[vision]'")

from edge_mnist import dataset  # noqa: E402 - needs cv2
from edge_mnist.cli.loading import read_image  # noqa: E402


@pytest.fixture
def page(draw_page, write_picture):
    return write_picture("page.png", draw_page(["305", "17"]))


def count_crops(folder):
    return {path.name: len(list(path.iterdir())) for path in folder.iterdir()}


def test_predict_collects_what_it_read(page, edge_mnist, tmp_path):
    outcome = edge_mnist("predict", page, "--collect", "own")
    assert outcome.code == 0
    assert [line.split(" (")[0] for line in outcome.out.splitlines()[1:]] == ["  305", "  17"]
    assert outcome.err == "collected 5 digits in own\n"
    crops = dict.fromkeys("01357", 1)
    assert count_crops(tmp_path / "own") == {**crops, "seen": 5}
    again = edge_mnist("predict", page, "--collect", "own")
    assert again.err == "collected 0 digits in own, 5 like others left out\n"
    assert again.out == outcome.out


def test_webcam_collects_what_holds(page, edge_mnist, tmp_path):
    outcome = edge_mnist("webcam", "--source", page, "--no-window", "--collect", "own")
    assert outcome.code == 0
    assert outcome.err.splitlines()[-1] == "collected 5 digits in own"
    assert {path.name for path in (tmp_path / "own").iterdir()} == {*"01357", "seen"}


def test_collected_digits_are_data(page, edge_mnist, tmp_path):
    edge_mnist("predict", page, "--collect", "own")
    read = dataset.load(str(tmp_path / "own"), validation_split=0.25, read_image=read_image)
    assert sorted(read.everything().labels.tolist()) == [0, 1, 3, 5, 7]


@pytest.mark.parametrize("command", [("predict",), ("webcam", "--no-window", "--source")])
def test_fields_are_not_collected(command, page, form, edge_mnist, tmp_path):
    error = edge_mnist(*command, page, "--fields", form, "--collect", "own").error
    assert error.startswith("--collect: expected no --fields beside it, got ")
    assert not (tmp_path / "own").exists()


def test_file_in_the_place_of_the_folder_is_refused(page, edge_mnist):
    error = edge_mnist("predict", page, "--collect", page).error
    assert error == f"--collect {page}: expected a folder, got File exists"
