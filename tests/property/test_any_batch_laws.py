"""Within `fast.same_in_any_batch`, a text's numbers are those of the text alone, to the bit."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

import minibert
from minibert import BertLMHeadModel, BertModel, EncoderDecoderModel, fast
from minibert.fast import same_in_any_batch
from tests.property.model_cases import POSITIONS, SEGMENTS, VOCABULARY, Case, cases
from tests.threads import threads

# The same examples in every run; each is a batch.
many = settings(max_examples=100, deadline=None, derandomize=True)
some = settings(max_examples=25, deadline=None, derandomize=True)

CLASSES = (
    "BertModel",
    "BertForPreTraining",
    "BertForMaskedLM",
    "BertLMHeadModel",
    "BertForNextSentencePrediction",
    "BertForSequenceClassification",
    "BertForTokenClassification",
    "BertForQuestionAnswering",
)
EVERYTHING = {"output_hidden_states": True, "output_attentions": True}
unpacked = cases(paths=("eager", "sdpa"))
decoders = cases(paths=("eager", "sdpa"), is_decoder=True, pad_token_id=0, eos_token_id=1, min_layers=1)
lengths_of_texts = st.lists(st.integers(1, POSITIONS), min_size=1, max_size=5)


def run(model: Any, **inputs: Any) -> Any:
    """A forward without gradients."""
    with torch.no_grad():
        return model(**inputs)


def alone(model: Any, **inputs: Any) -> Any:
    """The plain forward of one text, on one thread."""
    with threads(1):
        return run(model, **inputs)


def tensors(outputs: Any, prefix: str = "") -> dict[str, Tensor]:
    """Every tensor of an output, by its place."""
    if isinstance(outputs, Tensor):
        return {prefix: outputs}
    items = outputs.items() if hasattr(outputs, "items") else enumerate(outputs)
    return {key: tensor for name, value in items for key, tensor in tensors(value, f"{prefix}.{name}").items()}


def differing_bits(found: Any, expected: Any, row: int, start: int = 0, rows: int = 1) -> dict[str, int]:
    """How many numbers of one text are not those it has alone; its row is padded with `start` tokens on the left."""
    found, expected = tensors(found), tensors(expected)
    assert found.keys() == expected.keys()
    differing = {}
    for name, own in expected.items():
        whole = found[name][row * rows : (row + 1) * rows]
        for dimension, size in enumerate(own.shape):
            if whole.size(dimension) != size:
                whole = whole.narrow(dimension, start, size)
        differing[name] = int((whole != own).sum())
    return {name: number for name, number in differing.items() if number}


def batch_of(
    case: Case, lengths: list[int], *, left: bool
) -> tuple[dict[str, Tensor], list[dict[str, Tensor]], list[int]]:
    """Texts of these lengths as a padded batch, each of them alone, and how many tokens of padding stand before it."""
    seq, generator = max(lengths), case.generator()
    ids = torch.randint(0, VOCABULARY, (len(lengths), seq), generator=generator)  # padding is anything
    segments = torch.randint(0, SEGMENTS, ids.shape, generator=generator)
    holes = torch.rand(ids.shape, generator=generator) < 0.8
    starts = [seq - length if left else 0 for length in lengths]
    mask, positions = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        mask[row, start : start + length] = holes[row, :length].long()
        mask[row, [start, start + length - 1]] = 1  # a text begins and ends with a token that is seen
        positions[row, start : start + length] = torch.arange(length)
    batch = {"input_ids": ids, "token_type_ids": segments, "attention_mask": mask, "position_ids": positions}
    texts = [
        {name: value[row : row + 1, start : start + length] for name, value in batch.items()}
        for row, (start, length) in enumerate(zip(starts, lengths, strict=True))
    ]
    return batch, texts, starts


@pytest.mark.slow
@pytest.mark.parametrize("class_name", CLASSES)
@given(case=unpacked, lengths=lengths_of_texts, left=st.booleans(), number=st.sampled_from([1, 2]))
@some
def test_a_text_has_the_bits_it_has_alone(
    class_name: str, case: Case, lengths: list[int], left: bool, number: int
) -> None:
    model = case.model(class_name)
    batch, texts, starts = batch_of(case, lengths, left=left)
    with same_in_any_batch(model), threads(number):
        found = run(model, **batch, **EVERYTHING)
    for row, text in enumerate(texts):
        assert not differing_bits(found, alone(model, **text, **EVERYTHING), row, starts[row])


@pytest.mark.slow
@given(case=unpacked, lengths=lengths_of_texts, more=st.integers(0, 3))
@many
def test_neither_neighbours_nor_more_padding_change_a_bit(case: Case, lengths: list[int], more: int) -> None:
    model = case.model()
    batch, _, _ = batch_of(case, lengths, left=False)
    del batch["position_ids"]
    heads = {"head_mask": torch.rand(case.fields["num_attention_heads"], generator=case.generator())}
    more = min(more, POSITIONS - max(lengths))
    other = {name: torch.nn.functional.pad(value[-1:], (0, more)) for name, value in batch.items()}
    with same_in_any_batch(model):
        found, again = run(model, **batch, **heads).last_hidden_state, run(model, **other, **heads).last_hidden_state
        turned = run(model, **{name: value.flip(0) for name, value in batch.items()}, **heads).last_hidden_state
    assert torch.equal(turned.flip(0), found)
    assert torch.equal(again[0, : found.size(1)], found[-1])
    assert not again[0, found.size(1) :].any()


@pytest.mark.slow
@given(case=unpacked, choices=st.integers(1, 3), lengths=lengths_of_texts)
@some
def test_a_question_has_the_bits_it_has_alone(case: Case, choices: int, lengths: list[int]) -> None:
    model = case.model("BertForMultipleChoice")
    batch, _, _ = batch_of(case, [length for length in lengths for _ in range(choices)], left=False)
    batch = {name: value.view(len(lengths), choices, -1) for name, value in batch.items()}
    with same_in_any_batch(model):
        found = run(model, **batch)
        for row in range(len(lengths)):
            shorter = {name: value[row : row + 1, :, : lengths[row]] for name, value in batch.items()}
            assert torch.equal(run(model, **shorter).logits, found.logits[row : row + 1])


@pytest.mark.slow
@given(
    case=decoders,
    lengths=st.lists(st.integers(1, POSITIONS - 2), min_size=1, max_size=4),
    number=st.sampled_from([1, 2]),
)
@some
def test_a_cached_word_has_the_bits_it_has_alone(case: Case, lengths: list[int], number: int) -> None:
    model = case.model("BertLMHeadModel")
    batch, texts, starts = batch_of(case, lengths, left=True)
    words, segments = torch.ones(len(lengths), 2, dtype=torch.long), torch.zeros(len(lengths), 2, dtype=torch.long)
    positions = torch.tensor(lengths)[:, None] + torch.arange(2)
    with same_in_any_batch(model), threads(number):
        past = run(model, **batch).past_key_values
        mask = torch.cat([batch["attention_mask"], words], dim=1)
        found = run(
            model, input_ids=words, attention_mask=mask, position_ids=positions, past_key_values=past, **EVERYTHING
        )
    for row, text in enumerate(texts):
        kept = alone(model, **text).past_key_values
        own = mask[row : row + 1, starts[row] :]
        one = {"input_ids": words[:1], "token_type_ids": segments[:1], "attention_mask": own, "past_key_values": kept}
        assert not differing_bits(found, alone(model, **one, **EVERYTHING), row, starts[row])


@pytest.mark.slow
@given(case=decoders, lengths=lengths_of_texts, read=st.lists(st.integers(1, 9), min_size=5, max_size=5))
@some
def test_what_the_encoder_read_of_other_texts_changes_no_bit(case: Case, lengths: list[int], read: list[int]) -> None:
    model = Case({**case.fields, "add_cross_attention": True}, case.seed).model("BertLMHeadModel")
    batch, texts, _ = batch_of(case, lengths, left=False)
    states = torch.randn(len(lengths), max(read), model.config.hidden_size, generator=case.generator())
    shown = torch.zeros(states.shape[:2], dtype=torch.long)
    for row in range(len(lengths)):
        shown[row, : read[row]] = 1
    with same_in_any_batch(model):
        found = run(model, **batch, encoder_hidden_states=states, encoder_attention_mask=shown).logits
    for row, text in enumerate(texts):
        encoder = {
            "encoder_hidden_states": states[row : row + 1, : read[row]],
            "encoder_attention_mask": shown[row : row + 1, : read[row]],
        }
        expected = alone(model, **text, **encoder).logits[0]
        assert torch.equal(found[row, : lengths[row]], expected)


@pytest.mark.slow
@given(case=unpacked, lengths=lengths_of_texts)
@some
def test_a_mask_for_each_query_holds_the_law(case: Case, lengths: list[int]) -> None:
    model = case.model()
    batch, texts, _ = batch_of(case, lengths, left=False)
    seq = max(lengths)
    pairs = (torch.rand(len(lengths), seq, seq, generator=case.generator()) < 0.6).long()
    for row, length in enumerate(lengths):
        pairs[row, length:] = pairs[row, :, length:] = 0
        pairs[row, 0, 0] = pairs[row, length - 1, length - 1] = 1
    with same_in_any_batch(model):
        found = run(model, **{**batch, "attention_mask": pairs}).last_hidden_state
    for row, (text, length) in enumerate(zip(texts, lengths, strict=True)):
        own = {**text, "attention_mask": pairs[row : row + 1, :length, :length]}
        assert torch.equal(found[row, :length], alone(model, **own).last_hidden_state[0])


SEARCHES = {
    "greedy": {},
    "greedy, without a cache": {"use_cache": False},
    "beams": {"num_beams": 3, "num_return_sequences": 2},
    "beams, without a cache": {"num_beams": 2, "use_cache": False, "no_repeat_ngram_size": 2},
}


@pytest.mark.slow
@pytest.mark.parametrize("search", SEARCHES)
@given(case=decoders, lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4), number=st.sampled_from([1, 2]))
@some
def test_a_prompt_goes_on_as_it_does_alone(search: str, case: Case, lengths: list[int], number: int) -> None:
    model, options = case.model("BertLMHeadModel"), {**SEARCHES[search], "max_new_tokens": 4}
    seq = max(lengths)
    ids, mask = case.ids(len(lengths), seq).clamp(min=2), torch.zeros(len(lengths), seq, dtype=torch.long)
    for row, length in enumerate(lengths):
        mask[row, seq - length :] = 1
    with same_in_any_batch(model), threads(number):
        found = model.generate(ids, attention_mask=mask, positions_from_mask=True, **options)
    texts = options.get("num_return_sequences", 1)
    for row, length in enumerate(lengths):
        with threads(1):
            expected = model.generate(
                ids[row : row + 1, seq - length :], attention_mask=mask[row : row + 1, seq - length :], **options
            )
        own = found[row * texts : (row + 1) * texts, seq - length :]
        assert torch.equal(own[:, : expected.size(1)], expected)
        assert not own[:, expected.size(1) :].any()  # pad_token_id is 0


def test_a_pair_of_models_holds_the_law() -> None:
    case = Case(
        {
            "vocab_size": VOCABULARY,
            "hidden_size": 12,
            "num_hidden_layers": 2,
            "num_attention_heads": 3,
            "intermediate_size": 9,
        },
        0,
    )
    encoder = case.model(pad_token_id=0)
    decoder = case.model("BertLMHeadModel", is_decoder=True, add_cross_attention=True, pad_token_id=0, eos_token_id=1)
    pair = EncoderDecoderModel(encoder=encoder, decoder=decoder).eval()
    ids, mask = case.ids(3, 7).clamp(min=2), torch.tensor([[1] * 7, [1] * 4 + [0] * 3, [1] + [0] * 6])
    start = {"decoder_start_token_id": 2, "max_new_tokens": 5, "pad_token_id": 0, "eos_token_id": 1}
    with same_in_any_batch(pair):
        scores = run(pair, input_ids=ids, attention_mask=mask, decoder_input_ids=ids[:, :3]).logits
        texts = pair.generate(ids, attention_mask=mask, **start)
    for row, length in enumerate((7, 4, 1)):
        own = {"input_ids": ids[row : row + 1, :length], "attention_mask": mask[row : row + 1, :length]}
        assert torch.equal(scores[row], alone(pair, **own, decoder_input_ids=ids[row : row + 1, :3]).logits[0])
        with threads(1):
            expected = pair.generate(**own, **start)[0]
        assert torch.equal(texts[row, : expected.size(0)], expected)


# ------------------------------------------------------------------------------------------------- what it leaves as it was


def tiny(class_name: str = "BertModel", **changes: Any) -> Any:
    """A small model with weights that are all different."""
    fields = {"vocab_size": VOCABULARY, "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3}
    return Case({**fields, "intermediate_size": 9, "max_position_embeddings": POSITIONS}, 0).model(
        class_name, **changes
    )


IDS = torch.tensor([[3, 4, 5, 6], [7, 8, 9, 2]])
PADDED = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])


def test_after_the_block_a_model_is_what_it_was_also_after_an_error() -> None:
    model, number = tiny("BertForMaskedLM"), torch.get_num_threads()
    before, attributes = run(model, input_ids=IDS, attention_mask=PADDED).logits, set(vars(model))
    with pytest.raises(KeyError), same_in_any_batch(model):
        raise KeyError
    with pytest.raises(ValueError, match="input_ids"), same_in_any_batch(model):
        model(torch.tensor([[99]]))
    assert torch.get_num_threads() == number
    assert set(vars(model)) == attributes
    assert torch.equal(run(model, input_ids=IDS, attention_mask=PADDED).logits, before)


def test_one_block_within_another_ends_with_the_outer_one() -> None:
    model = tiny()
    with same_in_any_batch(model):
        with same_in_any_batch(model):
            pass
        assert "forward" in vars(model)
    assert "forward" not in vars(model)


def test_a_copy_made_within_computes_with_its_own_weights() -> None:
    model = tiny()
    with same_in_any_batch(model):
        other = copy.deepcopy(model)
    with torch.no_grad():
        other.embeddings.LayerNorm.bias += 1.0
    del other.forward
    expected = run(other, input_ids=IDS).last_hidden_state
    with same_in_any_batch(model):
        other = copy.deepcopy(model)
        with torch.no_grad():
            other.embeddings.LayerNorm.bias += 1.0
        torch.testing.assert_close(run(other, input_ids=IDS).last_hidden_state, expected)


@pytest.mark.parametrize("class_name", CLASSES)
def test_outputs_have_the_shapes_and_names_of_the_plain_ones(class_name: str) -> None:
    model = tiny(class_name, is_decoder=class_name == "BertLMHeadModel")
    inputs = {"input_ids": IDS, "attention_mask": PADDED, **EVERYTHING}
    expected, as_tuple = run(model, **inputs), run(model, **inputs, return_dict=False)
    with same_in_any_batch(model):
        found, found_tuple = run(model, **inputs), run(model, **inputs, return_dict=False)
    shapes = lambda outputs: {name: tensor.shape for name, tensor in tensors(outputs).items()}  # noqa: E731
    assert type(found) is type(expected)
    assert shapes(found) == shapes(expected)
    assert shapes(found_tuple) == shapes(as_tuple)


def test_a_body_without_a_pooler_returns_its_tuple() -> None:
    model = BertModel(tiny().config, add_pooling_layer=False).eval()
    with same_in_any_batch(model):
        assert run(model, input_ids=IDS, return_dict=False)[1] is None


def test_padding_is_no_answer_to_a_question() -> None:
    model = tiny("BertForQuestionAnswering")
    with same_in_any_batch(model):
        found = run(model, input_ids=IDS, attention_mask=PADDED)
    assert (found.start_logits[1, 2:] == -torch.inf).all()
    assert (found.end_logits[1, 2:] == -torch.inf).all()


def test_gradients_are_those_of_the_plain_way_up_to_rounding() -> None:
    model, gradients = tiny("BertForMaskedLM"), []
    for _ in range(2):
        model.zero_grad()
        if not gradients:
            model(IDS, attention_mask=PADDED).logits[PADDED.bool()].square().sum().backward()
        else:
            with same_in_any_batch(model):
                model(IDS, attention_mask=PADDED).logits[PADDED.bool()].square().sum().backward()
        gradients.append({name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None})
    for name, expected in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], expected, rtol=1e-4, atol=1e-4)


# ------------------------------------------------------------------------------------------------------- what it refuses


@pytest.mark.parametrize(
    ("class_name", "inputs", "message"),
    [
        ("BertForMaskedLM", {"labels": IDS}, "labels: a loss is a mean over the batch"),
        (
            "BertForQuestionAnswering",
            {"start_positions": IDS[:, 0], "end_positions": IDS[:, 0]},
            "start_positions: a loss",
        ),
        ("BertModel", {"attention_mask": PADDED.flip(1)}, "Row 1 is padded on the left"),
        ("BertModel", {"head_mask": torch.ones(2, 2, 3, 4, 4)}, "head_mask of shape"),
        ("BertModel", {"attention_mask": [[1] * 4] * 2}, "attention_mask is of type list"),
        ("BertModel", {"attention_mask": PADDED[:, :3]}, "attention_mask has shape"),
    ],
)
def test_what_depends_on_the_batch_is_refused(class_name: str, inputs: dict[str, Any], message: str) -> None:
    model = tiny(class_name)
    with same_in_any_batch(model), pytest.raises(ValueError, match=message):
        model(IDS, **inputs)


def test_dropout_chunks_and_measured_ways_are_refused() -> None:
    model = tiny(hidden_dropout_prob=0.1).train()
    with same_in_any_batch(model), pytest.raises(ValueError, match=r"call model\.eval\(\) first"):
        model(IDS)
    model = tiny(chunk_size_feed_forward=2)
    with same_in_any_batch(model), pytest.raises(ValueError, match="chunk_size_feed_forward"):
        model(IDS)
    model = tiny()
    if torch.backends.mkldnn.is_available():
        with fast.linear(model), same_in_any_batch(model), pytest.raises(ValueError, match=r"leave fast\.linear first"):
            model(IDS)
    model.forward = lambda *_: None
    with pytest.raises(ValueError, match=r"BertModel\.forward has been replaced"), same_in_any_batch(model):
        pass


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fast": True}, "fast=True chooses"),
        ({"do_sample": True}, "depend on who draws first"),
        ({"on_tokens": print}, "one prompt at a time"),
        ({"prefix_allowed_tokens_fn": lambda *_: [1]}, "may look at the whole batch"),
        ({"return_dict_in_generate": True}, "one prompt at a time"),
        ({"attention_mask": PADDED}, "pad on the left"),
        ({"attention_mask": PADDED.flip(1)}, "positions_from_mask=True"),
    ],
)
def test_what_generating_cannot_promise_is_refused(options: dict[str, Any], message: str) -> None:
    model = tiny("BertLMHeadModel", is_decoder=True)
    with same_in_any_batch(model), pytest.raises(ValueError, match=message):
        model.generate(IDS, max_new_tokens=3, **options)


def test_one_prompt_may_be_drawn_for() -> None:
    model = tiny("BertLMHeadModel", is_decoder=True)
    texts = []
    for _ in range(2):
        with same_in_any_batch(model):
            generator = torch.Generator().manual_seed(0)
            texts.append(model.generate(IDS[:1], max_new_tokens=4, do_sample=True, generator=generator))
    assert torch.equal(*texts)
    assert isinstance(model, BertLMHeadModel)
    assert minibert.fast.same_in_any_batch is same_in_any_batch
