"""`minibert inspect`: what a checkpoint holds and how it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..microscope.terminal import table
from .options import BUNDLED_MODEL, json_option, print_json

if TYPE_CHECKING:
    from ..model import BertPreTrainedModel


@click.command("inspect", short_help="Show a model's config, parameters and loading report.")
@click.argument("model", default=BUNDLED_MODEL)
@json_option
def inspect(model: str, as_json: bool) -> None:
    """Show the config of MODEL, its parameters stage by stage, and what was read, tied, new and left over.

    MODEL is a folder, a bundled model (the default) or a name on the Hugging Face hub.
    """
    import minibert

    config = minibert.BertConfig.from_pretrained(model)
    names = [name for name in config.architectures or [] if name.startswith("Bert") and hasattr(minibert, name)]
    loaded = getattr(minibert, names[0] if names else "BertModel").from_pretrained(model)
    stages = parameters_by_stage(loaded)
    report = loaded.loading_report
    if as_json:
        parameters = [{"stage": s, "parameter": n, "shape": list(shape), "count": c} for s, n, shape, c in stages]
        loading = {"read": report.read}
        for group in ("tied", "new", "left_over"):
            loading[group] = {finding.name: finding.reason for finding in getattr(report, group)}
        print_json({"config": config.to_dict(), "parameters": parameters, "loading": loading})
        return

    click.secho("Config", bold=True)
    fields = sorted(config.to_diff_dict().items())
    click.echo(table(("field", "value"), fields))
    click.secho("\nParameters", bold=True)
    rows, previous = [], None
    for stage, name, shape, count in stages:
        rows.append((stage if stage != previous else "", name, " × ".join(map(str, shape)), f"{count:,}"))
        previous = stage
    rows.append(("all", "", "", f"{loaded.num_parameters():,}"))
    click.echo(table(("stage", "parameter", "shape", "count"), rows, right=(3,)))
    click.secho("\nLoading", bold=True)
    click.echo(report)


def parameters_by_stage(model: BertPreTrainedModel) -> list[tuple[str, str, tuple[int, ...], int]]:
    """Every parameter, tied ones once: its stage, its name inside the stage, its shape, and how many numbers it has.

    A stage is `embeddings`, `encoder.layer.3`, `pooler`, `cls.predictions`, `classifier` and so on.
    """
    rows = []
    for name, parameter in model.named_parameters():
        parts = name.removeprefix(f"{model.base_model_prefix}.").split(".")
        depth = {"encoder": 3, "cls": 2}.get(parts[0], 1)
        rows.append((".".join(parts[:depth]), ".".join(parts[depth:]), tuple(parameter.shape), parameter.numel()))
    return rows
