"""A pair of BERTs: what is tied, what the loss means, saving and loading, and what is refused."""

import inspect
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from minibert import (
    BertConfig,
    BertForPreTraining,
    BertLMHeadModel,
    BertModel,
    EncoderDecoderConfig,
    EncoderDecoderModel,
)
from minibert.checkpoints import CheckpointError
from minibert.outputs import Seq2SeqLMOutput
from tests.unit.tiny_bert import same_weights, text_batch, tiny, tiny_config

START, PAD = 2, 0
LABELS = torch.tensor([[5, 9, 3, -100], [7, 3, -100, -100]])


def pair(seed: int = 0, encoder: dict[str, Any] | None = None, **of_pair: Any) -> EncoderDecoderModel:
    """A tiny pair in evaluation mode, with the tokens that labels need."""
    torch.manual_seed(seed)
    config = EncoderDecoderConfig.from_encoder_decoder_configs(
        tiny_config(**(encoder or {})),
        tiny_config(),
        **{"decoder_start_token_id": START, "pad_token_id": PAD, **of_pair},
    )
    return EncoderDecoderModel(config).eval()


# --------------------------------------------------------------------------------------------------------------- forward


def test_the_decoder_reads_the_encoder_s_states_and_mask() -> None:
    model, batch = pair(), text_batch()
    ids = torch.tensor([[2, 5, 9], [2, 7, 3]])
    states = model.encoder(**batch).last_hidden_state
    by_hand = model.decoder(
        ids, encoder_hidden_states=states, encoder_attention_mask=batch["attention_mask"], use_cache=False
    )
    outputs = model(**batch, decoder_input_ids=ids)
    assert isinstance(outputs, Seq2SeqLMOutput)
    assert torch.equal(outputs.logits, by_hand.logits)
    assert torch.equal(outputs.encoder_last_hidden_state, states)


def test_the_decoder_is_fed_the_labels_moved_by_one_and_the_loss_compares_in_place() -> None:
    model, batch = pair(), text_batch()
    moved = torch.tensor([[START, 5, 9, 3], [START, 7, 3, PAD]])
    assert torch.equal(model.prepare_decoder_input_ids_from_labels(LABELS), moved)
    outputs = model(**batch, labels=LABELS)
    logits = model(**batch, decoder_input_ids=moved).logits
    assert torch.equal(outputs.logits, logits)
    probabilities = logits.softmax(-1)
    counted = [(0, 0, 5), (0, 1, 9), (0, 2, 3), (1, 0, 7), (1, 1, 3)]
    expected = -torch.stack([probabilities[place].log() for place in counted]).mean()
    torch.testing.assert_close(outputs.loss, expected)


def test_a_padded_word_of_the_encoder_never_changes_the_logits() -> None:
    model, batch = pair(), text_batch()
    changed = {**batch, "input_ids": batch["input_ids"].clone()}
    changed["input_ids"][1, 5] = 1
    assert batch["attention_mask"][1, 5] == 0
    expected = model(**batch, labels=LABELS).logits
    assert torch.equal(model(**changed, labels=LABELS).logits, expected)


def test_a_later_word_of_the_decoder_never_changes_an_earlier_position() -> None:
    model, batch = pair(), text_batch()
    ids = torch.tensor([[2, 5, 9], [2, 7, 3]])
    changed = ids.clone()
    changed[:, 2] = 11
    before, after = (model(**batch, decoder_input_ids=each).logits for each in (ids, changed))
    assert torch.equal(before[:, :2], after[:, :2])
    assert not torch.equal(before[:, 2], after[:, 2])


@pytest.mark.parametrize("form", [lambda o: o, lambda o: o.to_tuple()[:1], lambda o: (o[0], None, None)])
def test_encoder_outputs_given_take_the_place_of_a_run(form: Any) -> None:
    model, batch = pair(), text_batch()
    expected = model(**batch, labels=LABELS)
    given = form(model.encoder(**batch))
    outputs = model(attention_mask=batch["attention_mask"], encoder_outputs=given, labels=LABELS)
    assert torch.equal(outputs.loss, expected.loss)
    assert torch.equal(outputs.encoder_last_hidden_state, expected.encoder_last_hidden_state)


def test_word_by_word_over_a_cache_gives_the_scores_of_the_whole() -> None:
    model, batch = pair(), text_batch()
    ids = torch.tensor([[2, 5, 9], [2, 7, 3]])
    whole = model(**batch, decoder_input_ids=ids).logits
    encoder_outputs, past = model.get_encoder()(**batch), None
    for end in (1, 2, 3):
        inputs = model.prepare_inputs_for_generation(
            ids[:, :end], past=past, attention_mask=batch["attention_mask"], encoder_outputs=encoder_outputs
        )
        outputs = model(**inputs)
        past = outputs.past_key_values
        torch.testing.assert_close(outputs.logits[:, -1], whole[:, end - 1])
    assert inputs["decoder_input_ids"].shape == (2, 1)
    swapped = model._reorder_cache(past, torch.tensor([1, 0]))
    assert torch.equal(swapped[0][0][0], past[0][0][1])


@pytest.mark.parametrize("labels", [None, LABELS])
def test_the_tuple_holds_the_decoder_s_results_then_the_encoder_s(labels: Tensor | None) -> None:
    model, batch = pair(), text_batch()
    inputs = {**batch, "decoder_input_ids": torch.tensor([[2, 5, 9, 4], [2, 7, 3, 4]]), "labels": labels}
    outputs = model(**inputs, use_cache=False)
    expected = [outputs.logits, outputs.encoder_last_hidden_state, model.encoder(**batch).pooler_output]
    if labels is not None:
        expected = [outputs.loss, *expected]
    found = model(**inputs, use_cache=False, return_dict=False)
    assert len(found) == len(expected)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    again = model(**inputs, encoder_outputs=model.encoder(**batch), use_cache=False, return_dict=False)
    assert all(torch.equal(a, b) for a, b in zip(again, expected, strict=True))


# ----------------------------------------------------------------------------------------------------------------- tying


def test_tied_sides_share_all_but_cross_attention_and_pooler() -> None:
    model = pair(tie_encoder_decoder=True)
    of_decoder = {id(parameter) for parameter in model.decoder.parameters()}
    own = {name for name, parameter in model.encoder.named_parameters() if id(parameter) not in of_decoder}
    assert own == {"pooler.dense.weight", "pooler.dense.bias"}
    of_encoder = {id(parameter) for parameter in model.encoder.parameters()}
    new = {name for name, parameter in model.decoder.bert.named_parameters() if id(parameter) not in of_encoder}
    assert new
    assert all("crossattention" in name for name in new)


def test_tied_sides_learn_together_and_untied_ones_apart() -> None:
    for tied in (True, False):
        model = pair(tie_encoder_decoder=tied)
        model(**text_batch(), labels=LABELS).loss.backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.1 * parameter.grad if parameter.grad is not None else 0
        first, second = (body.encoder.layer[0].output.dense for body in (model.encoder, model.decoder.bert))
        assert torch.equal(first.weight, second.weight) == tied
        assert torch.equal(first.bias, second.bias) == tied


def test_a_tied_encoder_may_have_more_layers_but_not_fewer() -> None:
    model = pair(encoder={"num_hidden_layers": 3}, tie_encoder_decoder=True)
    assert model.encoder.encoder.layer[1].output.dense.weight is model.decoder.bert.encoder.layer[1].output.dense.weight
    with pytest.raises(ValueError, match=r"tie_encoder_decoder: encoder.layer.1.* the encoder has none"):
        pair(encoder={"num_hidden_layers": 1}, tie_encoder_decoder=True)
    with pytest.raises(ValueError, match=r"weight \(37, 32\), the encoder has \(40, 32\)"):
        pair(encoder={"intermediate_size": 40}, tie_encoder_decoder=True)


# ------------------------------------------------------------------------------------------------------- saving, loading


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("safe_serialization", [False, True])
def test_a_saved_pair_opens_equal(tied: bool, safe_serialization: bool, tmp_path: Path) -> None:
    model = pair(tie_encoder_decoder=tied)
    model.save_pretrained(tmp_path, safe_serialization=safe_serialization)
    opened, info = EncoderDecoderModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values())
    assert same_weights(opened, model)
    assert len(list(opened.parameters())) == len(list(model.parameters()))
    assert not opened.training
    assert not opened.loading_report.needs_attention
    assert opened.config.to_dict() == model.config.to_dict()
    assert torch.equal(opened(**text_batch(), labels=LABELS).loss, model(**text_batch(), labels=LABELS).loss)


def test_what_is_saved_names_both_sides_and_holds_each_whole(tmp_path: Path) -> None:
    """Today's reference ties nothing between the sides: a file with shared weights written once would open wrong there."""
    pair(tie_encoder_decoder=True).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["model_type"] == "encoder-decoder"
    assert config["architectures"] == ["EncoderDecoderModel"]
    assert config["is_encoder_decoder"]
    assert config["tie_encoder_decoder"]
    assert config["encoder"]["model_type"] == config["decoder"]["model_type"] == "bert"
    assert config["decoder"]["add_cross_attention"]
    assert not config["encoder"]["is_decoder"]
    names = set(load_file(tmp_path / "model.safetensors"))
    assert {"encoder.embeddings.word_embeddings.weight", "decoder.bert.embeddings.word_embeddings.weight"} <= names
    assert "decoder.cls.predictions.decoder.weight" not in names


def share_words(model: EncoderDecoderModel) -> None:
    model.decoder.set_input_embeddings(model.encoder.get_input_embeddings())
    model.decoder.tie_weights()


def share_table(model: EncoderDecoderModel) -> None:
    model.decoder.bert.embeddings = model.encoder.embeddings
    model.decoder.tie_weights()


def share_layer(model: EncoderDecoderModel) -> None:
    model.decoder.bert.encoder.layer[0].output = model.encoder.encoder.layer[0].output


@pytest.mark.parametrize("safe", [True, False])
@pytest.mark.parametrize("share", [share_words, share_table, share_layer])
def test_weights_that_a_program_shares_between_the_sides_come_back(share: Any, safe: bool, tmp_path: Path) -> None:
    model = pair()
    share(model)
    model.save_pretrained(tmp_path, safe_serialization=safe)
    opened = EncoderDecoderModel.from_pretrained(tmp_path)
    assert not opened.loading_report.needs_attention
    assert torch.equal(opened(**text_batch(), labels=LABELS).logits, model(**text_batch(), labels=LABELS).logits)


def test_fields_and_dtype_can_be_changed_while_opening(tmp_path: Path) -> None:
    pair().save_pretrained(tmp_path)
    model = EncoderDecoderModel.from_pretrained(tmp_path, decoder_start_token_id=9, torch_dtype=torch.bfloat16)
    assert model.config.decoder_start_token_id == 9
    assert model.dtype == torch.bfloat16
    config = EncoderDecoderConfig.from_pretrained(tmp_path, tie_encoder_decoder=True)
    assert EncoderDecoderModel.from_pretrained(tmp_path, config=config).config is config


def test_a_config_does_what_every_config_does(tmp_path: Path) -> None:
    config = pair(num_beams=3, favourite="green").config
    again = EncoderDecoderConfig.from_dict(json.loads(config.to_json_string(use_diff=False)))
    assert again == config
    assert again != EncoderDecoderConfig.from_dict(config.to_dict(), num_beams=4)
    config.to_json_file(tmp_path / "any name.json")
    assert EncoderDecoderConfig.from_json_file(tmp_path / "any name.json") == config
    changed = config.to_diff_dict()
    assert (changed["num_beams"], changed["favourite"], changed["model_type"]) == (3, "green", "encoder-decoder")
    assert "max_length" not in changed | changed["encoder"]
    config.update({"decoder": tiny_config()})
    with pytest.raises(ValueError, match="add_cross_attention=True"):
        EncoderDecoderModel(config)
    config, unused = EncoderDecoderConfig.from_pretrained(
        tmp_path / "any name.json", return_unused_kwargs=True, top_k=7, colour="red"
    )
    assert (config.top_k, config.use_return_dict, unused) == (7, True, {"colour": "red"})


def test_a_pair_does_what_every_model_does() -> None:
    model = pair()
    assert model.num_parameters() == sum(p.numel() for p in model.parameters())
    assert model.base_model is model
    assert model.loading_report is None
    assert not model.is_gradient_checkpointing
    model.gradient_checkpointing_enable()
    assert model.encoder.encoder.gradient_checkpointing
    assert model.decoder.bert.encoder.gradient_checkpointing
    model.gradient_checkpointing_disable()
    assert not model.is_gradient_checkpointing


def test_opening_a_whole_pair_draws_nothing_unless_asked(tmp_path: Path) -> None:
    pair().save_pretrained(tmp_path)
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    EncoderDecoderModel.from_pretrained(tmp_path)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("side", ["encoder", "decoder"])
def test_a_layer_of_another_size_is_drawn_anew_on_request_with_its_own_sides_spread(side: str, tmp_path: Path) -> None:
    pair(encoder={"initializer_range": 0.0}).save_pretrained(tmp_path)
    config = EncoderDecoderConfig.from_pretrained(tmp_path)
    getattr(config, side).update({"type_vocab_size": 5})
    model = EncoderDecoderModel.from_pretrained(tmp_path, config=config, ignore_mismatched_sizes=True)
    body = model.encoder if side == "encoder" else model.decoder.bert
    assert (body.embeddings.token_type_embeddings.weight.std() == 0) == (side == "encoder")


def test_two_pre_training_checkpoints_make_a_pair(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second = tiny(BertForPreTraining, seed=1), tiny(BertForPreTraining, seed=2)
    first.save_pretrained(tmp_path / "first")
    second.save_pretrained(tmp_path / "second")
    with caplog.at_level(logging.WARNING, logger="minibert"):
        model = EncoderDecoderModel.from_encoder_decoder_pretrained(
            tmp_path / "first",
            tmp_path / "second",
            encoder_output_attentions=True,
            decoder_hidden_dropout_prob=0.5,
            decoder_start_token_id=START,
            pad_token_id=PAD,
        )
    assert "crossattention" in caplog.text
    assert same_weights(model.encoder, first.bert)
    words = model.decoder.cls.predictions.decoder.weight
    assert torch.equal(words, second.cls.predictions.decoder.weight)
    assert model.encoder.config.output_attentions
    assert model.decoder.config.hidden_dropout_prob == 0.5
    assert model.config.decoder is model.decoder.config
    assert torch.isfinite(model(**text_batch(), labels=LABELS).loss)


def test_a_decoder_s_checkpoint_can_be_the_encoder(tmp_path: Path) -> None:
    tiny(BertLMHeadModel, is_decoder=True, add_cross_attention=True).save_pretrained(tmp_path)
    model = EncoderDecoderModel.from_encoder_decoder_pretrained(tmp_path, tmp_path)
    assert not model.config.encoder.is_decoder
    assert model.config.decoder.is_decoder


def test_further_arguments_are_the_encoders(tmp_path: Path) -> None:
    tiny(BertForPreTraining).save_pretrained(tmp_path)
    make = EncoderDecoderModel.from_encoder_decoder_pretrained
    assert make(tmp_path, tmp_path).encoder.pooler is not None
    assert make(tmp_path, tmp_path, False).encoder.pooler is None


def test_a_config_that_is_given_for_a_side_is_taken_as_it_is(tmp_path: Path) -> None:
    tiny(BertForPreTraining).save_pretrained(tmp_path)
    make = EncoderDecoderModel.from_encoder_decoder_pretrained
    own = tiny_config(is_decoder=True, add_cross_attention=True, hidden_dropout_prob=0.5)
    assert make(tmp_path, tmp_path, decoder_config=own).config.decoder.hidden_dropout_prob == 0.5
    with pytest.raises(ValueError, match="is_decoder=True and add_cross_attention=True"):
        make(tmp_path, tmp_path, decoder_config=tiny_config())


@pytest.mark.parametrize("length", [1, 2, 3])
def test_encoder_outputs_as_a_tuple_are_passed_on_each_in_its_place(length: int) -> None:
    model, batch = pair(), text_batch()
    ran = model.encoder(**batch, output_hidden_states=True, output_attentions=True)
    given = (ran.last_hidden_state, ran.hidden_states, ran.attentions)[:length]
    outputs = model(
        attention_mask=batch["attention_mask"], encoder_outputs=given, decoder_input_ids=LABELS.clamp(min=0)
    )
    found = (outputs.encoder_last_hidden_state, outputs.encoder_hidden_states, outputs.encoder_attentions)
    assert all(there is here for there, here in zip(found, given, strict=False))
    assert found[length:] == (None,) * (3 - length)


def test_two_models_make_a_pair_with_their_own_configs() -> None:
    encoder = tiny(BertModel)
    decoder = tiny(BertLMHeadModel, is_decoder=True, add_cross_attention=True)
    for model in (
        EncoderDecoderModel(encoder=encoder, decoder=decoder),
        EncoderDecoderModel.from_encoder_decoder_pretrained(encoder_model=encoder, decoder_model=decoder),
    ):
        assert model.get_encoder() is encoder
        assert model.get_decoder() is decoder
        assert (model.config.encoder, model.config.decoder) == (encoder.config, decoder.config)
        assert model.get_input_embeddings() is encoder.embeddings.word_embeddings
        assert model.get_output_embeddings() is decoder.cls.predictions.decoder
        assert (model.device, model.dtype) == (torch.device("cpu"), torch.float32)


def test_configs_given_are_copied_not_changed() -> None:
    config = tiny_config()
    of_pair = EncoderDecoderConfig.from_encoder_decoder_configs(config, config)
    assert (of_pair.encoder.is_decoder, of_pair.decoder.is_decoder, config.is_decoder) == (False, True, False)
    assert config is not of_pair.encoder


# ---------------------------------------------------------------------------------------------------------------- errors


def test_labels_without_a_start_token_are_refused() -> None:
    model = pair(decoder_start_token_id=None)
    with pytest.raises(ValueError, match=r"config.decoder_start_token_id \(it is None\).*cls_token_id"):
        model(**text_batch(), labels=LABELS)


def test_a_decoder_with_nothing_to_read_is_refused() -> None:
    with pytest.raises(ValueError, match="give decoder_input_ids, decoder_inputs_embeds or labels"):
        pair()(**text_batch())


def test_generating_from_nothing_is_refused() -> None:
    model = pair(decoder_start_token_id=None)
    with pytest.raises(ValueError, match="nothing to read: give input_ids, or encoder_outputs"):
        model.generate()
    with pytest.raises(ValueError, match="needs a first token: give decoder_start_token_id"):
        model.generate(**text_batch())
    model.decoder.config.bos_token_id = 7
    assert model.generate(**text_batch(), max_length=4)[:, 0].tolist() == [7, 7]


@pytest.mark.parametrize(
    "options",
    [
        {"max_new_tokens": 5},
        {"max_length": 6},
        {"max_length": 6, "num_beams": 3},
        {"max_length": 6, "decoder_input_ids": torch.tensor([[2, 9]])},
        {"max_length": 6, "fast": True},
        {"max_length": 6, "eos_token_id": [3, 4]},
    ],
    ids=str,
)
@pytest.mark.parametrize("where", ["argument", "config"])
def test_without_a_text_the_encoder_reads_the_first_token(where: str, options: dict[str, Any]) -> None:
    model = pair()
    start = {"bos_token_id": 11} if where == "argument" else {}
    if where == "config":
        model.config.bos_token_id = 11
    found = model.generate(**options, **start)
    assert torch.equal(found, model.generate(torch.tensor([[11]]), **options))
    assert found.size(0) == 1


def test_the_answer_starts_from_what_is_named_first() -> None:
    model = pair(decoder_start_token_id=None)
    steps = [
        (lambda: setattr(model.decoder.config, "bos_token_id", 7), {}, 7),
        (lambda: setattr(model.config, "bos_token_id", 8), {}, 8),
        (lambda: None, {"bos_token_id": 9}, 9),
        (lambda: setattr(model.decoder.config, "decoder_start_token_id", 10), {"bos_token_id": 9}, 10),
        (lambda: setattr(model.config, "decoder_start_token_id", 11), {"bos_token_id": 9}, 11),
        (lambda: None, {"decoder_start_token_id": 12}, 12),
    ]
    for change, options, first in steps:
        change()
        assert model.generate(**text_batch(), max_length=4, **options)[0, 0] == first


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([5, 9]), r"labels has shape \(2,\); it must be \(batch, seq\)"),
        (torch.tensor([[5, 99], [1, 2]]), r"labels\[0, 1\] is 99; labels run from 0 to 98"),
        (torch.tensor([[5.0, 9.0], [1.0, 2.0]]), "labels has dtype torch.float32"),
    ],
)
def test_wrong_labels_are_refused(labels: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pair()(**text_batch(), labels=labels)


def test_sides_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="hidden_size is 16, the decoder's 32"):
        pair(encoder={"hidden_size": 16})
    with pytest.raises(ValueError, match="is_decoder=True and add_cross_attention=True"):
        EncoderDecoderModel(encoder=tiny(BertModel), decoder=tiny(BertLMHeadModel, is_decoder=True))


def test_missing_or_wrong_sides_are_refused() -> None:
    with pytest.raises(ValueError, match="a config, or an encoder and a decoder"):
        EncoderDecoderModel(encoder=tiny(BertModel))
    with pytest.raises(ValueError, match="takes an instance of EncoderDecoderConfig, not of BertConfig"):
        EncoderDecoderModel(tiny_config())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs the name of the decoder, or decoder_model"):
        EncoderDecoderModel.from_encoder_decoder_pretrained(encoder_model=tiny(BertModel))
    advice = r"To make a pair of two BERTs use EncoderDecoderModel\.from_encoder_decoder_pretrained\.$"
    with pytest.raises(ValueError, match=rf"^A pair has an encoder and a decoder: give the config of each\. {advice}"):
        EncoderDecoderConfig(encoder=BertConfig())
    with pytest.raises(ValueError, match="model_type is 'gpt2'"):
        EncoderDecoderConfig(encoder=BertConfig(), decoder={"model_type": "gpt2"})


def test_resizing_the_pair_is_refused_since_each_side_has_its_vocabulary() -> None:
    with pytest.raises(NotImplementedError, match=r"call model\.encoder\.resize_token_embeddings"):
        pair().resize_token_embeddings(120)


def test_a_single_bert_is_not_opened_as_a_pair(tmp_path: Path) -> None:
    tiny(BertModel).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"model_type is 'bert'.*from_encoder_decoder_pretrained"):
        EncoderDecoderModel.from_pretrained(tmp_path)


def test_a_checkpoint_with_nan_or_without_a_layer_is_refused(tmp_path: Path) -> None:
    pair().save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    name = "decoder.bert.encoder.layer.1.output.dense.bias"
    save_file({**tensors, name: torch.full((32,), float("nan"))}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=f"{name} of .* holds 32 values that are NaN or infinite"):
        EncoderDecoderModel.from_pretrained(tmp_path)
    del tensors[name]
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=f"lacks 1 parameters .*{name}"):
        EncoderDecoderModel.from_pretrained(tmp_path)


def test_a_pooler_that_the_checkpoint_lacks_is_new_and_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pair().save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if "pooler" not in name}
    save_file(kept, tmp_path / "model.safetensors")
    with caplog.at_level(logging.WARNING, logger="minibert"):
        model = EncoderDecoderModel.from_pretrained(tmp_path)
    assert "newly initialised: encoder.pooler.dense.weight, encoder.pooler.dense.bias" in caplog.text
    assert torch.isfinite(model(**text_batch(), labels=LABELS).loss)


# ------------------------------------------------------------------------------------------- what reaches the two sides


class ReachedError(Exception):
    """A side was called; nothing behind it is of interest."""


def reaching(monkeypatch: pytest.MonkeyPatch, side: Any, call: Any, **given: Any) -> dict[str, Any]:
    """What a side is called with, by name."""
    seen: dict[str, Any] = {}
    signature = inspect.signature(type(side).forward)

    def forward(*args: Any, **kwargs: Any) -> None:
        seen.update(signature.bind(None, *args, **kwargs).arguments)
        raise ReachedError

    with monkeypatch.context() as patch:
        patch.setattr(side, "forward", forward)
        with pytest.raises(ReachedError):
            call(**given)
    del seen["self"]
    return {name: value for name, value in seen.items() if value is not None}


@pytest.mark.parametrize("form", ["ids", "vectors"])
def test_each_argument_reaches_its_side(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch, length = pair(), text_batch(), 4
    of_encoder = {
        **({"inputs_embeds": torch.zeros(2, 7, 32)} if form == "vectors" else {"input_ids": batch["input_ids"]}),
        "attention_mask": batch["attention_mask"],
        "token_type_ids": batch["token_type_ids"],
        "position_ids": torch.arange(7)[None],
        "head_mask": torch.ones(4),
    }
    vectors = {"decoder_inputs_embeds": torch.zeros(2, length, 32)}
    of_decoder = {
        **(vectors if form == "vectors" else {"decoder_input_ids": LABELS.clamp(min=0)}),
        "decoder_attention_mask": torch.ones(2, length),
        "decoder_token_type_ids": torch.ones(2, length, dtype=torch.long),
        "decoder_position_ids": torch.arange(length)[None],
        "decoder_head_mask": torch.zeros(4),
    }
    both = {"output_attentions": True, "output_hidden_states": True}
    alone = {"past_key_values": ((torch.zeros(2, 4, 0, 8),) * 4,) * 2, "use_cache": False}
    given = {**of_encoder, **of_decoder, **both, **alone}

    reached = reaching(monkeypatch, model.encoder, model, **given)
    assert reached.keys() == {*of_encoder, *both, "return_dict"}
    assert all(reached[name] is value for name, value in {**of_encoder, **both, "return_dict": True}.items())

    states = torch.zeros(2, 7, 32)
    reached = reaching(monkeypatch, model.decoder, model, **given, encoder_outputs=(states,))
    expected = {name.removeprefix("decoder_"): value for name, value in of_decoder.items()} | both | alone
    expected |= {
        "encoder_hidden_states": states,
        "encoder_attention_mask": batch["attention_mask"],
        "return_dict": True,
    }
    assert reached.keys() == expected.keys()
    assert all(reached[name] is value for name, value in expected.items())


def test_while_it_generates_the_encoder_reads_all_that_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = pair(), text_batch()
    asked = {"output_attentions": True, "output_hidden_states": True}
    reached = reaching(monkeypatch, model.encoder, model.generate, **batch, **asked, max_length=5)
    assert reached.keys() == {*batch, *asked}
    assert all(reached[name] is value for name, value in {**batch, **asked}.items())
    model.config.pad_token_id, model.config.bos_token_id = int(batch["input_ids"][0, 0]), 9
    reached = reaching(monkeypatch, model.encoder, model.generate, input_ids=batch["input_ids"], max_length=5)
    assert torch.equal(reached["attention_mask"], (batch["input_ids"] != model.config.pad_token_id).long())
    reached = reaching(monkeypatch, model.encoder, model.generate, max_length=5)
    assert reached["input_ids"].tolist() == [[9]]


def test_an_answer_begins_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = pair(), text_batch()
    begun = torch.tensor([[2, 5], [2, 7]])
    states = model.encoder(**batch)
    called = {"encoder_outputs": states, "max_length": 6}
    ids = model.generate(**called, attention_mask=batch["attention_mask"], decoder_input_ids=begun)
    assert torch.equal(ids[:, :2], begun)
    assert torch.equal(ids, model.generate(**batch, decoder_input_ids=begun, max_length=6))
    assert model.generate(**called)[:, 0].tolist() == [START, START]
    assert model.generate(**called, decoder_start_token_id=7)[:, 0].tolist() == [7, 7]
    assert model.generate(encoder_outputs=states, max_new_tokens=2).size(1) == 3
    reached = reaching(monkeypatch, model.decoder, model.generate, **called, attention_mask=batch["attention_mask"])
    assert reached["encoder_hidden_states"] is not None
    assert torch.equal(reached["encoder_attention_mask"], batch["attention_mask"])
    assert torch.equal(reached["attention_mask"], torch.ones(2, 1))


@pytest.mark.parametrize(("wrong", "shape"), [(LABELS[0], r"\(4,\)"), (LABELS[None], r"\(1, 2, 4\)")])
def test_labels_that_are_no_batch_are_refused(wrong: Tensor, shape: str) -> None:
    with pytest.raises(ValueError, match=rf"^labels has shape {shape}; it must be \(batch, seq\)\.$"):
        pair().prepare_decoder_input_ids_from_labels(wrong)


def test_an_output_names_what_each_side_computed() -> None:
    model, batch, ids = pair(), text_batch(), LABELS.clamp(min=0)
    asked = {"output_attentions": True, "output_hidden_states": True}
    read = model.encoder(**batch, **asked)
    mask = batch["attention_mask"]
    written = model.decoder(
        ids, encoder_hidden_states=read[0], encoder_attention_mask=mask, labels=None, use_cache=True, **asked
    )
    outputs = model(**batch, decoder_input_ids=ids, labels=LABELS, use_cache=True, **asked)
    expected = {
        "logits": written.logits,
        "past_key_values": written.past_key_values,
        "decoder_hidden_states": written.hidden_states,
        "decoder_attentions": written.attentions,
        "cross_attentions": written.cross_attentions,
        "encoder_last_hidden_state": read.last_hidden_state,
        "encoder_hidden_states": read.hidden_states,
        "encoder_attentions": read.attentions,
    }
    assert list(outputs) == ["loss", *expected]
    for name, value in expected.items():
        torch.testing.assert_close(outputs[name], value, rtol=0, atol=0)
    as_tuple = model(**batch, decoder_input_ids=ids, use_cache=True, **asked, return_dict=False)
    values = [value for name, value in expected.items() if not name.startswith("encoder")]
    values += [read.last_hidden_state, read.pooler_output, read.hidden_states, read.attentions]
    for found, value in zip(as_tuple, values, strict=True):
        torch.testing.assert_close(found, value, rtol=0, atol=0)


def test_an_answer_begins_with_the_first_start_token_that_is_known() -> None:
    model, batch = pair(decoder_start_token_id=None), text_batch()
    assert model.generate(**batch, bos_token_id=9, max_length=3)[:, 0].tolist() == [9, 9]
    model.config.bos_token_id = 8
    assert model.generate(**batch, max_length=3)[:, 0].tolist() == [8, 8]
    model.config.decoder_start_token_id = 7
    assert model.generate(**batch, bos_token_id=9, max_length=3)[:, 0].tolist() == [7, 7]
    assert model.generate(**batch, decoder_start_token_id=6, max_length=3)[:, 0].tolist() == [6, 6]


def test_what_is_saved_of_a_pair_can_be_a_state_dict_of_ones_own(tmp_path: Path) -> None:
    model, other = pair(), pair(seed=1)
    model.save_pretrained(tmp_path, state_dict=other.state_dict())
    assert same_weights(EncoderDecoderModel.from_pretrained(tmp_path), other)
    assert not same_weights(model, other)


def test_both_sides_attend_as_the_pair_is_told(tmp_path: Path) -> None:
    model = pair()
    model.set_attn_implementation("sdpa")
    assert (model.encoder.config.attn_implementation, model.decoder.config.attn_implementation) == ("sdpa", "sdpa")
    with pytest.raises(ValueError, match="attn_implementation"):
        model.set_attn_implementation("flash")
    assert (model.encoder.config.attn_implementation, model.decoder.config.attn_implementation) == ("sdpa", "sdpa")
    model.save_pretrained(tmp_path)
    opened = EncoderDecoderModel.from_pretrained(tmp_path, attn_implementation="sdpa")
    assert opened.decoder.config.attn_implementation == "sdpa"
    assert EncoderDecoderModel.from_pretrained(tmp_path).encoder.config.attn_implementation == "eager"


def test_fresh_weights_are_drawn_for_both_sides() -> None:
    model = pair()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(5)
    model.init_weights()
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert {"encoder.pooler.dense.weight", "decoder.bert.encoder.layer.0.crossattention.self.key.weight"} <= changed
    decoder = model.decoder
    assert decoder.get_output_embeddings().weight is decoder.get_input_embeddings().weight


def test_what_the_pairs_config_leaves_open_the_decoders_does_not_fill_in() -> None:
    model = pair(eos_token_id=None, pad_token_id=None)
    model.decoder.config.update({"eos_token_id": 7, "bad_words_ids": [[8]], "pad_token_id": 9})
    model.decoder.cls.predictions.bias.data[7] = 100.0
    ids = torch.tensor([[2, 5, 3]])
    assert model.generate(ids, decoder_start_token_id=2, max_length=6).tolist() == [[2, 7, 7, 7, 7, 7]]
    assert model.generate(ids, decoder_start_token_id=2, max_length=6, eos_token_id=7).tolist() == [[2, 7]]
    model.decoder.cls.predictions.bias.data[7] = -100.0
    model.decoder.cls.predictions.bias.data[8] = 100.0
    assert model.generate(ids, decoder_start_token_id=2, max_length=4).tolist() == [[2, 8, 8, 8]]
