"""Training: the loop, its checkpoints, pre-training, metrics."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .finetuning import finetune as finetune
    from .finetuning_recipe import FineTuningRecipe as FineTuningRecipe
    from .prediction import TrainedModel as TrainedModel
    from .pretraining import Recipe as Recipe, pretrain as pretrain

_WHERE = {"FineTuningRecipe": "finetuning_recipe", "finetune": "finetuning", "TrainedModel": "prediction"}
_WHERE |= {"Recipe": "pretraining", "pretrain": "pretraining"}
__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: who imports one file of this folder need not pay for all."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_WHERE[name]}", __name__), name)
