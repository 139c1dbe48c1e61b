"""The table of checkpoint names is the truth about a real model and about how names are read."""

import re

import pytest
import torch

from minibert import BertConfig, BertForPreTraining, BertForQuestionAnswering, BertForSequenceClassification
from minibert.checkpoints.names import canonical, is_transposed, match_names, reason_left_over
from tests.unit.docs.pages import DOCS

# No two sizes are alike, so that a wrong letter gives a wrong shape.
SIZES = {"V": 31, "H": 12, "I": 20, "P": 9, "labels": 5, "2": 2}
LAYERS = 3


def config(**fields: int) -> BertConfig:
    """A small BERT of these sizes."""
    return BertConfig(
        vocab_size=SIZES["V"],
        hidden_size=SIZES["H"],
        num_hidden_layers=LAYERS,
        num_attention_heads=3,
        intermediate_size=SIZES["I"],
        max_position_embeddings=SIZES["P"],
        **fields,
    )


PAGE = (DOCS / "names.md").read_text(encoding="utf-8")


def tables() -> list[list[list[str]]]:
    """Every table of the page: rows of cells, without the heading."""
    found = re.findall(r"(?:^\|.*\n)+", PAGE, flags=re.MULTILINE)
    return [[[cell.strip() for cell in row.strip("|").split("|")] for row in t.splitlines()[2:]] for t in found]


PARAMETERS = [row for table in tables() for row in table if len(row) == 5]
SPELLINGS, LEFT_OVER = (next(t for t in tables() if len(t[0]) == width) for width in (3, 2))


def code(cell: str) -> str:
    """What stands between backticks."""
    return cell.rstrip(" †").strip("`")


def each_layer(row: list[str]) -> list[list[str]]:
    """A row about layer N, once for each layer."""
    if ".N." not in row[0]:
        return [row]
    return [[re.sub(r"\bN\b|(?<=layer_)N", str(n), cell) for cell in row] for n in range(LAYERS)]


ROWS = [row for written in PARAMETERS for row in each_layer(written)]
MODEL = BertForPreTraining(config())
NAMED = dict(MODEL.named_parameters(remove_duplicate=False))
TASKS = ("classifier", "qa_outputs")


def test_the_table_has_every_parameter_once_and_no_other() -> None:
    written = [code(row[0]) for row in ROWS if not code(row[0]).startswith(TASKS)]
    assert len(written) == len(set(written))
    assert set(written) == set(NAMED)


def test_every_shape_is_the_models() -> None:
    heads = BertForSequenceClassification(config(num_labels=SIZES["labels"]))
    answers = BertForQuestionAnswering(config())
    parameters = NAMED | dict(heads.named_parameters()) | dict(answers.named_parameters())
    for row in ROWS:
        shape = tuple(SIZES[size.strip()] for size in row[1].strip("()").split(","))
        assert parameters[code(row[0])].shape == shape, row


def test_a_row_says_tied_exactly_where_two_names_are_one_parameter() -> None:
    tied = {code(row[0]): code(row[4]) for row in ROWS if row[4]}
    found = {}
    for name, parameter in NAMED.items():
        first = next(other for other, candidate in NAMED.items() if candidate is parameter)
        if first != name:
            found[name] = first
    assert tied == found


def test_every_other_spelling_is_read_as_the_name_here() -> None:
    for row in ROWS:
        for cell in row[2:4]:
            if cell:
                assert canonical(code(cell)) == code(row[0]), row


def test_the_dagger_stands_at_matrices_that_are_turned() -> None:
    for row in ROWS:
        assert row[2].endswith("†") == is_transposed(code(row[2])), row


def test_every_layer_norm_has_its_old_name() -> None:
    for row in ROWS:
        assert bool(row[3]) == ("LayerNorm" in row[0]), row


def test_a_whole_checkpoint_of_old_names_fills_the_model() -> None:
    for column in (2, 3):
        names = [code(row[column]) or code(row[0]) for row in ROWS if not code(row[0]).startswith(TASKS)]
        source, left_over = match_names(NAMED, names)
        assert (set(source), left_over) == (set(NAMED), [])


@pytest.mark.parametrize("row", SPELLINGS, ids=lambda row: row[0])
def test_a_spelling_is_read_as_the_page_says(row: list[str]) -> None:
    written, read = code(row[0]), code(row[1])
    assert match_names({read}, [written]) == ({read: written}, [])


def test_what_the_page_calls_harmless_is_harmless() -> None:
    names = [name for row in LEFT_OVER for name in re.findall(r"`([^`]+)`", row[0])]
    assert names
    assert [name for name in names if reason_left_over(name) is None] == []


def test_the_counts_of_bert_base_are_right() -> None:
    parameters, names, numbers = (
        int(n.replace(",", "")) for n in re.findall(r"has (\d+) \w+ under (\d+) .*? ([\d,]+) n", PAGE)[0]
    )
    with torch.device("meta"):
        model = BertForPreTraining(BertConfig())
    assert len(list(model.parameters())) == parameters
    assert len(list(model.named_parameters(remove_duplicate=False))) == names
    assert model.num_parameters() == numbers
