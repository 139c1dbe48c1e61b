"""`minibert inspect`: what a checkpoint holds, and how it was loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..terminal import table
from .options import BUNDLED_MODEL, json_option, load_as_trained, print_answer

if TYPE_CHECKING:
    from ..model import BertPreTrainedModel


@click.command("inspect")
@click.argument("model", default=BUNDLED_MODEL)
@json_option
def inspect(model: str, as_json: bool) -> None:
    """Show the config of MODEL, its parameters stage by stage, and how it was loaded.

    The loading report counts the tensors that were read from the file. It names those that are tied to another tensor,
    those that are new because the file lacks them, and those of the file that are left over.

    MODEL is a folder, a bundled model (the default) or a name on the Hugging Face hub.
    """
    loaded = load_as_trained(model)
    stages, report = parameters_by_stage(loaded), loaded.loading_report
    assert report is not None  # noqa: S101  # `from_pretrained` makes one  # noqa: S101
    header, rows = ("stage", "parameter", "shape", "count"), []
    for (before, *_), (stage, name, shape, count) in zip([("",), *stages], stages, strict=False):
        rows.append((stage if stage != before else "", name, " × ".join(map(str, shape)), f"{count:,}"))
    rows.append(("all", "", "", f"{loaded.num_parameters():,}"))
    sections = {
        "Config": table(("field", "value"), sorted(loaded.config.to_diff_dict().items())),
        "Parameters": table(header, rows, right=(3,)),
        "Loading": str(report),
    }
    text = "\n\n".join(click.style(title, bold=True) + f"\n{section}" for title, section in sections.items())
    groups = {"tied": report.tied, "new": report.new, "left_over": report.left_over}
    reasons = {group: {each.name: each.reason for each in findings} for group, findings in groups.items()}
    answer = {
        "config": loaded.config.to_dict(),
        "parameters": [dict(zip(header, row, strict=True)) for row in stages],
        "loading": {"read": report.read, **reasons},
    }
    print_answer(answer, text, as_json)


def parameters_by_stage(model: BertPreTrainedModel) -> list[tuple[str, str, tuple[int, ...], int]]:
    """Every parameter, tied ones once: its stage, its name inside the stage, its shape, and how many numbers it has.

    A stage is `embeddings`, `encoder.layer.3`, `pooler`, `cls.predictions`, `classifier` and so on.
    """
    rows = []
    for name, parameter in model.named_parameters():
        path = name.removeprefix(f"{model.base_model_prefix}.").split(".")
        depth = {"encoder": 3, "cls": 2}.get(path[0], 1)
        rows.append((".".join(path[:depth]), ".".join(path[depth:]), tuple(parameter.shape), parameter.numel()))
    return rows
