"""Training: the loop, its checkpoints, pre-training, metrics."""

from .finetuning import FineTuningRecipe, finetune
from .prediction import TrainedModel
from .pretraining import Recipe, pretrain

__all__ = ["FineTuningRecipe", "Recipe", "TrainedModel", "finetune", "pretrain"]
