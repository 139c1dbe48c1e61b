"""The kinds of task there are, and which of them a model was trained for."""

from __future__ import annotations

from ...config import BertConfig
from .classification import Classification
from .kind import TaskKind, saved_settings
from .masked_words import MaskedWords
from .multiple_choice import MultipleChoice
from .next_sentence import NextSentence
from .question_answering import QuestionAnswering
from .tagging import Tagging

KINDS: tuple[type[TaskKind], ...] = (
    Classification,
    Tagging,
    QuestionAnswering,
    MultipleChoice,
    NextSentence,
    MaskedWords,
)


def kind_of(config: BertConfig, name: str) -> TaskKind:
    """The kind that a checkpoint's config tells of, by its architecture. name: of the checkpoint, for the error.

    Raises ValueError for a model without a head that was taught a task.
    """
    by_class = {kind.model_class.__name__: kind for kind in KINDS}
    for architecture in config.architectures or []:
        if architecture in by_class:
            return by_class[architecture].of_config(config, saved_settings(config))
    told = f"is a {config.architectures[0]}" if config.architectures else "does not say what it is"
    raise ValueError(
        f"'{name}' {told}, which was taught no task. Fine-tune it first (minibert finetune --help), or choose a model that is "
        f"one of {', '.join(by_class)}."
    )
