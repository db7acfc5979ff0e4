"""The page: one HTML file that fetches nothing."""

import json
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from edge_mnist import __version__
from edge_mnist.evaluation import Evaluation
from edge_mnist.machine import describe_machine
from edge_mnist.report import charts, facts, pixels
from edge_mnist.report.charts import Spot
from edge_mnist.report.model_report import ModelReport, ReportData

TEMPLATES = Path(__file__).parent / "templates"
TEMPLATE = "report.html.j2"
# Whose versions sway what is in a report.
TOLD_PACKAGES = ("tensorflow", "tf-keras", "numpy", "matplotlib", "Jinja2")
MOST_DISAGREEMENTS = 16
MIB = 2**20
FILTERS: dict[str, Callable[..., str]] = {
    "share": facts.format_share,
    "count": "{:,}".format,
    "decimals": "{:.{}f}".format,
    "mib": lambda size: f"{size / MIB:.1f}" if size else "not told",
    "shape": lambda shape: "x".join(map(str, shape)),
    "pretty": lambda value: json.dumps(value, indent=2),
    "digit": pixels.encode_digit,
}


def render_page(reports: Sequence[ModelReport], data: ReportData, made_at: str) -> str:
    """Return the HTML of a report.

    The same models give the same text, but for the one line that tells when it was made.

    Args:
        reports: A chapter each, at least one; their titles differ.
        data: What they were measured on.
        made_at: The date and time, in words.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,  # whatever a template is called
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    return environment.get_template(TEMPLATE).render(
        reports=reports,
        data=data,
        made_at=made_at,
        version=__version__,
        versions=_list_versions(reports),
        machine=describe_machine(),
        spots=find_spots(reports),
        charts=charts,
        facts=facts,
        pixels=pixels,
        find_evaluation=find_evaluation,
        most_disagreements=MOST_DISAGREEMENTS,
    )


def find_spots(reports: Sequence[ModelReport]) -> list[Spot]:
    """Return the models that have a size and an accuracy, and which none of the others beats."""
    known = [
        (report.subject.title, report.inspection.size_bytes, report.measurement.evaluation)
        for report in reports
        if report.inspection is not None and report.measurement is not None
    ]
    return [
        Spot(
            title,
            size,
            found.accuracy,
            found.low,
            found.high,
            not any(
                other_size <= size
                and other.accuracy >= found.accuracy
                and (other_size, other.accuracy) != (size, found.accuracy)
                for _, other_size, other in known
            ),
        )
        for title, size, found in known
    ]


def find_evaluation(report: ModelReport) -> tuple[Evaluation | None, str]:
    """Return how a model did, and where that was found out.

    Without images to measure it on, what its training has told.
    """
    if report.measurement is not None:
        return report.measurement.evaluation, ""
    metrics = report.training.metrics if report.training is not None else None
    for name in ("test", "validation"):
        if metrics is not None and name in metrics.scores:
            return metrics.scores[name], f"of the float network on {name} images, when trained"
    return None, ""


def _list_versions(reports: Sequence[ModelReport]) -> list[tuple[str, str]]:
    engines = sorted({report.engine for report in reports} - {"keras"})
    return [(name, metadata.version(name)) for name in (*engines, *TOLD_PACKAGES)]
