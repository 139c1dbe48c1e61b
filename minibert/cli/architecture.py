"""Open a checkpoint as the class it was trained as."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..model import BertPreTrainedModel


def load_as_trained(name: str, **fields: str) -> BertPreTrainedModel:
    """The model with the head that its config names, or without a head where it names none of ours.

    fields: of the config, to change.
    """
    import minibert

    config = minibert.BertConfig.from_pretrained(name)
    known = [cls for cls in config.architectures or [] if cls.startswith("Bert") and hasattr(minibert, cls)]
    model: BertPreTrainedModel = getattr(minibert, known[0] if known else "BertModel").from_pretrained(name, **fields)
    return model
