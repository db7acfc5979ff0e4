"""`edge-mnist doctor`."""

from dataclasses import dataclass

import typer

from edge_mnist import __version__
from edge_mnist.cli.console import JsonOption, needs, print_result, render_table
from edge_mnist.cli.loading import load_classifier, tensorflow_for
from edge_mnist.engines import INSTALL_REMEDY, installed_engines
from edge_mnist.errors import DatasetError, EdgeMnistError, MissingDependencyError
from edge_mnist.mnist_files import MNIST_SHA256, locate_mnist
from edge_mnist.model_store import shipped_models


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        is_needed: Whether the runtime works without it.
    """

    subject: str
    is_well: bool
    found: str
    remedy: str = ""
    is_needed: bool = False


def doctor(as_json: JsonOption = False) -> None:
    """Look at what is installed and what is missing, with the remedy for each.

    Exit code 1 if reading digits does not work.

    Example: edge-mnist doctor
    """
    findings = [*_check_engines(), *_check_models(), _check_data(), *_check_extras()]
    print_result(findings, _render(findings), as_json)
    if any(finding.is_needed and not finding.is_well for finding in findings):
        raise typer.Exit(1)


def _render(findings: list[Finding]) -> str:
    rows = [
        ["ok" if f.is_well else ("FAIL" if f.is_needed else "missing"), f.subject, f.found]
        for f in findings
    ]
    table = render_table(("", f"edge-mnist {__version__}", "found"), rows)
    remedies = [f"{f.subject}: {f.remedy}" for f in findings if not f.is_well and f.remedy]
    return "\n".join([table, *(["", "Remedies:", *remedies] if remedies else [])])


def _check_engines() -> list[Finding]:
    findings = []
    for engine, version in installed_engines().items():
        try:
            load_classifier(None, engine)
            findings.append(Finding(engine, True, f"{version}, runs the default model"))
        except EdgeMnistError as exc:
            findings.append(Finding(engine, False, str(exc), INSTALL_REMEDY))
    works = any(finding.is_well for finding in findings)
    summary = "at least one works" if works else "none works"
    return [*findings, Finding("engine", works, summary, INSTALL_REMEDY, is_needed=True)]


def _check_models() -> list[Finding]:
    findings = []
    try:
        for model in shipped_models():
            load_classifier(model.path, "auto")
            found = f"{model.card.size_bytes:,} bytes, SHA-256 as in its card"
            findings.append(Finding(f"model {model.name}", True, found, is_needed=True))
    except EdgeMnistError as exc:
        findings.append(Finding("models", False, str(exc), "reinstall edge-mnist", is_needed=True))
    return findings


def _check_data() -> Finding:
    try:
        paths = [locate_mnist(name) for name in MNIST_SHA256]
    except DatasetError as exc:
        return Finding("MNIST", False, str(exc), "delete the file; it is downloaded again")
    folders = sorted({str(path.parent) for path in paths if path is not None})
    if None in paths:
        return Finding("MNIST", False, "not here yet", "edge-mnist train downloads it")
    return Finding("MNIST", True, f"{', '.join(folders)}, SHA-256 as published")


def _check_extras() -> list[Finding]:
    findings = []
    try:
        with tensorflow_for("training"):
            from edge_mnist.training.device import describe_devices
        version, gpus = describe_devices()
        findings.append(Finding("TensorFlow", True, version))
        remedy = "for an NVIDIA GPU: pip install 'edge-mnist[gpu]'"
        findings.append(Finding("GPU", bool(gpus), ", ".join(gpus) or "none", remedy))
    except MissingDependencyError as exc:
        findings.append(Finding("TensorFlow", False, str(exc), "pip install 'edge-mnist[train]'"))
    try:
        with needs("vision", "reading image files"):
            from edge_mnist.vision.build import describe_opencv
        version, window_toolkit = describe_opencv()
        findings.append(Finding("OpenCV", True, version))
        remedy = "for windows: pip uninstall opencv-python-headless; pip install opencv-python"
        findings.append(
            Finding("OpenCV windows", bool(window_toolkit), window_toolkit or "none", remedy)
        )
    except MissingDependencyError as exc:
        findings.append(Finding("OpenCV", False, str(exc), "pip install 'edge-mnist[vision]'"))
    return findings
