"""Task data: the formats people have, read into examples, and examples made into rows and batches for a model.

Read in this order: `files.py` (numbered lines and rows), `report.py` (what was used and what not), `labels.py`; then a task each,
`classification.py`, `tagging.py`, `multiple_choice.py`, `next_sentence.py`, `question_answering.py` with `answer_windows.py`
and `answers.py`, `plain_text.py`; then `collation.py` (padding) and `batch_order.py`.
"""

from .answer_windows import AnswerWindow, encode_questions
from .answers import Candidate, Prediction, answers_to
from .batch_order import BatchOrder, evaluation_batches
from .classification import TextExample, encode_texts, find_labels, read_classification
from .collation import collate
from .labels import Labels
from .multiple_choice import ChoiceExample, encode_choices, read_choices
from .next_sentence import NEXT_SENTENCE_LABELS, read_sentence_pairs
from .plain_text import Passage, encode_passages, read_passages
from .question_answering import Answer, Question, read_squad
from .report import Report
from .tagging import TaggedSentence, TagWindow, encode_tags, find_tags, read_tags, tags_of_words

__all__ = [
    "NEXT_SENTENCE_LABELS",
    "Answer",
    "AnswerWindow",
    "BatchOrder",
    "Candidate",
    "ChoiceExample",
    "Labels",
    "Passage",
    "Prediction",
    "Question",
    "Report",
    "TagWindow",
    "TaggedSentence",
    "TextExample",
    "answers_to",
    "collate",
    "encode_choices",
    "encode_passages",
    "encode_questions",
    "encode_tags",
    "encode_texts",
    "evaluation_batches",
    "find_labels",
    "find_tags",
    "read_choices",
    "read_classification",
    "read_passages",
    "read_sentence_pairs",
    "read_squad",
    "read_tags",
    "tags_of_words",
]
