"""Open a checkpoint as the class it was trained as."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..model import BertPreTrainedModel


def load_as_trained(name: str, **fields: str) -> BertPreTrainedModel:
    """The model of the first class of ours that its config names, or a BertModel. fields: of the config, to change."""
    import minibert

    named = minibert.BertConfig.from_pretrained(name).architectures or []
    ours = [cls for cls in named if cls.startswith("Bert") and hasattr(minibert, cls)]
    model: BertPreTrainedModel = getattr(minibert, [*ours, "BertModel"][0]).from_pretrained(name, **fields)
    return model
