"""What programs and tests of the era ask a tokenizer: its arguments, its files, sources with targets."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

import minibert
from minibert import AddedToken, BertTokenizer, BertTokenizerFast
from minibert.checkpoints import CheckpointError
from minibert.tokenization.wordpiece import Trie

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "The", "##s", "sat"]
KINDS = [BertTokenizer, BertTokenizerFast]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vocab.txt").write_text("".join(f"{piece}\n" for piece in PIECES), encoding="utf-8")
    return tmp_path


def whole(folder: Path, **normalizer: Any) -> Path:
    """A tokenizer.json alone in a folder."""
    content = {
        "model": {"type": "WordPiece", "vocab": {piece: i for i, piece in enumerate(PIECES)}, "unk_token": "[UNK]"},
        "normalizer": {"type": "BertNormalizer", "lowercase": True, **normalizer},
        "added_tokens": [{"content": "<new>", "id": len(PIECES), "special": True}],
    }
    path = folder / "only" / "tokenizer.json"
    path.parent.mkdir()
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_every_argument_is_kept(kind: Any, folder: Path) -> None:
    parameters = inspect.signature(kind.__init__).parameters.values()
    names = {each.name for each in parameters if each.default is not each.empty}
    for tokenizer in (kind(folder / "vocab.txt"), kind.from_pretrained(folder)):
        assert names - {"vocab_file", "tokenizer_file"} <= tokenizer.init_kwargs.keys()


def test_the_fast_class_takes_its_files_as_the_reference_does() -> None:
    parameters = list(inspect.signature(BertTokenizerFast).parameters)
    assert parameters[:3] == ["vocab_file", "tokenizer_file", "do_lower_case"]


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("given", [None, True, False])
def test_a_tokenizer_json_says_how_text_is_cut_unless_the_caller_does(
    lowercase: bool, given: bool | None, folder: Path
) -> None:
    tokenizer = BertTokenizerFast(tokenizer_file=whole(folder, lowercase=lowercase), do_lower_case=given)
    lowers = lowercase if given is None else given
    assert tokenizer.tokenize("The cats") == (["the", "cat", "##s"] if lowers else ["The", "cat", "##s"])
    assert tokenizer.init_kwargs["do_lower_case"] is lowers
    assert tokenizer.encode("<new>", add_special_tokens=False) == [len(PIECES)]


def test_a_vocabulary_beside_a_tokenizer_json_counts(folder: Path) -> None:
    (folder / "other.txt").write_text("\n".join([*PIECES[:6], "dog", "##t", "a", "b"]), encoding="utf-8")
    tokenizer = BertTokenizerFast(folder / "other.txt", str(whole(folder)))
    assert tokenizer.tokenize("the dog cat <new>") == ["the", "dog", "[UNK]", "<new>"]
    (folder / "short.txt").write_text("[UNK]\nthe\n", encoding="utf-8")
    with pytest.raises(ValueError, match="belongs to another vocabulary"):
        BertTokenizerFast(folder / "short.txt", folder / "only" / "tokenizer.json")


@pytest.mark.parametrize("kind", KINDS)
def test_a_tokenizer_json_is_opened_by_its_path(kind: Any, folder: Path) -> None:
    path = whole(folder, lowercase=False)
    assert kind.from_pretrained(path).tokenize("The <new>cats") == ["The", "<new>", "cat", "##s"]


@pytest.mark.parametrize("content", ["{}", '{"model": {"type": "BPE", "vocab": {}}}', "[1]", "no JSON", ""])
def test_a_file_that_is_no_tokenizer_json_is_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "some.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"some\.json"):
        BertTokenizerFast(tokenizer_file=path)
    with pytest.raises(CheckpointError, match=r"some\.json"):
        BertTokenizer.from_pretrained(path)


def test_a_tokenizer_needs_a_vocabulary() -> None:
    with pytest.raises(ValueError, match="There is no vocabulary file"):
        BertTokenizerFast()
    with pytest.raises(ValueError, match="is empty"):
        BertTokenizer({})


@pytest.mark.parametrize("kind", KINDS)
def test_sources_and_targets_become_inputs_and_labels(kind: Any, folder: Path) -> None:
    tokenizer = kind(folder / "vocab.txt", model_max_length=8)
    sources, targets = ["the cat sat the cat sat", "the"], ["the cats", "cat"]
    with pytest.warns(FutureWarning, match="tokenizer\\(targets\\) for the labels"):
        batch = tokenizer.prepare_seq2seq_batch(
            sources, targets, max_length=3, max_target_length=4, return_tensors="pt", src_lang="en_XX"
        )
    assert (batch.input_ids.shape, batch.labels.shape) == ((2, 3), (2, 4))
    with pytest.warns(FutureWarning):
        batch = tokenizer.prepare_seq2seq_batch(sources, tgt_texts=targets)
    assert batch.input_ids == tokenizer(sources, padding=True, truncation=True).input_ids
    assert batch.labels == tokenizer(targets, padding=True).input_ids
    with pytest.warns(FutureWarning):
        assert "labels" not in tokenizer.prepare_seq2seq_batch(sources, max_length=3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_settings_of_a_saved_tokenizer_are_read_as_they_are(kind: Any, folder: Path) -> None:
    assert minibert.get_tokenizer_config(folder) == {}
    kind.from_pretrained(folder, do_lower_case=False).save_pretrained(folder / "saved")
    found = minibert.get_tokenizer_config(folder / "saved")
    assert (found["tokenizer_class"], found["do_lower_case"]) == ("BertTokenizer", False)
    assert found["name_or_path"] == str(folder)
    assert not found.keys() & {"verbose", "max_len", "bos_token"}


def test_roles_can_be_renamed_by_their_list(folder: Path) -> None:
    marked = AddedToken("<sp>", lstrip=True)
    tokenizer = BertTokenizerFast.from_pretrained(folder, additional_special_tokens=[marked])
    roles = minibert.SpecialTokensMixin.SPECIAL_TOKENS_ATTRIBUTES.copy()
    roles.remove("additional_special_tokens")
    names = {
        getattr(tokenizer, role): f"{getattr(tokenizer, role)}a" for role in roles if getattr(tokenizer, f"_{role}")
    }
    new = tokenizer.train_new_from_iterator([["the first sentence", "the second"]], 60, special_tokens_map=names)
    assert [getattr(new, role) for role in roles if getattr(tokenizer, f"_{role}")] == list(names.values())
    assert marked in new.all_special_tokens_extended
    assert new.decode(new.encode("The first"), skip_special_tokens=True) == "the first"


@pytest.mark.parametrize("name", [None, "transformers", "transformers.modeling_utils", "minibert"])
def test_the_loggers_of_the_reference_are_this_librarys(name: str | None) -> None:
    assert minibert.logging.get_logger(name).name == "minibert"


@pytest.mark.parametrize("name", ["minibert.x", "mine", "my.transformers"])
def test_other_loggers_are_themselves(name: str) -> None:
    assert minibert.logging.get_logger(name).name == name


def test_a_tree_of_tokens_grows() -> None:
    trie = Trie(["ab"])
    trie.add("ac")
    trie.add("")
    assert trie.data == {"a": {"b": {"": 1}, "c": {"": 1}}}
    assert trie.split("xacab") == ["x", "ac", "ab"]
    assert trie.cut_text("ABC", [0, 0, 2, 1, 2, 3]) == ["AB", "C"]
