"""Fine-tuning: a pre-trained model learns a task from a file of examples.

Read in this order: `kind.py` (what a kind of task is), one of the six kinds, such as `classification.py`; `outputs.py` (a model's outputs
for rows), `task.py` (the task of the training loop), `recipe.py` and `run.py`; then `kinds.py`, `results.py` and `trained.py`
(a fine-tuned model at work).

    kind = Classification()
    task, best = finetune(kind, "novels-4l-256h", train, evaluation, FineTuningRecipe(), out, World(0, 1, best_device()))
"""

from .classification import Classification
from .kind import Encoded, Examples, TaskKind, saved_settings
from .kinds import KINDS, kind_of
from .masked_words import MaskedWords
from .multiple_choice import MultipleChoice
from .next_sentence import NextSentence
from .outputs import Outputs, outputs_of
from .question_answering import QuestionAnswering
from .recipe import FineTuningRecipe
from .results import results_table
from .run import finetune, open_task, train_task
from .tagging import Tagging
from .task import FineTuning
from .trained import TrainedModel

__all__ = [
    "KINDS",
    "Classification",
    "Encoded",
    "Examples",
    "FineTuning",
    "FineTuningRecipe",
    "MaskedWords",
    "MultipleChoice",
    "NextSentence",
    "Outputs",
    "QuestionAnswering",
    "Tagging",
    "TaskKind",
    "TrainedModel",
    "finetune",
    "kind_of",
    "open_task",
    "outputs_of",
    "results_table",
    "saved_settings",
    "train_task",
]
