"""Every tensor that is made on the way is made where the model is.

Under `torch.device("meta")` a tensor without a device of its own has no numbers, and what should have been beside the model's does
not go together with it: on a CPU this shows what a GPU would.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from minibert import (
    BertForMaskedLM,
    BertForMultipleChoice,
    BertForNextSentencePrediction,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertLMHeadModel,
    BertModel,
    EncoderDecoderConfig,
    EncoderDecoderModel,
)
from minibert.optim import AdamW, get_linear_schedule_with_warmup
from tests.unit.tiny_bert import text_batch, tiny, tiny_config, token_ids

ROW, TOKENS = torch.tensor([0, 1]), torch.tensor([[1, 0, 1, 0, 1, -100, 0]] * 2)
IDS, BATCH, READ, WHOLE = token_ids(), text_batch(), torch.zeros(2, 5, 32), torch.ones(4)
VECTORS = torch.zeros(2, 7, 32)
WORDS = torch.tensor([[5, 6, 7, 8, 9, 3, -100]] * 2)


def ends_here(outputs: Any) -> None:
    """All that a model returned is on the CPU."""
    tensors = [value for value in outputs.to_tuple() if isinstance(value, torch.Tensor)]
    assert tensors
    assert {tensor.device.type for tensor in tensors} == {"cpu"}


@pytest.mark.parametrize(
    ("model_class", "labels"),
    [
        (BertForMaskedLM, {"labels": WORDS}),
        (BertForPreTraining, {"labels": WORDS, "next_sentence_label": ROW}),
        (BertForNextSentencePrediction, {"labels": ROW}),
        (BertForSequenceClassification, {"labels": ROW}),
        (BertForTokenClassification, {"labels": TOKENS}),
        (BertForQuestionAnswering, {"start_positions": ROW, "end_positions": ROW}),
        (BertLMHeadModel, {"labels": WORDS}),
    ],
)
@pytest.mark.parametrize("bare", [False, True])
def test_a_head_and_its_loss(model_class: Any, labels: dict[str, torch.Tensor], bare: bool) -> None:
    model = tiny(model_class, is_decoder=model_class is BertLMHeadModel)
    given = {"input_ids": IDS} if bare else BATCH
    with torch.device("meta"):
        ends_here(model(**given, **labels))
        model.train()(**given, **labels).loss.backward()


def test_a_choice_and_its_loss() -> None:
    model = tiny(BertForMultipleChoice)
    with torch.device("meta"):
        ends_here(model(IDS[None], labels=ROW[:1]))


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("positions", ["absolute", "relative_key", "relative_key_query"])
@pytest.mark.parametrize("decoder", [False, True])
def test_every_attention(attention: str, positions: str, decoder: bool) -> None:
    kind = {"attn_implementation": attention, "position_embedding_type": positions}
    model = tiny(BertModel, **kind, is_decoder=decoder, add_cross_attention=decoder)
    beside = {"encoder_hidden_states": READ} if decoder else {}
    with torch.device("meta"):
        ends_here(model(**BATCH, **beside, head_mask=WHOLE))
        ends_here(model(inputs_embeds=VECTORS, **beside))
        if decoder:
            past = model(IDS, **beside, use_cache=True).past_key_values
            ends_here(model(IDS[:, :1], **beside, past_key_values=past))


SEARCHES = [
    {},
    {"do_sample": True, "top_k": 5, "top_p": 0.9, "temperature": 1.5},
    {"num_beams": 3, "num_return_sequences": 2},
    {"num_beams": 2, "do_sample": True, "num_return_sequences": 2},
    {"repetition_penalty": 1.5},
]


@pytest.mark.parametrize("options", SEARCHES, ids=str)
def test_every_search(options: dict[str, Any]) -> None:
    model = tiny(BertLMHeadModel, is_decoder=True)
    generator = torch.Generator() if options.get("do_sample") else None
    given = {"max_length": 12, "eos_token_id": 3, "pad_token_id": 0, "generator": generator, **options}
    expected = model.generate(IDS, **given) if not options.get("do_sample") else None
    with torch.device("meta"):
        found = model.generate(IDS, **given)
    assert found.device.type == "cpu"
    assert expected is None or torch.equal(found, expected)


@pytest.mark.parametrize("options", [*SEARCHES[:1], *SEARCHES[2:]], ids=str)
def test_a_pair_reads_and_writes(options: dict[str, Any]) -> None:
    config = EncoderDecoderConfig.from_encoder_decoder_configs(
        tiny_config(), tiny_config(), decoder_start_token_id=2, pad_token_id=0, eos_token_id=3
    )
    model = EncoderDecoderModel(config).eval()
    with torch.device("meta"):
        assert model.generate(IDS, max_length=8, **options).device.type == "cpu"
        assert model.generate(bos_token_id=2, max_length=4).device.type == "cpu"
        ends_here(model(**BATCH, labels=WORDS))


def test_a_step_of_training() -> None:
    model = tiny(BertForMaskedLM).train()
    optimizer = AdamW(model.parameters(), lr=0.1)
    schedule = get_linear_schedule_with_warmup(optimizer, 1, 3)
    with torch.device("meta"):
        for _ in range(2):
            model(**BATCH, labels=WORDS).loss.backward()
            optimizer.step()
            schedule.step()
    assert {
        value.device.type for state in optimizer.state.values() for value in state.values() if torch.is_tensor(value)
    } == {"cpu"}


def test_a_model_that_is_moved_without_numbers_makes_none() -> None:
    model = tiny(BertForMaskedLM).to("meta")
    outputs = model(**{name: value.to("meta") for name, value in BATCH.items()}, labels=WORDS.to("meta"))
    assert outputs.loss.device.type == outputs.logits.device.type == "meta"


def test_without_a_prompt_a_text_begins_beside_the_model() -> None:
    model = tiny(BertLMHeadModel, is_decoder=True)
    with torch.device("meta"):
        assert model.generate(bos_token_id=5, max_length=3).device.type == "cpu"


def test_a_resized_table_stays_where_it_was() -> None:
    model = tiny(BertForMaskedLM).double().to("meta")
    model.resize_token_embeddings(120)
    assert {(parameter.device.type, parameter.dtype) for parameter in model.parameters()} == {("meta", torch.float64)}
