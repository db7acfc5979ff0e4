import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from browser import look, open_browser, save_screenshot
from html_page import check_whole

from edge_mnist.bench.drawn_digits import draw_digit
from edge_mnist.model_store import find_model, shipped_models

pytest.importorskip("jinja2", reason="needs Jinja2: pip install 'edge-mnist[report]'")

SCREENSHOTS = Path(__file__).parent.parent.parent / "runs" / "report-screenshots"
SECTIONS = {
    "How it was trained", "How often it is right", "What it reads", "What it looks at",
    "Float against int8", "What the file consists of", "How long it takes", "How to make it again",
}  # fmt: skip

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder of IDX files with 400 drawn digits, a tenth of them labelled wrongly."""
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 10
    images = np.stack([draw_digit(int(digit), rng) for digit in labels])
    labels[::10] = 7
    folder = tmp_path_factory.mktemp("drawn")
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
        head = b"\0\0\x08" + bytes([array.ndim]) + sizes
        (folder / f"train-{name}-ubyte").write_bytes(head + array.astype(np.uint8).tobytes())
    return folder


@pytest.fixture(scope="module")
def make(tensorflow, call_edge_mnist, tmp_path_factory):
    """Return a function that makes a report, and returns its file and what the command said."""

    def report(*arguments):
        out = tmp_path_factory.mktemp("report") / "report.html"
        outcome = call_edge_mnist("report", *arguments, "--out", out)
        assert outcome.code == 0, outcome.err
        return out, outcome

    return report


@pytest.fixture(scope="module")
def of_run(make, trained, call_edge_mnist, tmp_path_factory):
    """A report on a run with its export, in a folder whose name is HTML."""

    folder = tmp_path_factory.mktemp("named") / "<b>x<b>"
    shutil.copytree(trained[0], folder)
    assert call_edge_mnist("quantize", folder, "--int8", "--method", "ptq").code == 0
    return make(folder, "--json")


@pytest.fixture(scope="module")
def of_all(make, drawn):
    """A report on all shipped models side by side."""
    return make(*(model.name for model in shipped_models()), "--data", drawn)


def test_run_with_its_export_is_reported_whole(of_run):
    path, outcome = of_run
    page = check_whole(path)
    assert {text for level, text in page.headings if level == 2} >= SECTIONS
    assert page.headings[0] == [1, "<b>x<b>"]
    assert "<b>x<b>" not in page.source
    (told,) = outcome.json["models"]
    assert list(told["left_out"]) == ["latency"]
    assert told["evaluation"]["images"] == 359
    for part in (
        f"{100 * told['evaluation']['accuracy']:.2f} %",
        "of 359 images rightly",
        "epoch",
        "signal to quantization noise",
        "--method ptq",
        '"arch": "micro"',
        "conv_2d_4",
    ):
        assert part in page.text, part
    assert page.source.count("<svg") == 5  # two curves, reliability, noise, bytes
    assert page.source.count("data:image/png") > 30
    assert "rebuilt from the int8 file" not in page.text
    assert outcome.json["size_bytes"] == path.stat().st_size


def test_shipped_models_stand_side_by_side(of_all):
    path, outcome = of_all
    page = check_whole(path)
    names = [model.name for model in shipped_models()]
    assert [text for level, text in page.headings if level == 2][1:-1] == ["Side by side", *names]
    assert "accuracy of each model over the bytes of its file" in page.text
    assert "rebuilt from the int8 file" in page.text
    lines = outcome.out.splitlines()
    assert [line.split()[0] for line in lines[1:6]] == names
    assert lines[-1] == str(path)


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out_or_fails_in_a_browser(width, scheme, of_run, of_all):
    with open_browser() as browser:
        for name, (path, _) in (("run", of_run), ("models", of_all)):
            inner, content, sticking_out = look(browser, path, width, scheme)
            kept = SCREENSHOTS / f"{name}-{width}-{scheme}.png"
            save_screenshot(browser, kept)
            print(f"screenshot: {kept}")
            assert (inner, content, sticking_out) == (width, width, [])
            assert browser.get_log("browser") == []


def test_browser_would_tell_of_what_is_fetched_and_sticks_out(tmp_path, of_run):
    broken = (
        of_run[0]
        .read_text()
        .replace(
            "</main>", '<img src="missing.png" alt="x"><div style="width: 2000px">wide</div></main>'
        )
    )
    (tmp_path / "broken.html").write_text(broken)
    with open_browser() as browser:
        _, content, sticking_out = look(browser, tmp_path / "broken.html", 360)
        assert content == 2000 or sticking_out
        assert any("wide" in element for element in sticking_out)
        assert browser.get_log("browser")


def test_same_models_give_the_same_file(make, drawn):
    texts = [make("pico", "--data", drawn)[0].read_text() for _ in range(2)]
    lines = [[line for line in text.splitlines() if "made-at" not in line[:20]] for text in texts]
    assert lines[0] == lines[1]
    assert all(
        len(kept) == len(text.splitlines()) - 1 for kept, text in zip(lines, texts, strict=True)
    )


def test_foreign_float_file_has_no_empty_frames(make, quantized, call_edge_mnist, drawn, tmp_path):

    out = tmp_path / "float"
    assert call_edge_mnist("quantize", quantized[0], "--float32", "--out", out, "--json").code == 0
    (model,) = out.glob("*.tflite")
    foreign = tmp_path / "foreign.tflite"
    foreign.write_bytes(model.read_bytes())
    path, outcome = make(foreign, "--data", drawn, "--json")
    page = check_whole(path)
    assert list(outcome.json["models"][0]["left_out"]) == ["latency", "twin"]
    for sentence in (
        "Nothing stands beside the file that tells how it was trained.",
        "This is a float32 file, not an int8 one.",
        "It was not measured here. This brings it about:",
        "How to train it is not known",
    ):
        assert sentence in page.text, sentence
    assert page.source.count("<svg") == 2  # reliability, bytes


def test_run_without_an_export_says_how_to_get_one(make, trained):
    path, outcome = make(trained[0], "--json")
    page = check_whole(path)
    told = outcome.json["models"][0]
    assert told["engine"] == "keras"
    assert list(told["left_out"]) == ["inspection", "latency", "twin"]
    assert f"edge-mnist quantize {trained[0]} --int8" in page.text
    assert page.source.count("<svg") == 3  # two curves, reliability


def test_without_data_there_is_what_the_training_told(make, trained, monkeypatch, tmp_path):
    run = tmp_path / "moved"
    shutil.copytree(trained[0], run)
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"data": "nowhere"}))
    path, outcome = make(run, "--json")
    page = check_whole(path)
    assert outcome.err.startswith("nothing is measured: cannot find the data 'nowhere'")
    assert "Nothing was measured: cannot find the data" in page.text
    assert "of the float network on test images, when trained" in page.text
    metrics = json.loads((run / "metrics.json").read_text())
    assert f"{100 * metrics['test']['accuracy']:.2f} %" in page.text
    assert list(outcome.json["models"][0]["left_out"]) == [
        "measurement",
        "inspection",
        "latency",
        "twin",
    ]


def test_measured_latency_is_told_of_the_file_that_was_measured(make, edge_mnist, drawn, tmp_path):
    outcome = edge_mnist("bench", "pico", "--duration", "0.02", "--out", tmp_path / "measured")
    assert outcome.code == 0, outcome.err
    bench = tmp_path / "measured" / "bench.json"
    path, outcome = make("pico", "nano", "--bench", bench, "--data", drawn, "--json")
    page = check_whole(path)
    pico, nano = outcome.json["models"]
    fastest = min(
        row["latency"]["predict"]["p50_us"] for row in json.loads(bench.read_text())["rows"]
    )
    assert pico["p50_us"] == fastest
    assert nano["p50_us"] is None
    assert f"{fastest:.1f}" in page.text
    assert f"{bench} has nothing of this file." in page.text
    # Beside a model it is found by itself, and by content: not by name.
    shutil.copy(find_model("pico"), tmp_path / "measured" / "other.tflite")
    shutil.copy(find_model("nano"), tmp_path / "measured" / "pico.tflite")
    beside = tmp_path / "measured" / "other.tflite", tmp_path / "measured" / "pico.tflite"
    told = make(*beside, "--data", drawn, "--json")[1].json["models"]
    assert [fields["p50_us"] for fields in told] == [fastest, None]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("nothing", "cannot find the model: expected a file, or one of: "),
        ("folder", "cannot find the trained model: expected a run folder with model.keras"),
        ("text.tflite", "cannot use the model text.tflite: it is not a .tflite file"),
        ("text.keras", "cannot read the model text.keras: expected a .keras file"),
        ("pico --data nothing", "cannot find the data 'nothing': expected mnist, optdigits, a fo"),
        ("pico --engine cpu", "unknown engine: expected auto, tflite-runtime, "),
        ("pico --data {drawn} --bench text.txt", "text.txt: cannot read the benchmark: expected"),
        ("nothing.tflite --bench text.txt", "text.txt: cannot read the benchmark: expected"),
        ("pico --data {drawn} --bench nothing", "cannot use nothing: got No such file or dir"),
    ],
)
def test_wrong_input_is_one_line_and_leaves_no_report(
    arguments, told, edge_mnist, drawn, tmp_path, tensorflow
):
    for name in ("text.tflite", "text.keras", "text.txt"):
        (tmp_path / name).write_text("hello " * 100)
    (tmp_path / "folder").mkdir()
    outcome = edge_mnist("report", *arguments.format(drawn=drawn).split())
    assert outcome.error.startswith(told)
    assert outcome.out == ""
    assert not (tmp_path / "report.html").exists()


def test_what_was_there_stays_if_a_report_fails(edge_mnist, tmp_path):
    (tmp_path / "report.html").write_text("earlier")
    assert edge_mnist("report", "pico", "--data", "nothing").code == 1
    assert (tmp_path / "report.html").read_text() == "earlier"


@pytest.mark.parametrize("missing", ["jinja2", "tensorflow", "matplotlib"])
def test_missing_extra_is_answered_with_the_command(missing, edge_mnist_process):
    told = edge_mnist_process("report", "pico", without=[missing]).error
    assert told == (
        f"writing a report needs the package {missing}; "
        "install it with: pip install 'edge-mnist[report]'"
    )
