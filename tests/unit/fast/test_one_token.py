"""The network for one more word computes what the model's forward does, and gives way to it where it could not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from minibert import BertConfig, BertLMHeadModel
from minibert.fast import linear_layers, one_token
from minibert.fast.linear_layers import onednn_is_there, product
from minibert.fast.one_token import FastNextWord, OneTokenNetwork, by_columns, can_run
from minibert.generation.search import NextWord


def decoder(seed: int = 0, **overrides: object) -> BertLMHeadModel:
    torch.manual_seed(seed)
    sizes = {"vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "max_position_embeddings": 64}
    config = {**sizes, "num_hidden_layers": 2, "num_attention_heads": 4, "is_decoder": True, "initializer_range": 0.5}
    return BertLMHeadModel(BertConfig(**{**config, **overrides})).eval()


def reader(
    model: BertLMHeadModel, mask: Tensor, encoder: dict[str, Tensor] | None = None, max_length: int = 10
) -> FastNextWord:
    """The scores of the next word, computed the fast way."""
    plain = NextWord(model, attention_mask=mask, encoder=encoder or {}, use_cache=True)
    return FastNextWord(plain, max_length=max_length)


def scores(next_word: NextWord, ids: Tensor) -> Tensor:
    """Scores of every word after a prompt of 3, read one word at a time: (words, rows, vocab)."""
    with torch.no_grad():
        return torch.stack([next_word(ids[:, :length]) for length in range(3, ids.size(1) + 1)])


@given(
    seed=st.integers(0, 1000),
    rows=st.sampled_from([1, 2, 3, 8, 9]),
    positions=st.sampled_from(["absolute", "relative_key", "relative_key_query"]),
    attention=st.sampled_from(["eager", "sdpa"]),
    pruned=st.sampled_from([{}, {0: [1]}, {0: [0, 2], 1: [3]}]),
    crosses=st.booleans(),
    padded=st.booleans(),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_scores_are_those_of_the_models_forward(
    seed: int, rows: int, positions: str, attention: str, pruned: dict, crosses: bool, padded: bool
) -> None:
    model = decoder(
        seed,
        position_embedding_type=positions,
        attn_implementation=attention,
        add_cross_attention=crosses,
        pruned_heads=pruned,
    )
    ids = torch.randint(1, 40, (rows, 8))
    mask = torch.ones_like(ids)
    if padded:
        mask[0, :2] = 0
    encoder = {}
    if crosses:
        seen = torch.ones(rows, 5)
        seen[-1, 3:] = 0
        encoder = {"encoder_hidden_states": torch.randn(rows, 5, 16), "encoder_attention_mask": seen}
    plain = NextWord(model, attention_mask=mask[:, :3], encoder=encoder, use_cache=True)
    fast = FastNextWord(plain, max_length=ids.size(1))
    found, expected = scores(fast, ids), scores(plain, ids)
    assert fast.network is not None
    assert (found - expected).abs().max() <= 1e-5 * max(1.0, float(expected.abs().max()))


@pytest.mark.parametrize("way", [F.linear, by_columns, product])
@pytest.mark.parametrize("rows", [1, 2, 8])
def test_every_way_to_multiply_gives_the_same_scores(
    way: Callable[..., Tensor], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way is product and not onednn_is_there():
        pytest.skip("this PyTorch has no oneDNN")
    model, ids = decoder(), torch.randint(1, 40, (rows, 8))
    mask, used = torch.ones_like(ids[:, :3]), list[tuple[int, ...]]()
    plain = scores(NextWord(model, attention_mask=mask, encoder={}, use_cache=True), ids)
    number = [F.linear, by_columns, product].index(way)
    monkeypatch.setattr(one_token, "fastest", lambda *sizes: used.append(sizes) or one_token.ways(sizes[-1])[number])
    found = scores(reader(model, mask), ids)
    assert (found - plain).abs().max() <= 1e-5 * float(plain.abs().max())
    assert {(rows, 40, 16, False), (rows, 24, 16, True)} <= {*used}


@pytest.mark.parametrize("rows", [1, 3])
def test_a_way_may_bring_gelu_with_it(rows: int) -> None:
    x, weight, bias = torch.randn(rows, 16), torch.randn(24, 16), torch.randn(24)
    for with_gelu in (False, True):
        expected = F.linear(x, weight, bias)
        for way in one_token.ways(with_gelu):
            found = way(x, weight, bias)
            torch.testing.assert_close(found, F.gelu(expected) if with_gelu else expected, rtol=1e-5, atol=1e-5)
            assert found.is_contiguous()  # PyTorch's fused attention asks for it


def test_the_fastest_of_three_ways_is_taken_and_the_usual_one_unless_another_is_clearly_faster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = {"usual": 1.0, "near": 0.95, "fast": 0.5}
    now = 0.0

    def taking(name: str) -> Callable[[Tensor], Tensor]:
        def way(weight: Tensor) -> Tensor:
            nonlocal now
            now += seconds[name]
            return weight

        return way

    monkeypatch.setattr(linear_layers.time, "perf_counter", lambda: now)
    for names, best in ((("usual", "near"), 0), (("usual", "near", "fast"), 2), (("near", "fast", "usual"), 1)):
        assert linear_layers.quickest(list(map(taking, names)), shape=(4, 4)) == best


def test_a_reordered_cache_goes_on_from_other_rows() -> None:
    model = decoder()
    ids = torch.randint(1, 40, (3, 4))
    rows = torch.tensor([2, 0, 0])
    chosen = torch.cat([ids[rows], torch.tensor([[5], [6], [7]])], dim=1)
    next_word = reader(model, torch.ones_like(ids))
    with torch.no_grad():
        next_word(ids)
        next_word.reorder(rows)
        torch.testing.assert_close(next_word(chosen), model(chosen).logits[:, -1], rtol=1e-4, atol=1e-5)


def test_the_cost_of_a_word_grows_by_its_attention_alone() -> None:
    model = decoder()

    def work(length: int) -> int:
        ids = torch.randint(1, 40, (2, length))
        next_word = reader(model, torch.ones_like(ids), max_length=64)
        with torch.no_grad():
            next_word(ids)
            ids = torch.cat([ids, ids[:, :1]], dim=1)
            next_word(ids)  # the first word of a process also measures which way to multiply
            # PyTorch counts the products of attention where it is written out, not in its fused kernel for a CPU.
            with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
                next_word(torch.cat([ids, ids[:, :1]], dim=1))
        return counter.get_total_flops()

    rows, layers, hidden = 2, 2, 16
    one_more_key = rows * layers * 2 * (2 * hidden)  # a product and a sum for each number, in Q Kᵀ and in P V
    assert work(20) - work(10) == 10 * one_more_key
    assert work(50) - work(20) == 30 * one_more_key


def test_the_cache_stays_where_it_is() -> None:
    model, ids = decoder(), torch.randint(1, 40, (2, 3))
    next_word = reader(model, torch.ones_like(ids))
    addresses = []
    with torch.no_grad():
        for _ in range(5):
            tokens = next_word(ids).argmax(dim=-1)
            ids = torch.cat([ids, tokens[:, None]], dim=1)
            assert next_word.network is not None
            addresses.append([layer.keys_and_values.data_ptr() for layer in next_word.network.layers])
    assert all(address == addresses[0] for address in addresses)


class TestTheModelIsCalledInstead:
    """`can_run` is False where the network would not do all that the model does."""

    def test_a_plain_model_needs_no_call(self) -> None:
        assert can_run(decoder())

    def test_where_a_hook_watches(self) -> None:
        model, seen = decoder(), []
        model.bert.encoder.layer[1].attention.register_forward_hook(lambda *_: seen.append(1))
        assert not can_run(model)
        model.generate(torch.ones(1, 2, dtype=torch.long), max_length=7, fast=True)
        assert len(seen) == 5  # the prompt and four of the five words

    def test_where_a_module_was_replaced(self) -> None:
        class Doubled(torch.nn.Linear):
            def forward(self, x: Tensor) -> Tensor:
                return 2 * super().forward(x)

        model = decoder()
        model.bert.encoder.layer[0].output.dense = Doubled(24, 16)
        assert not can_run(model)

    def test_where_a_forward_was_replaced(self) -> None:
        model = decoder()
        pooled = model.cls.predictions.transform
        pooled.forward = pooled.forward  # type: ignore[method-assign]
        assert not can_run(model)

    def test_where_dropout_is_on(self) -> None:
        assert not can_run(decoder().train())
        assert can_run(decoder(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0).train())

    def test_under_autocast(self) -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert not can_run(decoder())

    @pytest.mark.parametrize("off", [{}, {"fast": False}, {"fast": True, "use_cache": False}])
    def test_unless_it_is_asked_for_by_name_and_there_is_a_cache(
        self, off: dict, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def ran(*_: object) -> None:
            raise AssertionError("the network ran")

        model, prompt = decoder(), torch.ones(1, 2, dtype=torch.long)
        expected = model.generate(prompt, max_length=9, fast=True)
        monkeypatch.setattr(OneTokenNetwork, "__call__", ran)
        with pytest.raises(AssertionError, match="the network ran"):
            model.generate(prompt, max_length=9, fast=True)
        assert torch.equal(model.generate(prompt, max_length=9, **off), expected)
