"""Leaving the padding out changes no real token."""

from __future__ import annotations

import copy
import pickle
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from minibert import BertConfig, BertForSequenceClassification, BertModel, fast
from minibert.fast.packing import PackedSelfAttention, Packing, has_kernel, packed_if_padded
from minibert.model.attention import eager_attention


def tiny(seed: int, **overrides: object) -> BertModel:
    torch.manual_seed(seed)
    sizes = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    return BertModel(
        BertConfig(**{**sizes, "intermediate_size": 24, "max_position_embeddings": 16, **overrides})
    ).eval()


masks = st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=5).map(
    lambda rows: torch.tensor(rows, dtype=torch.long)
)


@given(masks, st.integers(0, 100))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_real_tokens_are_the_same_with_and_without_padding(mask: Tensor, seed: int) -> None:
    model = tiny(seed)
    ids = torch.randint(0, 50, mask.shape)
    with torch.no_grad():
        padded = model(ids, attention_mask=mask, output_hidden_states=True)
        model.set_attn_implementation("packed")
        packed = model(ids, attention_mask=mask, output_hidden_states=True)
    real = mask.bool()
    for expected, found in zip(padded.hidden_states, packed.hidden_states, strict=True):
        torch.testing.assert_close(found[real], expected[real], rtol=0, atol=1e-5)
    if real.any():
        assert (packed.last_hidden_state[~real] == 0).all()


@given(masks)
def test_unpacking_undoes_packing(mask: Tensor) -> None:
    packing = Packing(mask)
    values = torch.randn(*mask.shape, 3) * mask[..., None]
    assert torch.equal(packing.unpack(packing.pack(values)), values)
    assert sum(count * length for count, length in packing.runs) == int(mask.sum())


def test_only_real_tokens_reach_the_layers() -> None:
    model = tiny(0, attn_implementation="packed")
    seen: list[torch.Size] = []
    model.encoder.layer[0].register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0].shape))
    model(torch.ones(3, 8, dtype=torch.long), attention_mask=torch.tensor([[1] * 8, [1] * 3 + [0] * 5, [1] + [0] * 7]))
    assert seen == [(1, 12, 16)]


@pytest.mark.parametrize(
    "unpackable",
    [
        {"config": {"is_decoder": True}},
        {"config": {"position_embedding_type": "relative_key"}},
        {"call": {"output_attentions": True}},
        {"call": {"head_mask": torch.tensor([1.0, 0.0])}},
    ],
)
def test_what_cannot_be_packed_takes_the_usual_path(unpackable: dict[str, dict[str, object]]) -> None:
    model = tiny(0, **unpackable.get("config", {}))
    ids, mask = torch.randint(0, 50, (2, 6)), torch.tensor([[1] * 6, [1] * 2 + [0] * 4])
    expected = model(ids, attention_mask=mask, **unpackable.get("call", {})).last_hidden_state
    model.set_attn_implementation("packed")
    found = model(ids, attention_mask=mask, **unpackable.get("call", {})).last_hidden_state
    torch.testing.assert_close(found[mask.bool()], expected[mask.bool()], rtol=0, atol=1e-5)


def test_packed_training_gives_the_same_gradients() -> None:
    torch.manual_seed(0)
    config = BertConfig(50, 16, 2, 2, 24, max_position_embeddings=16, hidden_dropout_prob=0.0)
    config.attention_probs_dropout_prob = 0.0
    model = BertForSequenceClassification(config)
    ids, mask = torch.randint(0, 50, (2, 6)), torch.tensor([[1] * 6, [1] * 2 + [0] * 4])
    gradients = []
    for path in ("eager", "packed"):
        model.set_attn_implementation(path)
        model.zero_grad()
        model(ids, attention_mask=mask, labels=torch.tensor([0, 1])).loss.backward()
        gradients.append({name: parameter.grad.clone() for name, parameter in model.named_parameters()})
    for name, expected in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], expected, rtol=0, atol=1e-6)


@given(st.lists(st.integers(0, 150), min_size=1, max_size=6).filter(any), st.integers(0, 100))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_attention_with_dropout_is_that_of_padded_texts(lengths: list[int], seed: int) -> None:
    """A chance of 1e-12 drops nothing out, and goes the way of dropout."""
    model = tiny(seed, max_position_embeddings=150, attention_probs_dropout_prob=1e-12, hidden_dropout_prob=0.0)
    model.double().train()
    mask = (torch.arange(150) < torch.tensor(lengths)[:, None]).long()
    ids = torch.randint(0, 50, mask.shape)
    found = []
    for packed in (False, True):
        model.zero_grad()
        with fast.packed(model) if packed else nullcontext():
            states = model(ids, attention_mask=mask).last_hidden_state[mask.bool()]
        (states * torch.linspace(-1, 1, states.numel()).view_as(states)).sum().backward()
        gradients = [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]
        found.append([states.detach(), *gradients])
    for expected, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-9)


def test_texts_of_about_one_length_attend_together_with_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []
    attend = eager_attention
    spy = lambda q, *rest, **more: calls.append((*q.shape[::2],)) or attend(q, *rest, **more)  # noqa: E731
    monkeypatch.setattr("minibert.fast.packing.eager_attention", spy)
    model = tiny(0, attn_implementation="packed", num_hidden_layers=1, max_position_embeddings=300).train()
    mask = (torch.arange(300) < torch.tensor([300, 3, 128, 65, 129, 20, 64])[:, None]).long()
    model(torch.ones_like(mask), attention_mask=mask)
    assert calls == [(3, 64), (2, 128), (1, 129), (1, 300)]  # texts, and the longest of them


def steps_back(model: BertModel, lengths: list[int]) -> list[str]:
    """The names of autograd's steps from the states of a packed batch to the parameters."""
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    left, seen = [model(torch.ones_like(mask), attention_mask=mask).last_hidden_state.grad_fn], set()
    while left:
        node = left.pop()
        if node is not None and node not in seen:
            seen.add(node)
            left += [following for following, _ in node.next_functions]
    return [node.name() for node in seen]


def test_no_texts_gradient_is_written_into_zeros_of_the_whole_batch() -> None:
    """Which made the backward pass of many short texts twice as long."""
    model = tiny(0, attn_implementation="packed").train()
    few, many = (steps_back(model, lengths) for lengths in ([6, 5], [6, 5, 4, 3, 2, 1]))
    assert few.count("SliceBackward0") == many.count("SliceBackward0")
    assert (
        few.count("SplitWithSizesBackward0") == many.count("SplitWithSizesBackward0") == 3 * 2
    )  # q, k, v in two layers


def shapes_in_the_first_layer(model: BertModel) -> list[torch.Size]:
    """What a padded batch of 2 texts, 8 tokens in all, looks like there."""
    seen: list[torch.Size] = []
    handle = model.encoder.layer[0].register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0].shape))
    model(torch.ones(2, 6, dtype=torch.long), attention_mask=torch.tensor([[1] * 6, [1] * 2 + [0] * 4]))
    handle.remove()
    return seen


PADDED, PACKED = torch.Size((2, 6, 16)), torch.Size((1, 8, 16))


def test_packing_for_a_while_ends_with_the_block_also_by_an_error() -> None:
    model = tiny(0)
    with fast.packed(model):
        assert shapes_in_the_first_layer(model) == [PACKED]
    assert shapes_in_the_first_layer(model) == [PADDED]
    with pytest.raises(KeyError), fast.packed(model):
        raise KeyError
    assert shapes_in_the_first_layer(model) == [PADDED]
    assert model.config.attn_implementation == "eager"


@pytest.mark.parametrize(("texts", "shape"), [([6, 2], PACKED), ([6, 5], PADDED), ([6, 6], PADDED)])
def test_a_batch_is_packed_where_there_is_much_padding(texts: list[int], shape: torch.Size) -> None:
    model, mask = tiny(0), (torch.arange(6) < torch.tensor(texts)[:, None]).long()
    with packed_if_padded(model, {"attention_mask": mask}):
        assert shapes_in_the_first_layer(model) == [shape]
    with packed_if_padded(model, {}):
        assert shapes_in_the_first_layer(model) == [PADDED]


@pytest.fixture
def attended(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, torch.dtype]]:
    """The calls of attention: how many texts, their length, and what they are computed in."""
    calls: list[tuple[int, int, torch.dtype]] = []
    attend = torch.nn.functional.scaled_dot_product_attention
    spy = lambda q, *rest, **more: calls.append((*q.shape[::2], q.dtype)) or attend(q, *rest, **more)  # noqa: E731
    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", spy)
    return calls


def test_texts_of_one_length_attend_in_one_call_wherever_they_stand(attended: list[object]) -> None:
    model = tiny(0, attn_implementation="packed", num_hidden_layers=1)
    lengths = torch.tensor([3, 6, 3, 0, 3])
    model(torch.ones(5, 6, dtype=torch.long), attention_mask=(torch.arange(6) < lengths[:, None]).long())
    assert attended == [(3, 3, torch.float32), (1, 6, torch.float32)]


def test_short_texts_attend_in_float32_where_bfloat16_is_slow(attended: list[object]) -> None:
    """Which is in training: PyTorch's kernel takes several times as long for their gradients in bfloat16."""
    model = tiny(0, attn_implementation="packed", num_hidden_layers=1, max_position_embeddings=300)
    mask = (torch.arange(300) < torch.tensor([5, 300])[:, None]).long()
    with torch.autocast("cpu", torch.bfloat16):
        states = model(torch.ones_like(mask), attention_mask=mask).last_hidden_state
        states.sum().backward()
        with torch.no_grad():
            unlearned = model(torch.ones_like(mask), attention_mask=mask).last_hidden_state
    learning = [(1, 5, torch.float32), (1, 300, torch.bfloat16)]
    assert attended == [*learning, (1, 5, torch.bfloat16), (1, 300, torch.bfloat16)]
    torch.testing.assert_close(states.detach(), unlearned, rtol=0, atol=0.03)  # 0.03: two steps of bfloat16 near 2


def test_a_plain_model_has_nothing_of_packing_in_it() -> None:
    model = tiny(0)
    model.set_attn_implementation("packed")
    model.set_attn_implementation("eager")
    assert [type(module) for module in model.modules()] == [type(module) for module in tiny(0).modules()]


def test_copies_and_pickles_of_a_packed_model_are_packed() -> None:
    model = tiny(0, attn_implementation="packed")
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert shapes_in_the_first_layer(other) == [PACKED]


def test_a_student_s_own_attention_is_left_alone() -> None:
    model = tiny(0)

    class Own(type(model.encoder.layer[0].attention.self)):  # type: ignore[misc]
        pass

    model.encoder.layer[0].attention.self.__class__ = Own
    model.set_attn_implementation("packed")
    assert type(model.encoder.layer[0].attention.self) is Own
    assert shapes_in_the_first_layer(model) == [PADDED]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_gpus_kernels_are_called_as_they_are_declared(dtype: torch.dtype) -> None:
    """On the device that only knows shapes; `make test-gpu` looks at the numbers."""
    packing = Packing(torch.tensor([[1, 1, 1], [1, 0, 0]]), "meta")
    attention = PackedSelfAttention(BertConfig(50, 16, 1, 2, 24)).to("meta", dtype)
    vectors = torch.randn(1, 4, 16, dtype=dtype, device="meta", requires_grad=True)
    context = attention.in_one_call(vectors, vectors, value=vectors, packing=packing)
    assert (context.shape, context.dtype) == (vectors.shape, dtype)
    context.sum().backward()
    assert vectors.grad is not None


def test_a_gpus_kernels_are_for_heads_of_eight_times_something_up_to_256() -> None:
    of_gpu = SimpleNamespace(is_cuda=True, dtype=torch.float32)
    assert has_kernel(of_gpu, 64)
    assert not has_kernel(of_gpu, 12)
    assert not has_kernel(of_gpu, 264)
    assert not has_kernel(SimpleNamespace(is_cuda=True, dtype=torch.float64), 64)
    assert not has_kernel(torch.ones(1), 64)
