"""Messages to the last letter: what is wrong, where, and what to do about it is what a message is for."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import minibert
from minibert import BertForMaskedLM, BertLMHeadModel, BertModel, BertTokenizer
from minibert.optim import AdamW, layerwise_groups, no_decay_groups
from minibert.tokenization import BatchEncoding
from minibert.tokenization.train_vocabulary import learn_pieces
from tests.unit.tiny_bert import tiny, token_ids

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "dog", "##s", "a", "b"]
IDS = token_ids()


def tokenizer(**settings: Any) -> BertTokenizer:
    """A tokenizer of ten pieces."""
    return BertTokenizer({piece: index for index, piece in enumerate(PIECES)}, **settings)


def decoder(**settings: Any) -> BertLMHeadModel:
    """A tiny model that writes."""
    return tiny(BertLMHeadModel, is_decoder=True, **settings)


def a_config_of_another_kind() -> None:
    BertForMaskedLM(5)  # type: ignore[arg-type]


def a_label_out_of_range() -> None:
    tiny(BertForMaskedLM)(IDS, labels=torch.full((2, 7), 99))


def a_cache_of_another_length() -> None:
    past = ((torch.zeros(2, 4, 3, 8),) * 2, (torch.zeros(2, 4, 2, 8),) * 2)
    decoder().bert(IDS, past_key_values=past)


def a_sparse_gradient() -> None:
    table = nn.Embedding(3, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    AdamW([{"params": [nn.Parameter(torch.zeros(1))]}, {"params": [nn.Parameter(torch.zeros(1)), table.weight]}]).step()


def a_state_of_another_optimizer() -> None:
    ours, other = (kind([nn.Parameter(torch.zeros(1))]) for kind in (AdamW, torch.optim.AdamW))
    ours.load_state_dict(other.state_dict())


def no_word_is_left() -> None:
    decoder().generate(IDS, max_length=9, bad_words_ids=[[index] for index in range(99)])


def options(**changes: Any) -> Callable[[], object]:
    return lambda: decoder().generate(IDS, **{"max_length": 9, **changes})


def rows(*texts: str, **settings: Any) -> Callable[[], object]:
    return lambda: tokenizer()(list(texts), **settings)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            a_config_of_another_kind,
            "BertForMaskedLM(config) takes an instance of BertConfig, not of int. "
            "To open a checkpoint use BertForMaskedLM.from_pretrained(name).",
        ),
        (
            a_label_out_of_range,
            "labels[0, 0] is 99; labels run from 0 to 98, and -100 means: not counted.",
        ),
        (
            a_cache_of_another_length,
            "past_key_values[1] holds a tensor of shape (2, 4, 2, 8); it must be (2, 4, 3, 8), the same length in every layer.",
        ),
        (
            a_sparse_gradient,
            "parameter 1 of group 1 (shape (3, 2)) has a sparse gradient: use sparse=False or torch.optim.SparseAdam.",
        ),
        (
            a_state_of_another_optimizer,
            "Group 0 of the loaded state has no 'correct_bias': another kind of optimizer saved it, and only that can load it.",
        ),
        (
            no_word_is_left,
            "No word can follow the 7 tokens of a text: all scores are −∞ (forbidden), or one is infinite. Loosen bad_words_ids.",
        ),
        (options(num_beams=0), "num_beams is 0; it must be at least 1."),
        (options(num_beams=1.5), "num_beams is 1.5; it must be a whole number, at least 1."),
        (options(num_return_sequences=0), "num_return_sequences is 0; it must be at least 1."),
        (options(min_length=-1), "min_length is -1; it must be at least 0."),
        (options(top_k=-1), "top_k is -1; it must be at least 0."),
        (options(no_repeat_ngram_size=-1), "no_repeat_ngram_size is -1; it must be at least 0."),
        (options(temperature=0), "temperature is 0; it must be above 0."),
        (options(repetition_penalty=0.0), "repetition_penalty is 0.0; it must be above 0."),
        (options(top_p=0), "top_p is 0; it must be above 0 and at most 1, which turns it off."),
        (options(top_p=1.1), "top_p is 1.1; it must be above 0 and at most 1, which turns it off."),
        (options(max_length=7), "The prompt has 7 tokens and max_length is 7: nothing left to generate."),
        (options(max_length=25), "max_length is 25, but this model knows 24 positions."),
        (
            options(num_beams=2, num_return_sequences=3),
            "num_return_sequences is 3, but a search with num_beams = 2 finds fewer.",
        ),
        (options(bad_words_ids=[[99]]), "bad_words_ids holds [99]; a word is a list of ids below 99."),
        (options(bad_words_ids=[[]]), "bad_words_ids holds []; a word is a list of ids below 99."),
        (options(bad_words_ids=[5]), "bad_words_ids holds 5; a word is a list of ids below 99."),
        (options(eos_token_id=99), "eos_token_id is 99; it must be among the ids below 99, and not all."),
        (
            options(eos_token_id=list(range(99))),
            f"eos_token_id is {list(range(99))}; it must be among the ids below 99, and not all.",
        ),
        (
            lambda: tiny(BertLMHeadModel, is_decoder=True, vocab_size=9).generate(
                torch.ones(1, 1, dtype=torch.long), max_length=11, no_repeat_ngram_size=1
            ),
            "no_repeat_ngram_size=1 lets each of the 9 words come once, but max_length asks for 10: shorten it, or give eos_token_id.",
        ),
        (
            rows("a", "a b", return_tensors="pt"),
            "'input_ids' cannot be one tensor: its rows have lengths 3, 4. "
            "Pass padding=True, and truncation=True to cut long texts.",
        ),
        (
            lambda: tokenizer().prepare_for_model([5]).word_ids(),
            "It is not known where these tokens came from: they were made from ids, or by steps that do not say. Encode text.",
        ),
        (
            lambda: tokenizer()(
                "a b a b",
                max_length=4,
                stride=2,
                truncation=True,
                return_overflowing_tokens=True,
                return_offsets_mapping=True,
            ),
            "max_length=4 leaves room for 2 tokens of this text in each window: it must be more than stride=2. "
            "Raise max_length or lower stride.",
        ),
        (
            lambda: learn_pieces({"ab": 1}, 4),
            "7 pieces are needed for special tokens and single characters alone, more than size=4. Raise size.",
        ),
        (
            lambda: BertTokenizer({"a": 0}, unk_token="?").convert_tokens_to_ids("x"),
            "The vocabulary has neither 'x' nor the unknown token '?'. Set tokenizer.unk_token to one that it has.",
        ),
        (
            lambda: BertTokenizer({"[UNK]": 0, "b": 2}).add_tokens("c"),
            "'c' would get id 2, which is 'b' already: a piece stands on two of its lines in vocab.txt. Give each line its own.",
        ),
    ],
)
def test_an_error_says_what_is_wrong_and_what_to_do(call: Callable[[], object], message: str) -> None:
    with pytest.raises((ValueError, RuntimeError), match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: tokenizer()("the dog", max_length=3),
            "max_length= alone cuts long sequences to it: say so with truncation=True.",
        ),
        (
            lambda: tokenizer()("the dog", padding="max_length"),
            "There is no length to pad or cut to, and nothing is done: give max_length=, or set tokenizer.model_max_length.",
        ),
        (
            lambda: tokenizer(model_max_length=3)("the dog"),
            "A sequence is longer than the model's maximum of 3 tokens. The model refuses what is beyond, or answers from positions "
            "that it was never trained on: pass truncation=True to cut it.",
        ),
        (
            lambda: tokenizer()("a", "the dog", truncation="only_first", max_length=3),
            "truncation='only_first' cannot cut 3 tokens off a sequence of 1: nothing is cut. Choose a larger max_length.",
        ),
        (
            lambda: BertTokenizer({"a": 0}),
            "The vocabulary {'a': 0} has no unknown token '[UNK]': a word it cannot spell is an error. "
            "If it has another, name it with unk_token=....",
        ),
        (
            lambda: tiny(BertLMHeadModel),
            "BertLMHeadModel reads from left to right only with a config that has is_decoder=True.",
        ),
    ],
)
def test_a_remark_says_it_once(call: Callable[[], object], message: str, caplog: pytest.LogCaptureFixture) -> None:
    call()
    assert [record.getMessage() for record in caplog.records] == [message]


def test_a_remark_is_made_once_and_only_if_it_is_wanted(caplog: pytest.LogCaptureFixture) -> None:
    made = tokenizer()
    for _ in range(2):
        made("the dog", max_length=3)
    assert len(caplog.records) == 1
    caplog.clear()
    tokenizer()("the dog", max_length=3, verbose=False)
    assert not caplog.records


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: tiny(BertLMHeadModel).generate(IDS, max_length=8),
            "This model reads in both directions, and its scores are of words that it sees, not of the next: "
            "load it with is_decoder=True, or train it as a decoder.",
        ),
        (
            lambda: decoder().generate(IDS, attention_mask=torch.tensor([[1] * 7, [1] * 6 + [0]]), max_length=8),
            "Padded prompts go on otherwise than they would alone, as in transformers 4.12.5: "
            "pad them on the left, and give positions_from_mask=True.",
        ),
        (
            lambda: tokenizer()("a", truncation_strategy="longest_first"),
            "truncation_strategy= is the old name of truncation=.",
        ),
        (
            lambda: tokenizer()("a", pad_to_max_length=True),
            "pad_to_max_length= is the old way to say padding='max_length'.",
        ),
    ],
)
def test_a_warning_says_what_to_do(call: Callable[[], object], message: str) -> None:
    with pytest.warns((UserWarning, FutureWarning), match=f"^{re.escape(message)}$"):
        call()


def test_files_of_another_tokenizer_are_opened_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tokenizer().save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "GPT2TokenizerFast"}')
    BertTokenizer.from_pretrained(tmp_path)
    assert [record.getMessage() for record in caplog.records] == [
        f"The files of {tmp_path} are those of a GPT2TokenizerFast, and are opened as a BertTokenizer: "
        "text may be cut into other tokens than the model was trained with."
    ]


def test_special_tokens_that_were_added_are_to_be_trained(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "vocab.txt").write_text("[UNK]\na\n")
    BertTokenizer.from_pretrained(tmp_path)
    expected = "Special tokens were added to the vocabulary: train their embeddings before using them."
    assert [record.getMessage() for record in caplog.records] == [expected]


def test_files_that_a_save_leaves_behind_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    BertTokenizer({"[UNK]": 0, "a": 1, "b": 1}).save_pretrained(tmp_path)
    gap, whole = sorted(record.getMessage() for record in caplog.records)
    assert whole.startswith("Ids are not 0, 1, 2, … without a gap: read back from '")
    assert whole.endswith("vocab.txt', they will differ.")
    assert gap == f"'{tmp_path / 'tokenizer.json'}' is not updated. transformers 5 will read it: remove it."


def test_a_tokenizer_shows_what_it_is() -> None:
    special = {
        name: f"[{name.upper()[:-6]}]" for name in ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
    }
    assert repr(tokenizer(model_max_length=9, name_or_path="x")) == (
        "PreTrainedTokenizer(name_or_path='x', vocab_size=10, model_max_len=9, is_fast=False, padding_side='right', "
        f"special_tokens={special})"
    )


def test_each_group_says_why_its_weights_decay() -> None:
    model = tiny(BertModel)
    decayed, exempt = no_decay_groups(model, 0.02, no_decay=["bias", "LayerNorm"])
    assert decayed["why"] == (
        "Each step takes lr × 0.02 of the weight away: its name contains none of ('bias', 'LayerNorm')."
    )
    assert exempt["why"] == "Not decayed: its name contains one of ('bias', 'LayerNorm')."
    assert (decayed["weight_decay"], exempt["weight_decay"]) == (0.02, 0.0)
    groups = {group["name"]: group for group in layerwise_groups(model, 1.0, 0.5, 0.02, no_decay=["bias", "LayerNorm"])}
    stages = ("embeddings", "layer 0", "layer 1", "pooler and heads")
    assert list(groups) == [f"{stage}, {kind}" for kind in ("decay", "no decay") for stage in stages]
    assert [groups[f"{stage}, decay"]["lr"] for stage in stages] == [0.125, 0.25, 0.5, 1.0]
    assert groups["layer 0, decay"]["why"] == f"{decayed['why']} lr is 1.0 × 0.5^2: 2 below the top."
    assert groups["layer 0, no decay"]["why"] == f"{exempt['why']} lr is 1.0 × 0.5^2: 2 below the top."
    assert all(len(group["params"]) == len(group["parameter_names"]) > 0 for group in groups.values())


def test_whoever_listens_to_minibert_hears_all_of_it() -> None:
    names = [
        found.name for found in pkgutil.walk_packages(minibert.__path__, "minibert.") if "__main__" not in found.name
    ]
    modules = [importlib.import_module(name) for name in names]
    loggers = {module.__name__: vars(module).get("logger", logging.getLogger("minibert")) for module in modules}
    assert all(logger.name.partition(".")[0] == "minibert" for logger in loggers.values()), loggers


def test_rows_of_no_regular_shape_are_named() -> None:
    message = "'x' cannot be one tensor: its rows have no regular shape. Pass padding=True, and truncation=True to cut long texts."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        BatchEncoding({"x": [[1, [2]], [3, 4]]}, tensor_type="pt")


@pytest.mark.parametrize("longest", [float("inf"), float("nan"), 0, 0.5, "9", [9]])
def test_a_longest_length_that_is_no_number_of_tokens_is_refused(longest: Any) -> None:
    message = f"model_max_length = {longest!r} must be a number of tokens, at least 1."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        tokenizer(model_max_length=longest)
    assert tokenizer(model_max_length=1).model_max_length == 1
    assert tokenizer().model_max_length == int(1e30)
