"""How good predictions are, task by task. Plain functions of lists, arrays or tensors; a division by zero gives 0.

Read in this order: `values.py` (what they take), `classes.py`, `correlation.py`, `entities.py`, `answers.py`, `perplexity.py`.
"""

from .answers import AnswerScores, answer_f1, answer_scores, exact_match, normalize_answer
from .classes import accuracy, f1, matthews
from .correlation import pearson, spearman
from .entities import Entity, EntityScores, entities, entity_f1
from .perplexity import perplexity

__all__ = [
    "AnswerScores",
    "Entity",
    "EntityScores",
    "accuracy",
    "answer_f1",
    "answer_scores",
    "entities",
    "entity_f1",
    "exact_match",
    "f1",
    "matthews",
    "normalize_answer",
    "pearson",
    "perplexity",
    "spearman",
]
