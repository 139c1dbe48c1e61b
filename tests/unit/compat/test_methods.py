"""What programs of the era call on configs, models, tokenizers and encodings; equality with 4.12.5 is in tests/parity/old/era_programs.py."""

from __future__ import annotations

import copy
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import minibert
from minibert import BertConfig, BertForPreTraining, BertModel, BertTokenizer, EncoderDecoderConfig, EncoderDecoderModel
from tests.unit.checkpoints.tensorflow_writer import write_checkpoint
from tests.unit.tiny_bert import BUNDLED, same_weights, text_batch, tiny, tiny_config


@pytest.fixture
def tokenizer(tmp_path: Path) -> BertTokenizer:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "##s", "dog", "ran"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    return BertTokenizer.from_pretrained(tmp_path)


@pytest.fixture
def pair() -> EncoderDecoderModel:
    return EncoderDecoderModel(EncoderDecoderConfig.from_encoder_decoder_configs(tiny_config(), tiny_config()))


# --------------------------------------------------------------------------------------------------------------- configs


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("hidden_act=relu", {"hidden_act": "relu"}),
        ("num_labels=3,use_cache=false", {"num_labels": 3, "use_cache": False}),
        ("is_decoder=Y", {"is_decoder": True}),
        ("layer_norm_eps=1e-5", {"layer_norm_eps": 1e-5}),
        ("vocab_size=7,pad_token_id=1", {"vocab_size": 7, "pad_token_id": 1}),
        ("position_embedding_type=relative_key", {"position_embedding_type": "relative_key"}),
    ],
)
def test_a_string_sets_fields_of_their_kind(text: str, fields: dict[str, Any]) -> None:
    config = tiny_config()
    config.update_from_string(text)  # type: ignore[attr-defined]
    assert {field: getattr(config, field) for field in fields} == fields


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("colour=red", "sets no field of this BertConfig"),
        ("hidden_act", "write field=value"),
        ("", "write field=value"),
        ("hidden_act=a=b", "write field=value"),
        ("use_cache=perhaps", "neither true nor false"),
        ("id2label=x", "id2label holds a dict"),
        ("hidden_size=wide", "invalid literal"),
        ("hidden_dropout_prob=7", "hidden_dropout_prob = 7.0 must be a probability"),
    ],
)
def test_a_string_that_cannot_be_meant_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        tiny_config().update_from_string(text)  # type: ignore[attr-defined]


def test_the_dictionary_of_a_file_comes_with_the_arguments_that_are_left(tmp_path: Path) -> None:
    tiny_config().save_pretrained(tmp_path)
    values, rest = BertConfig.get_config_dict(tmp_path, revision=None, use_auth_token=False, colour="red")  # type: ignore[attr-defined]
    assert values["hidden_size"] == 32
    assert rest == {"colour": "red"}


def test_a_class_may_give_a_field_another_name() -> None:
    class Own(BertConfig):
        attribute_map = {"width": "hidden_size"}  # noqa: RUF012

    own = Own(width=64)  # type: ignore[call-arg]
    assert (own.hidden_size, own.width) == (64, 64)  # type: ignore[attr-defined]
    assert "width" not in own.to_dict()
    twin = pickle.loads(pickle.dumps(copy.deepcopy(tiny_config())))
    assert twin == tiny_config()
    with pytest.raises(AttributeError, match="no attribute 'depth'"):
        own.depth  # type: ignore[attr-defined]  # noqa: B018


# ---------------------------------------------------------------------------------------------------------------- models


@pytest.mark.parametrize("class_name", ["BertModel", "BertForMaskedLM", "BertForMultipleChoice", "BertLMHeadModel"])
def test_operations_are_six_for_each_token_and_parameter(class_name: str) -> None:
    model = tiny(getattr(minibert, class_name))
    tokens = model.estimate_tokens(text_batch())
    assert tokens == 14
    assert model.floating_point_ops(text_batch()) == 6 * 14 * model.num_parameters(exclude_embeddings=True)
    with pytest.warns(UserWarning, match="No input"):
        assert model.estimate_tokens({"labels": torch.ones(3)}) == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_hooks_add_up_over_forwards_and_begin_again() -> None:
    model: Any = tiny(BertModel)
    model.add_memory_hooks()
    model(**text_batch())
    assert model.mem_rss_post_forward > 0
    assert model.encoder.layer[0].mem_rss_pre_forward > 0
    model.reset_memory_hooks_state()
    assert {stage.mem_rss_diff for stage in model.modules()} == {0}


def test_a_sample_input_runs() -> None:
    model: Any = tiny(BertModel)
    assert model(**model.dummy_inputs)[0].shape == (3, 5, 32)
    with pytest.raises(NotImplementedError, match="max_position_embeddings"):
        model.resize_position_embeddings(30)


def test_a_pair_hands_its_embeddings_to_the_side_that_has_them(pair: Any) -> None:
    words, predictor = torch.nn.Embedding(99, 32), torch.nn.Linear(32, 99)
    pair.set_input_embeddings(words)
    pair.set_output_embeddings(predictor)
    assert pair.get_input_embeddings() is pair.encoder.get_input_embeddings() is words
    assert pair.get_output_embeddings() is pair.decoder.get_output_embeddings() is predictor
    with pytest.raises(NotImplementedError, match=r"model\.encoder\.prune_heads"):
        pair.prune_heads({0: [0]})


def test_google_weights_are_read_into_a_model_that_is_built(tmp_path: Path) -> None:
    source, model = tiny(BertForPreTraining), tiny(BertForPreTraining, seed=1)
    tensors = {name.replace(".", "/"): t for name, t in source.tensors_to_save().items() if "pooler" not in name}
    write_checkpoint(tmp_path, tensors, name="bert_model.ckpt")
    model.bert.pooler.load_state_dict(source.bert.pooler.state_dict())
    assert minibert.load_tf_weights_in_bert(model, model.config, str(tmp_path / "bert_model.ckpt")) is model
    assert same_weights(model, source)


# -------------------------------------------------------------------------------------------------- the report of loading


def info_of(model_class: Any, folder: Path, **settings: Any) -> dict[str, list[Any]]:
    return model_class.from_pretrained(folder, output_loading_info=True, **settings)[1]


def saved(folder: Path, *without: str, class_name: str = "BertForPreTraining") -> Path:
    """A checkpoint as the era wrote it, every name in it, but for some."""
    model = tiny(getattr(minibert, class_name))
    model.config.save_pretrained(folder)
    state = {name: t for name, t in model.state_dict().items() if not name.endswith(without or ("\0",))}
    torch.save(state, folder / "pytorch_model.bin")
    return folder


@pytest.mark.parametrize(
    ("class_name", "unexpected", "missing"),
    [
        ("BertModel", 8, []),
        ("BertForPreTraining", 0, ["cls.predictions.decoder.bias"]),
        ("BertForMaskedLM", 2, []),
        ("BertForNextSentencePrediction", 6, []),
        ("BertForSequenceClassification", 8, ["classifier.weight", "classifier.bias"]),
        ("BertForTokenClassification", 8, ["classifier.weight", "classifier.bias"]),
        ("BertForQuestionAnswering", 8, ["qa_outputs.weight", "qa_outputs.bias"]),
        ("BertForMultipleChoice", 8, ["classifier.weight", "classifier.bias"]),
    ],
)
def test_a_published_checkpoint_has_the_references_report(
    class_name: str, unexpected: int, missing: list[str], tmp_path: Path
) -> None:
    """As Google's converted ones are: the decoder's weight is there a second time, its bias is not."""
    info = info_of(getattr(minibert, class_name), saved(tmp_path, "decoder.bias"))
    ignored = sum("pooler" in name for name in info["unexpected_keys"])
    assert (len(info["unexpected_keys"]), info["missing_keys"], ignored) == (unexpected, missing, 0)


@pytest.mark.parametrize("class_name", ["BertModel", "BertForPreTraining", "BertForMaskedLM", "BertLMHeadModel"])
def test_a_file_that_writes_tied_tensors_once_misses_nothing(class_name: str, tmp_path: Path) -> None:
    tiny(getattr(minibert, class_name)).save_pretrained(tmp_path)
    assert not any(info_of(getattr(minibert, class_name), tmp_path).values())


def test_a_bare_body_misses_the_whole_head_under_both_names(tmp_path: Path) -> None:
    missing = info_of(BertForPreTraining, saved(tmp_path, class_name="BertModel"))["missing_keys"]
    assert {"cls.predictions.bias", "cls.predictions.decoder.bias", "cls.predictions.decoder.weight"} <= set(missing)


def test_a_class_may_say_what_it_does_not_miss(tmp_path: Path) -> None:
    class Own(BertForPreTraining):
        _keys_to_ignore_on_load_missing = ["decoder.bias"]  # noqa: RUF012
        _keys_to_ignore_on_load_unexpected = ["extra"]  # noqa: RUF012

    assert not any(info_of(Own, saved(tmp_path, "decoder.bias")).values())


def test_positions_that_are_counted_anyway_are_never_missed(tmp_path: Path) -> None:
    class Own(BertForPreTraining):
        _keys_to_ignore_on_load_missing = ["nothing"]  # noqa: RUF012

    tiny(BertForPreTraining).save_pretrained(tmp_path)
    assert not any(info_of(Own, tmp_path).values())


def test_a_config_knows_where_it_was_read_from_under_the_references_name(tmp_path: Path) -> None:
    tiny(BertModel).save_pretrained(tmp_path)
    config = BertModel.from_pretrained(tmp_path).config
    assert config._name_or_path == config.name_or_path == str(tmp_path)
    config._name_or_path = "mine"
    assert config.name_or_path == "mine"
    assert "_name_or_path" not in config.to_dict()


@pytest.mark.parametrize("kind", [RuntimeError, OSError, minibert.checkpoints.CheckpointError])
def test_tensors_of_another_shape_are_caught_as_the_era_and_as_today(kind: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(kind, match="do not fit"):
        BertModel.from_pretrained(saved(tmp_path), hidden_size=64)


# --------------------------------------------------------------------------------------------- tokenizers and encodings


def test_the_classes_know_the_published_tokenizers() -> None:
    kind: Any = BertTokenizer
    assert kind.max_model_input_sizes["bert-base-uncased"] == 512
    assert len(kind.max_model_input_sizes) == len(kind.pretrained_vocab_files_map["vocab_file"]) == 18
    cased = [name for name, settings in kind.pretrained_init_configuration.items() if not settings["do_lower_case"]]
    assert all("uncased" not in name for name in cased)


@pytest.mark.parametrize(
    ("options", "tokens"),
    [
        ({}, ["the", "cat", "##s"]),
        ({"add_special_tokens": True}, ["[CLS]", "the", "cat", "##s", "[SEP]"]),
        ({"add_special_tokens": False}, ["the", "cat", "##s"]),
        ({"pair": "dog ran"}, ["the", "cat", "##s", "dog", "ran"]),
        ({"pair": "dog", "add_special_tokens": True}, ["[CLS]", "the", "cat", "##s", "[SEP]", "dog", "[SEP]"]),
        ({"truncation": True, "max_length": 2}, ["the", "cat"]),
        ({"padding": "max_length", "max_length": 4}, ["the", "cat", "##s", "[PAD]"]),
    ],
)
@pytest.mark.parametrize("kind", [minibert.BertTokenizer, minibert.BertTokenizerFast])
def test_tokens_of_a_pair_and_with_special_ones(
    kind: Any, options: dict[str, Any], tokens: list[str], tokenizer: BertTokenizer
) -> None:
    assert kind(tokenizer.vocab).tokenize("the cats", **options) == tokens
    with pytest.raises(TypeError):
        kind(tokenizer.vocab).tokenize("the cats", colour="red")


def test_a_retired_name_still_answers_and_says_the_new_one(tokenizer: BertTokenizer) -> None:
    encoding: Any = tokenizer("the cats")
    with pytest.warns(FutureWarning, match="word_ids"):
        assert encoding.words() == encoding.word_ids() == [None, 0, 1, 1, None]


def copies(encoding: Any) -> list[Any]:
    return [pickle.loads(pickle.dumps(encoding)), copy.copy(encoding), copy.deepcopy(encoding), encoding.copy()]


@pytest.mark.parametrize("texts", ["the cats", ["the cats", "dog"], [["the", "cats"]]])
@pytest.mark.parametrize("settings", [{}, {"return_tensors": "pt", "padding": True}])
def test_a_copied_or_pickled_encoding_knows_where_its_tokens_came_from(
    texts: Any, settings: dict[str, Any], tokenizer: BertTokenizer
) -> None:
    settings = {**settings, "is_split_into_words": not isinstance(texts, str) and not isinstance(texts[0], str)}
    encoding = tokenizer(texts, **settings)
    for again in copies(tokenizer(texts, **settings)):
        assert not again.is_fast
        assert again.encodings is None
        assert again.word_ids() == encoding.word_ids()
        assert again[0].offsets == encoding[0].offsets
        assert again.token_to_chars(1) == encoding.token_to_chars(1)
        assert again.n_sequences == 1


def test_an_encoding_made_from_columns_has_no_rows_unless_they_are_given(tokenizer: BertTokenizer) -> None:
    assert not minibert.BatchEncoding({"a": [1]}, encoding=None).is_fast
    row = tokenizer("the cats")[0]
    assert minibert.BatchEncoding({"a": [1]}, encoding=row).word_ids() == minibert.BatchEncoding({}, [row]).word_ids()


@pytest.mark.parametrize("kind", [TypeError, AssertionError])
@pytest.mark.parametrize(
    "tokens",
    [{"cls_token": 3}, {"additional_special_tokens": "x"}, {"additional_special_tokens": [1]}, {"sep_token": None}],
)
def test_what_is_no_special_token_is_caught_as_the_era_and_as_today(
    kind: type[Exception], tokens: dict[str, Any], tokenizer: BertTokenizer
) -> None:
    with pytest.raises(kind, match="must be"):
        tokenizer.add_special_tokens(tokens)


@pytest.mark.parametrize("kind", [KeyError, ValueError])
@pytest.mark.parametrize("name", ["gelo", "", None, 3])
def test_an_unknown_activation_is_caught_as_the_era_and_as_today(kind: type[Exception], name: Any) -> None:
    with pytest.raises(kind) as caught:
        minibert.model.activations.get_activation(name)
    assert str(caught.value).startswith(f"hidden_act = {name!r} is no activation")


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_class_says_how_its_tokenizers_pad(side: str, tokenizer: BertTokenizer) -> None:
    class Own(BertTokenizer):
        padding_side = side
        model_input_names = ["input_ids"]  # noqa: RUF012

    own = Own(tokenizer.vocab)
    assert own(["dog", "the cats"], padding=True) == {
        "input_ids": [[0, 0, 2, 8, 3] if side == "left" else [2, 8, 3, 0, 0], [2, 5, 6, 7, 3]]
    }
    assert Own(tokenizer.vocab, padding_side="right").padding_side == "right"


def test_a_bundled_tokenizer_opens_by_keyword() -> None:
    assert BertTokenizer.from_pretrained(pretrained_model_name_or_path=BUNDLED).name_or_path == BUNDLED
