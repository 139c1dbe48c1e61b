"""The network for one more word computes what the model's forward does, and gives way to it where it could not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from minibert import BertConfig, BertLMHeadModel
from minibert.fast import few_rows
from minibert.fast.few_rows import ways
from minibert.fast.one_token import FastNextWord, OneTokenNetwork, can_run
from minibert.generation.search import NextWord
from minibert.model.attention import BertSelfOutput

# These small networks of wide weights make much of a rounding, which differs between processors.
ROUNDINGS = {torch.float32: 1e-5, torch.float64: 1e-12}


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
    dtype=st.sampled_from([*ROUNDINGS]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_scores_are_those_of_the_models_forward(
    seed: int,
    rows: int,
    positions: str,
    attention: str,
    pruned: dict,
    crosses: bool,
    padded: bool,
    dtype: torch.dtype,
) -> None:
    model = decoder(
        seed,
        position_embedding_type=positions,
        attn_implementation=attention,
        add_cross_attention=crosses,
        pruned_heads=pruned,
    ).to(dtype)
    ids = torch.randint(1, 40, (rows, 8))
    mask = torch.ones_like(ids)
    if padded:
        mask[0, :2] = 0
    encoder = {}
    if crosses:
        seen = torch.ones(rows, 5)
        seen[-1, 3:] = 0
        encoder = {"encoder_hidden_states": torch.randn(rows, 5, 16, dtype=dtype), "encoder_attention_mask": seen}
    plain = NextWord(model, attention_mask=mask[:, :3], encoder=encoder, use_cache=True)
    fast = FastNextWord(plain, max_length=ids.size(1))
    found, expected = scores(fast, ids), scores(plain, ids)
    assert fast.network is not None
    assert (found - expected).abs().max() <= ROUNDINGS[dtype] * max(1.0, float(expected.abs().max()))


@pytest.mark.parametrize("number", range(len(ways(copied=True))))
@pytest.mark.parametrize("rows", [1, 2, 8, 32])
def test_every_way_to_multiply_gives_the_same_scores(number: int, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model, ids = decoder(), torch.randint(1, 40, (rows, 8))
    mask, asked = torch.ones_like(ids[:, :3]), list[int]()
    plain = scores(NextWord(model, attention_mask=mask, encoder={}, use_cache=True), ids)
    monkeypatch.setattr(few_rows, "fastest", lambda *_, **__: asked.append(number) or ways(copied=True)[number])
    found = scores(reader(model, mask), ids)
    assert (found - plain).abs().max() <= 1e-5 * float(plain.abs().max())
    assert asked == [number]  # once for all words


def test_ways_are_measured_once_for_matrices_of_such_sizes_and_so_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []
    seconds: Callable[[], float] = lambda: 1.0  # noqa: E731
    monkeypatch.setattr(few_rows, "FASTEST", {})
    monkeypatch.setattr(few_rows, "one_pass", lambda _, __, rows: measured.append(rows) or seconds)
    prompts = torch.ones(1, 3, dtype=torch.long)
    for model, beams in ((decoder(0), 1), (decoder(1), 1), (decoder(0), 4)):
        model.generate(prompts, max_new_tokens=30, num_beams=beams, fast=True)
    assert measured == [1] * len(ways(copied=True)) + [4] * len(ways(copied=True))


@pytest.mark.parametrize(("words", "least", "copied"), [(30, 0, True), (30, 1 << 30, False), (5, 0, False)])
def test_weights_are_copied_only_where_they_are_small_and_words_are_many(
    words: int, least: int, copied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(few_rows, "COPIES", (1 << 26) - least)
    monkeypatch.setattr(few_rows, "fastest", lambda *_, copied: asked.append(copied) or few_rows.USUAL)
    decoder().generate(torch.ones(1, 3, dtype=torch.long), max_new_tokens=words, fast=True)
    assert asked == [copied]
    assert all(way.layout is None for way in ways(copied=False))


def test_no_weight_of_the_model_is_changed_by_a_copy() -> None:
    model = decoder()
    before = {name: (tensor.data_ptr(), tensor.clone()) for name, tensor in model.state_dict().items()}
    model.generate(torch.ones(1, 3, dtype=torch.long), max_new_tokens=30, fast=True)
    for name, tensor in model.state_dict().items():
        assert tensor.data_ptr() == before[name][0]
        assert torch.equal(tensor, before[name][1])
        assert tensor.is_contiguous()


def test_weights_that_change_between_two_texts_are_seen() -> None:
    model, prompt = decoder(), torch.ones(1, 3, dtype=torch.long)
    model.generate(prompt, max_new_tokens=30, fast=True)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.data.mul_(-1.5)
    fast, plain = (model.generate(prompt, max_new_tokens=30, fast=fast) for fast in (True, False))
    assert torch.equal(fast, plain)


class TestThePromptIsReadInOnePiece:
    """Where the network can read it, the model is not called at all."""

    def calls(self, model: BertLMHeadModel, monkeypatch: pytest.MonkeyPatch, **options: object) -> int:
        calls: list[int] = []
        by_the_model = NextWord.__call__
        monkeypatch.setattr(NextWord, "__call__", lambda *args: calls.append(1) or by_the_model(*args))
        model.generate(torch.tensor([[5, 6, 7]]), max_length=9, fast=True, **options)
        return len(calls)

    def test_on_the_cpu_without_padding(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.calls(decoder(), monkeypatch) == 0

    @pytest.mark.filterwarnings("ignore:Padded prompts")
    @pytest.mark.parametrize("mask", [[0, 1, 1], [1, 1, 0]])
    def test_and_by_the_model_with_padding(self, mask: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.calls(decoder(), monkeypatch, attention_mask=torch.tensor([mask])) == 1

    def test_and_by_the_model_where_distances_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.calls(decoder(position_embedding_type="relative_key"), monkeypatch) == 1

    def test_and_by_the_model_where_it_attends_to_an_encoder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        encoder = torch.randn(1, 5, 16)
        assert self.calls(decoder(add_cross_attention=True), monkeypatch, encoder_hidden_states=encoder) == 1

    @given(st.integers(0, 1000), st.integers(1, 4), st.integers(1, 60), st.integers(1, 3))
    @settings(max_examples=40, deadline=None, derandomize=True)
    def test_with_the_models_scores(self, seed: int, rows: int, length: int, layers: int) -> None:
        model = decoder(seed, num_hidden_layers=layers)
        ids = torch.randint(1, 40, (rows, length))
        with torch.no_grad():
            expected = model(ids).logits[:, -1]
            found = reader(model, torch.ones_like(ids), max_length=64)(ids)
        assert (found - expected).abs().max() <= ROUNDINGS[torch.float32] * max(1.0, float(expected.abs().max()))

    @pytest.mark.parametrize("ids", [[[1, 40]], [[-1, 3]]])
    def test_with_the_models_checks(self, ids: list[list[int]]) -> None:
        with pytest.raises(ValueError, match="the vocabulary has 40 entries") as plain:
            decoder().generate(torch.tensor(ids), max_length=9)
        with pytest.raises(ValueError, match="the vocabulary has 40 entries") as fast:
            decoder().generate(torch.tensor(ids), max_length=9, fast=True)
        assert str(fast.value) == str(plain.value)
        with pytest.raises(ValueError, match="attention_mask has shape"):
            decoder().generate(torch.ones(1, 4).long(), max_length=9, fast=True, attention_mask=torch.ones(1, 3))


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


@given(
    seed=st.integers(0, 1000),
    rows=st.integers(1, 3),
    crosses=st.booleans(),
    padded=st.sampled_from([[0, 0, 0], [2, 0, 1]]),
    counted=st.booleans(),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_words_of_fixed_shapes_have_the_same_scores(
    seed: int, rows: int, crosses: bool, padded: list[int], counted: bool
) -> None:
    """As a GPU records them: keys and values are all read, and the memory stays where it is when its rows are reordered."""
    model = decoder(seed, add_cross_attention=crosses).double()
    ids = torch.randint(1, 40, (rows, 9))
    mask = (torch.arange(3) >= torch.tensor(padded[:rows])[:, None]).long()
    encoder = {"encoder_hidden_states": torch.randn(rows, 5, 16, dtype=torch.float64)} if crosses else {}
    usual, fixed = (reader(model, mask, encoder) for _ in range(2))
    usual.positions_from_mask = fixed.positions_from_mask = counted
    with torch.no_grad():
        torch.testing.assert_close(fixed(ids[:, :3]), usual(ids[:, :3]))
        assert fixed.network is not None
        for layer in fixed.network.layers:
            layer.keys_and_values[..., 3:, :] = torch.nan  # whatever the memory held before
        fixed.network.fix_shapes()
        addresses = [layer.keys_and_values.data_ptr() for layer in fixed.network.layers]
        for length in range(4, 10):
            if length == 7:
                for next_word in (usual, fixed):
                    next_word.reorder(torch.arange(rows).flip(0))
            torch.testing.assert_close(fixed(ids[:, :length]), usual(ids[:, :length]), rtol=1e-10, atol=1e-10)
    assert [layer.keys_and_values.data_ptr() for layer in fixed.network.layers] == addresses


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


@pytest.mark.parametrize("number", [0.5, 2.0])
def test_a_mask_of_other_numbers_weighs_as_the_model_weighs_it(number: float) -> None:
    model, prompt, mask = decoder(), torch.randint(1, 40, (2, 4)), torch.ones(2, 4)
    mask[:, 1] = number
    plain = model.generate(prompt, attention_mask=mask, max_length=20)
    assert torch.equal(model.generate(prompt, attention_mask=mask, max_length=20, fast=True), plain)


@pytest.mark.parametrize("beams", [1, 3])
def test_one_row_of_a_mask_is_for_all_prompts(beams: int) -> None:
    model, prompt = decoder(), torch.randint(1, 40, (2, 4))
    for fast in (False, True):
        expected = model.generate(prompt, max_length=12, num_beams=beams, fast=fast)
        one = {"attention_mask": torch.ones(1, 4).long(), "num_beams": beams}
        assert torch.equal(model.generate(prompt, **one, max_length=12, fast=fast), expected)


@pytest.mark.parametrize("beams", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_the_default_dtype_is_no_matter(dtype: torch.dtype, beams: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model, prompt = decoder(), torch.randint(1, 40, (2, 4))
    expected = model.generate(prompt, max_length=30, num_beams=beams)
    monkeypatch.setattr(few_rows, "FASTEST", {})
    few_rows.bags.cache_clear()
    torch.set_default_dtype(dtype)
    try:
        for fast in (False, True):
            assert torch.equal(model.generate(prompt, max_length=30, num_beams=beams, fast=fast), expected)
    finally:
        torch.set_default_dtype(torch.float32)


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

    @pytest.mark.parametrize(
        ("place", "other"),
        [
            ("bert.encoder.layer.0.output.dropout", torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Linear(16, 16))),
            ("bert.encoder.layer.0.output.dropout", torch.nn.Linear(16, 16)),
            ("bert.encoder.layer.0.output.dense", torch.nn.Linear(24, 16, bias=False)),
            ("bert.encoder.layer.1.attention.output.LayerNorm", torch.nn.RMSNorm(16)),
            ("bert.encoder.layer.1.attention.self.query", torch.nn.Sequential(torch.nn.Linear(16, 16))),
            ("bert.embeddings.position_embeddings", torch.nn.Embedding(64, 16, max_norm=0.1)),
        ],
    )
    def test_where_a_module_of_pytorchs_stands_that_is_not_made_so(self, place: str, other: torch.nn.Module) -> None:
        model, prompt = decoder(), torch.randint(1, 40, (2, 4))
        model.set_submodule(place, other.eval())
        assert not can_run(model)
        plain = model.generate(prompt, max_length=20)
        assert torch.equal(model.generate(prompt, max_length=20, fast=True), plain)

    def test_where_a_class_was_changed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(BertSelfOutput, "forward", lambda stage, x, _input: stage.LayerNorm(stage.dense(x)))
        assert not can_run(decoder())

    def test_where_every_module_is_watched(self) -> None:
        handle = torch.nn.modules.module.register_module_forward_hook(lambda *_: None)
        assert not can_run(decoder())
        handle.remove()
        assert can_run(decoder())

    @pytest.mark.parametrize("buffer", ["position_ids", "token_type_ids"])
    def test_where_positions_or_segments_are_counted_otherwise(self, buffer: str) -> None:
        model, prompt = decoder(), torch.randint(1, 40, (2, 4))
        before = model.generate(prompt, max_length=20)
        getattr(model.bert.embeddings, buffer).copy_(1 - torch.arange(64)[None] % 2)
        assert not can_run(model)
        plain = model.generate(prompt, max_length=20)
        assert not torch.equal(plain, before)
        assert torch.equal(model.generate(prompt, max_length=20, fast=True), plain)

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
