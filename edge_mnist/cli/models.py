"""`edge-mnist models`."""

from edge_mnist.cli.console import JsonOption, format_percent, print_result, render_table
from edge_mnist.model_store import DEFAULT_MODEL, ShippedModel, shipped_models


def models(as_json: JsonOption = False) -> None:
    """List the models that come with edge-mnist.

    Example: edge-mnist models
    """
    shipped = shipped_models()
    print_result([model.card for model in shipped], _render(shipped), as_json)


def _render(shipped: list[ShippedModel]) -> str:
    rows = [
        [
            model.name + (" (default)" if model.name == DEFAULT_MODEL else ""),
            f"{model.card.size_bytes:,}",
            format_percent(model.card.accuracy[f"{model.card.number_format} test"].accuracy),
            f"{model.card.parameters:,}",
            f"{model.card.multiply_adds:,}",
            str(model.path),
        ]
        for model in shipped
    ]
    header = ("name", "bytes", "test accuracy", "parameters", "multiply-adds", "file")
    return render_table(header, rows)
