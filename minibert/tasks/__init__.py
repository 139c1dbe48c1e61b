"""Fine-tuning tasks: what a file of examples is, rows for the model, scores, and answers.

Read in this order: `task.py` (what a task is), one of the six, such as `classification.py`; then `task_files.py`, `task_batches.py` and
`metrics.py`, which all of them use. `minibert.training.finetuning` trains them.
"""

from ..config import BertConfig
from .classification import Classification, TextExample, encode_texts, find_labels, read_classification
from .multiple_choice import ChoiceExample, MultipleChoice, encode_choices, read_choices
from .plain_text import (
    NEXT_SENTENCE_LABELS,
    MaskedWords,
    NextSentence,
    NextWord,
    encode_passages,
    read_passages,
    read_sentence_pairs,
)
from .published_tags import TagColumns
from .question_answering import Candidate, Prediction, QuestionAnswering, answers_to
from .squad import Answer, AnswerWindow, Question, encode_questions, read_squad
from .tag_files import TaggedSentence, read_tags
from .tagging import Tagging, TagWindow, encode_tags, find_tags, tags_of_words
from .task import Encoded, Labels, Task, saved_settings
from .task_batches import BatchOrder, batch_loader, collate, evaluation_batches
from .task_files import Examples, Report

__all__ = [
    "NEXT_SENTENCE_LABELS", "TASKS", "Answer", "AnswerWindow", "BatchOrder", "Candidate", "ChoiceExample",
    "Classification", "Encoded", "Examples", "Labels", "MaskedWords", "MultipleChoice", "NextSentence", "NextWord",
    "Prediction", "Question", "QuestionAnswering", "Report", "TagColumns", "TagWindow", "TaggedSentence", "Tagging",
    "Task", "TextExample", "answers_to", "batch_loader", "collate", "encode_choices", "encode_passages", "encode_questions",
    "encode_tags", "encode_texts", "evaluation_batches", "find_labels", "find_tags", "read_choices",
    "read_classification", "read_passages", "read_sentence_pairs", "read_squad", "read_tags", "saved_settings",
    "tags_of_words", "task_of",
]  # fmt: skip

TASKS: tuple[type[Task], ...] = (
    Classification, Tagging, QuestionAnswering, MultipleChoice, NextSentence, MaskedWords, NextWord
)  # fmt: skip


def task_of(config: BertConfig, name: str) -> Task:
    """The task of a checkpoint, by its architecture. Raises ValueError, naming it, if that has no head for a task."""
    by_class = {task.model_class.__name__: task for task in TASKS}
    for architecture in config.architectures or []:
        if architecture in by_class:
            return by_class[architecture].of_config(config)
    what = f"is a {config.architectures[0]}" if config.architectures else "does not say what it is"
    advice = f"Fine-tune it first (minibert finetune --help), or choose a model that is one of {', '.join(by_class)}."
    raise ValueError(f"'{name}' {what}, which was taught no task. {advice}")
