"""BERT in one page is the library's BERT: the same ids, and the same scores to the bit."""

import ast
from types import ModuleType

import pytest
import torch

from minibert import BertForMaskedLM, BertTokenizer
from tests.tutorials.places import TUTORIALS, open_module

PAGE = TUTORIALS / "bert_in_one_page.py"
SENTENCES = [
    "He shook his [MASK].",
    "It was a dark and stormy [MASK], and the old man took off his [MASK].",
    "“I don't know,” she said; “ask the lawyer's clerk — he is 42 years old!”",
    "The unforeseeable antidisestablishmentarianism of Mr. Zyzzyvaxqj...",
    "a",
]


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return open_module(PAGE)


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer.from_pretrained("novels-4l-256h")


@pytest.fixture(scope="module")
def library() -> BertForMaskedLM:
    """In float32, as `from_pretrained` gives it, although the file holds float16."""
    model = BertForMaskedLM.from_pretrained("novels-4l-256h", attn_implementation="eager")
    assert model.dtype == torch.float32
    return model


@pytest.mark.parametrize(
    "text", [*SENTENCES, "snake_case, a+b=c & <tags> #1 (50%) [not special]", "tab\tand\nnewline  ", ""]
)
def test_the_ids_are_the_librarys(page: ModuleType, tokenizer: BertTokenizer, text: str) -> None:
    assert page.WordPiece().encode(text) == tokenizer(text)["input_ids"]


def test_every_word_of_the_vocabulary_and_of_a_long_text_has_the_librarys_ids(
    page: ModuleType, tokenizer: BertTokenizer
) -> None:
    long_text = (TUTORIALS.parent / "README.md").read_text(encoding="utf-8")
    plain = "".join(letter for letter in long_text if letter.isascii())
    for text in (plain, " ".join(piece for piece in tokenizer.vocab if piece.isascii()), "x" * 100, "x" * 101):
        assert page.WordPiece().encode(text) == tokenizer(text)["input_ids"]


@pytest.mark.parametrize("text", SENTENCES)
def test_the_scores_are_the_librarys_to_the_bit(
    page: ModuleType, tokenizer: BertTokenizer, library: BertForMaskedLM, text: str
) -> None:
    with torch.no_grad():
        expected = library(**tokenizer(text, return_tensors="pt")).logits
        scores = page.Bert()(torch.tensor([page.WordPiece().encode(text)]))
    assert torch.equal(scores, expected)


def test_a_padded_batch_of_pairs_has_the_librarys_scores_to_the_bit(
    page: ModuleType, tokenizer: BertTokenizer, library: BertForMaskedLM
) -> None:
    inputs = tokenizer([("He stood up.", "He left."), ("No.", "")], padding=True, return_tensors="pt")
    assert inputs["attention_mask"].min() == 0
    assert inputs["token_type_ids"].max() == 1
    with torch.no_grad():
        expected = library(**inputs).logits
        scores = page.Bert()(inputs["input_ids"], inputs["attention_mask"], inputs["token_type_ids"])
    assert torch.equal(scores, expected)


def test_it_fills_a_blank(page: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    page.main("He shook his [MASK].")
    assert capsys.readouterr().out.splitlines()[1].split()[:2] == ["head", "71.4%"]


def test_it_fits_on_a_page_and_imports_four_things() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module).split(".")[0])
    assert names == {"torch", "safetensors", "json", "re"}
