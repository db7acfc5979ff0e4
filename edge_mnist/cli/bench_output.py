"""How `edge-mnist bench` tells what it measured."""

import enum
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_mnist.bench.checking import Setback, find_setbacks
from edge_mnist.bench.plain_text import make_plain
from edge_mnist.bench.report import BenchReport, from_json, to_json
from edge_mnist.bench.tables import Table, describe, format_ratio, list_tables, to_csv
from edge_mnist.bench.tuning import LARGEST_BATCH, Tuning
from edge_mnist.cli.console import print_json, render_table, say
from edge_mnist.errors import InvalidInputError
from edge_mnist.files import expect_folder, write_atomically
from edge_mnist.markdown import render_markdown_table

FORGOTTEN = "forgotten what was tuned"


class Format(enum.Enum):
    """How a report is printed."""

    TEXT = enum.auto()
    JSON = enum.auto()
    CSV = enum.auto()
    MARKDOWN = enum.auto()

    @classmethod
    def choose(cls, as_json: bool, as_csv: bool, as_markdown: bool) -> "Format":
        """Return the format that the flags ask for.

        Raises:
            InvalidInputError: If there is more than one.
        """
        asked = {cls.JSON: as_json, cls.CSV: as_csv, cls.MARKDOWN: as_markdown}
        chosen = [kind for kind, is_asked in asked.items() if is_asked]
        if len(chosen) > 1:
            names = " ".join(f"--{kind.name.lower()}" for kind in chosen)
            raise InvalidInputError(
                "the format", expected="one of --json, --csv, --markdown", got=names
            )
        return chosen[0] if chosen else cls.TEXT


@dataclass(frozen=True)
class Reference:
    """An earlier result that this one is held against."""

    path: Path
    report: BenchReport
    tolerance: float


@dataclass(frozen=True)
class BenchOutput:
    """Where results go, and in what form.

    Attributes:
        kind: How they are printed on stdout.
        per_op: Whether each model's operators are told.
        folder: Where they are kept as JSON, CSV and Markdown; None to keep none.
    """

    kind: Format
    per_op: bool
    folder: Path | None

    def show(self, report: BenchReport, reference: Reference | None) -> bool:
        """Print and keep a report; return whether all was measured and nothing got worse."""
        print(self._format(report, self.kind), end="")
        if self.folder is not None:
            self._keep(report, self.folder)
        for row in report.rows:
            if row.error is not None:
                tell(f"not measured: {row.model} {row.runner}: {row.error}".replace(" :", ":"))
        setbacks = reference and find_setbacks(report, reference.report, reference.tolerance)
        for setback in setbacks or []:
            tell(_describe_setback(setback))
        if reference and not setbacks:
            tell(f"nothing is slower than in {reference.path}")
        return report.is_complete and not setbacks

    def show_tunings(self, tunings: list[Tuning]) -> None:
        """Print what was tried and what was chosen."""
        if self.kind is Format.JSON:
            print_json(tunings)
        else:
            for tuning in tunings:
                tables = [*list_tables(tuning.settings), *_describe_batches(tuning)]
                told = [*tuning.settings.advice, _describe_choice(tuning)]
                print(_join(describe(tuning.settings), tables, told, self.kind))
        if self.folder is not None:
            models = [tuning.settings.models[0].name for tuning in tunings]
            for tuning, name in zip(tunings, _name_folders(models), strict=True):
                self._keep(tuning.settings, self.folder / name)

    def show_forgotten(self, counts: dict[str, int]) -> None:
        """Print for how many models what --tune found was dropped, by what was named."""
        if self.kind is Format.JSON:
            print_json(counts)
            return
        for name, count in counts.items():
            print(f"{make_plain(name)}: {FORGOTTEN if count else 'nothing was tuned'}")

    def check_folder(self) -> None:
        """Make the folder that results go to, before anything is measured.

        Raises:
            InvalidInputError: If something else has its name.
            OSError: If nothing can be written there.
        """
        if self.folder is None:
            return
        expect_folder("--out", self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.folder):
            pass

    def read_reference(self, path: Path | None, tolerance: float) -> Reference | None:
        """Read the result to hold the next one against, before anything is measured.

        Raises:
            InvalidInputError: If it is no result of edge-mnist bench, or has no ratios, or the
                tolerance is below 0.
        """
        if path is None:
            return None
        reference = from_json(path.read_bytes())
        find_setbacks(reference, reference, tolerance)  # refuses what nothing can be held against
        return Reference(path, reference, tolerance)

    def _format(self, report: BenchReport, kind: Format) -> str:
        if kind is Format.JSON:
            return to_json(report)
        if kind is Format.CSV:
            return to_csv(report)
        tables = list_tables(report, per_op=self.per_op)
        return _join(describe(report), tables, report.advice, kind) + "\n"

    def _keep(self, report: BenchReport, folder: Path) -> None:
        for kind, name in (
            (Format.JSON, "bench.json"),
            (Format.CSV, "bench.csv"),
            (Format.MARKDOWN, "bench.md"),
        ):
            write_atomically(folder / name, self._format(report, kind))


def tell(line: str) -> None:
    """Tell on stderr what is under way; names of models can hold anything."""
    say(make_plain(line))


def _join(facts: list[str], tables: list[Table], advice: list[str], kind: Format) -> str:
    """Return the parts of a report as one text."""
    is_markdown = kind is Format.MARKDOWN
    render = render_markdown_table if is_markdown else render_table
    facts, advice = list(map(make_plain, facts)), list(map(make_plain, advice))
    parts = ["\n\n".join(facts) if is_markdown else "\n".join(facts)]
    for table in tables:
        rows = [[make_plain(cell) for cell in row] for row in table.rows]
        title = make_plain(table.title)
        if is_markdown:
            rows = [[cell.replace("|", r"\|") for cell in row] for row in rows]
            title = f"## {title[0].upper()}{title[1:]}\n"
        parts.append(f"{title}\n{render(table.header, rows)}")
    parts += [f"- {line}" if is_markdown else line for line in advice]
    return "\n\n".join(parts)


def _name_folders(models: Sequence[str]) -> list[str]:
    """Return a folder's name for each model: none if it is alone, and each once."""
    if len(models) == 1:
        return [""]
    names: list[str] = []
    for model in models:
        stem = Path(model).stem.lstrip(".") or "model"
        names.append(stem if stem not in names else f"{stem}-{len(names) + 1}")
    return names


def _describe_setback(setback: Setback) -> str:
    return f"slower: {setback.model} in {setback.runner}, {setback.measure}: {setback.what}"


def _describe_batches(tuning: Tuning) -> list[Table]:
    measure = LARGEST_BATCH
    lines = [
        [row.runner, f"{row.latency[measure].p50_us:.1f}", format_ratio(row.ratios.get(measure))]
        for row in tuning.batches.rows
        if row.error is None
    ]
    return [Table(f"a {measure} of images, µs", ["runner", "p50", "ratio"], lines)]


def _describe_choice(tuning: Tuning) -> str:
    tuned, untuned = tuning.tuned, tuning.settings.rows[0].runner
    gain = f"{tuned.default_p50_us / tuned.p50_us:.2f} times as quick as {untuned}"
    is_default = str(tuned.setting) == untuned
    return (
        f"chosen: {tuned.setting}, {tuned.batch_size} images at once in batches "
        f"({'nothing is surely quicker' if is_default else gain}); kept in {tuning.path}"
    )
