"""The right one of several endings: `BertForMultipleChoice`. Score: accuracy. Files: a table as SWAG has it, with `sent1` (the sentence
before), `sent2` (how the next one begins), `ending0`, `ending1`, …, and `label`, the number of the right ending; or as HellaSwag, RACE or
CommonsenseQA have it, with a list of endings. Every ending becomes a pair of its own. Questions may have different numbers of endings.
Source: Zellers et al. 2018 (SWAG); Devlin et al. 2019, §4.4.

    [CLS] sent1 [SEP] sent2 ending [SEP]
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from ..heads import BertForMultipleChoice
from ..tokenization import BertTokenizer
from .classification import TextExample, encode_texts
from .published_tables import read_questions
from .task import NO_LABELS, Encoded, Row, TableTask
from .task_files import Examples, PathName, Report, counted, first_row, read_rows, usable


@dataclass(frozen=True)
class ChoiceExample:
    """A context, the beginning of what follows (may be empty), its possible endings, and the right one's number if known."""

    context: str
    beginning: str
    endings: tuple[str, ...]
    label: int | None = None
    location: str = field(default="", compare=False)


def read_choices(
    path: PathName,
    *,
    labelled: bool = True,
    text: str | None = None,
    text_pair: str | None = None,
    label: str | None = "",
    columns: str = "",
) -> Examples:
    """The `ChoiceExample`s of a .csv, .tsv or .jsonl file. Rows with an empty context or ending are left out and reported.

    text, text_pair, label: the columns of context, beginning ("" for none) and right ending, found as published files call them if not
    given. columns: "a,b,…", all of a file without a header. Endings that are empty at the end of a row are not there.
    """
    label = label if labelled else None
    rows = read_rows(path, columns)
    questions, read, understood = read_questions(rows, text, text_pair, label=label)
    found, reason = [ChoiceExample(**question) for question in questions], "its context or an ending is empty"
    examples, report = usable(path, found, lambda x: x.context and len(x.endings) > 1 and all(x.endings), reason=reason)
    right = [counted((str(each.label) for each in examples), "right endings, from 0")] if labelled else []
    report.columns, report.understood = read, understood + right + first_row(rows, columns)
    return Examples(examples, report)


def encode_choices(
    examples: Sequence[ChoiceExample], tokenizer: BertTokenizer, max_length: int, report: Report
) -> list[Row]:
    """Rows for the model, one an example: each input is (choices, seq) of different lengths; `labels`, where known, a number.

    Pairs of more than `max_length` pieces are cut, the longer text first, and reported.
    """
    rows = []
    for each in examples:
        endings = [f"{each.beginning} {ending}".strip() for ending in each.endings]
        pairs = [TextExample(each.context, ending, location=each.location) for ending in endings]
        columns = encode_texts(pairs, tokenizer, NO_LABELS, max_length=max_length, report=report)
        row: Row = {name: [column[name] for column in columns] for name in tokenizer.model_input_names}
        if each.label is not None:
            row["labels"] = each.label
        rows.append(row)
    return rows


@dataclass(frozen=True)
class MultipleChoice(TableTask):
    name = "choose"
    does, asked, number_of_texts = "chooses endings", "give a text and two or more endings", range(3, 1000)
    model_class = BertForMultipleChoice
    reads = "[CLS]"

    def read(self, path: Path, labelled: bool = True) -> Examples:
        return read_choices(path, labelled=labelled, **self.names(labelled))

    def made_of(self, texts: Sequence[str], location: str, tokenizer: BertTokenizer) -> ChoiceExample:  # noqa: ARG002
        return ChoiceExample(texts[0], "", tuple(texts[1:]), location=location)

    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:  # noqa: ARG002
        items, report = examples
        return Encoded(items, encode_choices(items, tokenizer, max_length, report=report))

    def answers(self, encoded: Encoded, kept: Sequence[Tensor]) -> list[dict[str, Any]]:
        found = []
        for example, logits in zip(encoded.items, kept, strict=True):
            asked, best = {"context": example.context, "beginning": example.beginning}, int(logits.argmax())
            shares = zip(example.endings, logits.softmax(dim=-1).tolist(), strict=True)
            endings = [{"text": text, "probability": share} for text, share in shares]
            found.append({**asked, "choice": best, "ending": example.endings[best], "endings": endings})
        return found
