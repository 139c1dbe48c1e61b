"""Laws of the network's arithmetic, for random small configs, with every kind of position and on every attention path."""

from __future__ import annotations

import torch
from hypothesis import assume, given, strategies as st
from torch import Tensor

from minibert.config import ATTENTION_IMPLEMENTATIONS
from tests.property.model_cases import (
    POSITIONS,
    SEGMENTS,
    VOCABULARY,
    Case,
    batches,
    cases,
    close,
    lengths,
    reproducibly,
)

DECODER = {"is_decoder": True}


def text_of(states: Tensor, inputs: dict[str, Tensor]) -> Tensor:
    """(batch, seq, hidden) with 0 in place of what padding came to, on which attention paths may differ."""
    return states * inputs["attention_mask"][:, :, None]


# --------------------------------------------------------------------------------------------------- a batch and its rows


@reproducibly
@given(case=cases(), length=lengths, left=st.integers(0, 3), right=st.integers(0, 3))
def test_padding_never_changes_a_real_token(case: Case, length: int, left: int, right: int) -> None:
    """Whatever words and segments stand in the padding, on either side of the text."""
    total = left + length + right
    assume(total <= POSITIONS)
    model, inputs = case.model(), {"input_ids": case.ids(1, total), "token_type_ids": case.segments(1, total)}
    text = slice(left, left + length)
    mask, positions = torch.zeros(1, total, dtype=torch.long), torch.zeros(1, total, dtype=torch.long)
    mask[:, text], positions[:, text] = 1, torch.arange(length)
    padded = model(**inputs, attention_mask=mask, position_ids=positions, output_hidden_states=True)
    alone = model(**{name: tensor[:, text] for name, tensor in inputs.items()}, output_hidden_states=True)
    for in_padding, expected in zip(padded.hidden_states, alone.hidden_states, strict=True):
        assert close(in_padding[:, text], expected)


@reproducibly
@given(case=cases(), batch=batches, length=lengths)
def test_a_batch_is_its_rows_one_by_one(case: Case, batch: int, length: int) -> None:
    model, inputs = case.model(), case.inputs(batch, length)
    together = model(**inputs)
    for i in range(batch):
        alone = model(**{name: tensor[i : i + 1] for name, tensor in inputs.items()})
        assert close(together.last_hidden_state[i : i + 1], alone.last_hidden_state)
        assert close(together.pooler_output[i : i + 1], alone.pooler_output)


@reproducibly
@given(case=cases(), length=lengths, order=st.permutations(range(4)))
def test_the_order_of_a_batch_does_not_matter(case: Case, length: int, order: list[int]) -> None:
    model, inputs = case.model(), case.inputs(4, length)
    shuffled = model(**{name: tensor[order] for name, tensor in inputs.items()})
    assert close(shuffled.last_hidden_state, model(**inputs).last_hidden_state[order])


# --------------------------------------------------------------------------------------- two ways to say the same thing


@reproducibly
@given(
    case=cases(paths=("eager",)),
    other=st.sampled_from([path for path in ATTENTION_IMPLEMENTATIONS if path != "eager"]),
    batch=batches,
    length=lengths,
    decoder=st.booleans(),
)
def test_every_attention_path_agrees_with_eager(case: Case, other: str, batch: int, length: int, decoder: bool) -> None:
    """In what the text comes to and in every gradient, but at relu's corner, where rounding decides between two."""
    models = [case.model(is_decoder=decoder, attn_implementation=path) for path in ("eager", other)]
    inputs = case.inputs(batch, length)
    eager, fused = (text_of(model(**inputs).last_hidden_state, inputs) for model in models)
    assert close(fused, eager)
    if case.fields["hidden_act"] == "relu":
        return
    for states in (eager, fused):
        states.square().mean().backward()
    gradients = [{n: p.grad for n, p in model.named_parameters() if p.grad is not None} for model in models]
    assert gradients[0].keys() == gradients[1].keys()
    assert all(close(gradients[1][name], gradients[0][name]) for name in gradients[0])


@reproducibly
@given(case=cases(paths=("eager",)), batch=batches, length=lengths)
def test_asking_for_attentions_changes_no_bit(case: Case, batch: int, length: int) -> None:
    model, inputs = case.model(), case.inputs(batch, length)
    asked = model(**inputs, output_attentions=True)
    assert torch.equal(asked.last_hidden_state, model(**inputs).last_hidden_state)
    for probabilities in asked.attentions:
        assert close(probabilities.sum(-1), torch.ones(probabilities.shape[:-1]))


@reproducibly
@given(case=cases(), batch=batches, length=lengths)
def test_asking_for_hidden_states_changes_no_bit(case: Case, batch: int, length: int) -> None:
    model, inputs = case.model(), case.inputs(batch, length)
    asked = model(**inputs, output_hidden_states=True)
    assert torch.equal(asked.last_hidden_state, model(**inputs).last_hidden_state)
    assert torch.equal(asked.hidden_states[-1], asked.last_hidden_state)


@reproducibly
@given(case=cases(), batch=batches, length=lengths)
def test_word_vectors_in_place_of_ids_change_no_bit(case: Case, batch: int, length: int) -> None:
    model, inputs = case.model(), case.inputs(batch, length)
    from_ids = model(**inputs).last_hidden_state
    embedded = model.get_input_embeddings()(inputs.pop("input_ids"))
    assert torch.equal(model(inputs_embeds=embedded, **inputs).last_hidden_state, from_ids)


@reproducibly
@given(case=cases(), batch=batches, length=lengths)
def test_a_mask_for_every_query_equals_the_same_mask_for_all(case: Case, batch: int, length: int) -> None:
    model, inputs = case.model(), case.inputs(batch, length)
    for_all = model(**inputs).last_hidden_state
    for_each = {**inputs, "attention_mask": inputs["attention_mask"][:, None, :].expand(batch, length, length)}
    assert close(text_of(model(**for_each).last_hidden_state, inputs), text_of(for_all, inputs))


@reproducibly
@given(case=cases(), batch=batches, chunk=st.integers(1, 4), chunks=st.integers(1, 3))
def test_feeding_forward_in_chunks_changes_nothing(case: Case, batch: int, chunk: int, chunks: int) -> None:
    inputs = case.inputs(batch, chunk * chunks)
    whole, chunked = case.model(), case.model(chunk_size_feed_forward=chunk)
    found, expected = (text_of(model(**inputs).last_hidden_state, inputs) for model in (chunked, whole))
    assert close(found, expected)


@reproducibly
@given(case=cases(min_layers=1), batch=batches, length=lengths, dropout=st.sampled_from([0.0, 0.5]))
def test_gradient_checkpointing_gives_the_same_gradients(case: Case, batch: int, length: int, dropout: float) -> None:
    """To the bit: the layers are computed again with the same dropout."""
    gradients = []
    for checkpointing in (False, True):
        model = case.model("BertForMaskedLM", hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout).train()
        if checkpointing:
            model.gradient_checkpointing_enable()
        torch.manual_seed(case.seed)
        inputs = case.inputs(batch, length)
        model(**inputs, labels=inputs["input_ids"]).loss.backward()
        gradients.append({name: p.grad for name, p in model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    assert all(torch.equal(gradients[1][name], gradients[0][name]) for name in gradients[0])


# ------------------------------------------------------------------------------------------------------------------ masks


@reproducibly
@given(case=cases(), batch=batches, length=lengths, decoder=st.booleans())
def test_a_row_that_sees_nothing_stays_finite(case: Case, batch: int, length: int, decoder: bool) -> None:
    """And leaves its neighbours alone; its gradients are finite too."""
    model, inputs = case.model(is_decoder=decoder), case.inputs(batch + 1, length)
    inputs["attention_mask"][-1] = 0
    outputs = model(**inputs)
    assert torch.isfinite(outputs.last_hidden_state).all()
    assert torch.isfinite(outputs.pooler_output).all()
    neighbours = model(**{name: tensor[:batch] for name, tensor in inputs.items()})
    assert close(outputs.last_hidden_state[:batch], neighbours.last_hidden_state)
    outputs.last_hidden_state.square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@reproducibly
@given(case=cases(paths=("eager",)), batch=batches, length=lengths)
def test_a_head_mask_of_ones_changes_no_bit(case: Case, batch: int, length: int) -> None:
    model, inputs = case.model(), case.inputs(batch, length)
    ones = torch.ones(model.config.num_hidden_layers, model.config.num_attention_heads)
    assert torch.equal(model(**inputs, head_mask=ones).last_hidden_state, model(**inputs).last_hidden_state)


@reproducibly
@given(case=cases(min_layers=1, min_heads=2), batch=batches, length=lengths, data=st.data())
def test_cutting_heads_out_equals_masking_them(case: Case, batch: int, length: int, data: st.DataObject) -> None:
    model, inputs = case.model(), case.inputs(batch, length)
    layers, heads = model.config.num_hidden_layers, model.config.num_attention_heads
    some_heads = st.sets(st.integers(0, heads - 1), max_size=heads - 1)
    cut = data.draw(st.dictionaries(st.integers(0, layers - 1), some_heads, min_size=1), label="cut")
    head_mask = torch.ones(layers, heads)
    for layer, gone in cut.items():
        head_mask[layer, sorted(gone)] = 0
    whole = text_of(model(**inputs).last_hidden_state, inputs)
    masked = text_of(model(**inputs, head_mask=head_mask).last_hidden_state, inputs)
    assert close(masked, whole) != any(cut.values())
    model.prune_heads(cut)
    assert close(text_of(model(**inputs).last_hidden_state, inputs), masked)


# ---------------------------------------------------------------------------------------------------------------- decoding


@reproducibly
@given(case=cases(min_layers=1, **DECODER), batch=batches, length=lengths, data=st.data())
def test_cached_and_uncached_decoding_agree(case: Case, batch: int, length: int, data: st.DataObject) -> None:
    """However the text is cut into steps."""
    cuts = data.draw(st.sets(st.integers(1, length)), label="cuts")
    model, inputs = case.model(), case.inputs(batch, length)
    assert close(decode_in_steps(model, inputs, {}, {*cuts, length}), model(**inputs).last_hidden_state)


@reproducibly
@given(case=cases(min_layers=1, **DECODER, add_cross_attention=True), batch=batches, length=lengths, data=st.data())
def test_cached_and_uncached_decoding_agree_beside_an_encoder(
    case: Case, batch: int, length: int, data: st.DataObject
) -> None:
    cuts = data.draw(st.sets(st.integers(1, length)), label="cuts")
    encoder_length = data.draw(lengths, label="encoder length")
    model, inputs = case.model(), case.inputs(batch, length)
    states = torch.randn(batch, encoder_length, model.config.hidden_size, generator=case.generator())
    encoder = {"encoder_hidden_states": states, "encoder_attention_mask": case.mask(batch, encoder_length)}
    at_once = model(**inputs, **encoder).last_hidden_state
    assert close(decode_in_steps(model, inputs, encoder, {*cuts, length}), at_once)


def decode_in_steps(
    model: torch.nn.Module, inputs: dict[str, Tensor], encoder: dict[str, Tensor], ends: set[int]
) -> Tensor:
    """The hidden states of a text read piece by piece, each piece after the cache of those before."""
    begin, cache, states = 0, None, []
    for end in sorted(ends):
        outputs = model(
            inputs["input_ids"][:, begin:end],
            token_type_ids=inputs["token_type_ids"][:, begin:end],
            attention_mask=inputs["attention_mask"][:, :end],
            past_key_values=cache,
            use_cache=True,
            **encoder,
        )
        cache, begin = outputs.past_key_values, end
        states.append(outputs.last_hidden_state)
    return torch.cat(states, dim=1)


@reproducibly
@given(case=cases(**DECODER), batch=batches, length=st.integers(2, POSITIONS), data=st.data())
def test_a_decoder_does_not_see_the_future(case: Case, batch: int, length: int, data: st.DataObject) -> None:
    now = data.draw(st.integers(1, length - 1), label="now")
    model, inputs = case.model(), case.inputs(batch, length)
    before = model(**inputs).last_hidden_state[:, :now]
    inputs["input_ids"][:, now:] = (inputs["input_ids"][:, now:] + 1) % VOCABULARY
    inputs["token_type_ids"][:, now:] = (inputs["token_type_ids"][:, now:] + 1) % SEGMENTS
    assert close(model(**inputs).last_hidden_state[:, :now], before)
