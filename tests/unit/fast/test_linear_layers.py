"""Matrix products by the faster library: the numbers of the plain way, of the weights that are there now."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from minibert import BertForMaskedLM, BertForPreTraining, BertModel, fast
from minibert.fast import linear_layers
from tests.unit.tiny_bert import text_batch, tiny

pytestmark = pytest.mark.skipif(not linear_layers.onednn_is_there(), reason="PyTorch without oneDNN")


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every product goes through oneDNN, however small and whatever is measured."""
    monkeypatch.setattr(linear_layers, "SMALLEST", 1)
    monkeypatch.setattr(linear_layers, "measured", lambda *_args, **_sizes: True)


@contextmanager
def never() -> Iterator[None]:
    """No product does, though the model is switched to the fast way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear_layers, "for_onednn", lambda *_: None)
        yield


def gradients(loss: Tensor, model: nn.Module) -> dict[str, Tensor]:
    model.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def assert_gradients_agree(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Within 1e-4 of the largest of each parameter. A key's bias, which softmax takes out again, has only roundings of the others'."""
    assert list(found) == list(expected)
    rounding = 1e-6 * max(float(gradient.abs().max()) for gradient in expected.values())
    for name, gradient in expected.items():
        apart = (found[name] - gradient).abs().max()
        without_gradient = name.endswith(".key.bias")
        assert apart <= 1e-4 * gradient.abs().max() + rounding * without_gradient + 1e-7, name


CONFIGS = st.fixed_dictionaries(
    {
        "hidden_size": st.sampled_from([8, 24, 32]),
        "intermediate_size": st.integers(1, 70),
        "num_hidden_layers": st.integers(1, 3),
        "hidden_act": st.sampled_from(["gelu", "gelu_new", "relu"]),
        "attn_implementation": st.sampled_from(["eager", "sdpa", "packed"]),
        "chunk_size_feed_forward": st.sampled_from([0, 1]),
    }
)


@pytest.mark.usefixtures("always")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=CONFIGS, rows=st.integers(1, 5), seq=st.integers(1, 24), seed=st.integers(0, 99))
def test_fast_equals_plain_in_outputs_and_gradients(sizes: dict[str, object], rows: int, seq: int, seed: int) -> None:
    model = tiny(BertForPreTraining, seed, **sizes)
    ids = torch.randint(1, 99, (rows, seq), generator=torch.Generator().manual_seed(seed))
    batch = {"input_ids": ids, "attention_mask": (ids > 20).long(), "labels": ids}
    batch["next_sentence_label"] = torch.zeros(rows, dtype=torch.long)
    plain = model(**batch)
    expected = gradients(plain.loss, model)
    with fast.linear(model):
        found = model(**batch)
        if sizes["hidden_act"] != "relu":  # at relu's corner rounding decides between two gradients
            assert_gradients_agree(gradients(found.loss, model), expected)
        with torch.no_grad():
            without_gradients = model(**batch)
    for outputs in (found, without_gradients):
        torch.testing.assert_close(outputs.prediction_logits, plain.prediction_logits, rtol=0, atol=1e-5)
        torch.testing.assert_close(outputs.seq_relationship_logits, plain.seq_relationship_logits, rtol=0, atol=1e-5)


def step(model: BertForMaskedLM, fused: bool) -> None:
    model(**text_batch(), labels=text_batch()["input_ids"]).loss.backward()
    torch.optim.AdamW(model.parameters(), lr=1e-2, fused=fused).step()
    model.zero_grad()


def load(model: BertForMaskedLM) -> None:
    torch.manual_seed(7)
    model.load_state_dict({name: torch.randn(value.shape) * 0.1 for name, value in model.named_parameters()}, False)


def save_and_load(model: BertForMaskedLM) -> None:
    with TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        model.load_state_dict(BertForMaskedLM.from_pretrained(folder).state_dict())


def edit(model: BertForMaskedLM) -> None:
    with torch.no_grad():
        model.bert.encoder.layer[0].intermediate.dense.weight.mul_(-2)


def edit_data(model: BertForMaskedLM) -> None:
    """In ways that PyTorch's count of changes does not see."""
    model.bert.encoder.layer[1].output.dense.weight.data.add_(0.3)
    model.cls.predictions.transform.dense.weight.detach().numpy()[:] *= 1.5


def replace(model: BertForMaskedLM) -> None:
    layer = model.bert.encoder.layer[0].attention.self
    layer.key.weight = nn.Parameter(layer.key.weight.detach().flip(0))


def untie(model: BertForMaskedLM) -> None:
    decoder = model.cls.predictions.decoder
    decoder.weight = nn.Parameter(decoder.weight.detach() * 1.1)


def fused_step_by_hand(model: BertForMaskedLM) -> None:
    """Without a forward pass before it, and uncounted by PyTorch."""
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    torch.optim.AdamW(model.parameters(), lr=1e-2, fused=True).step()
    model.zero_grad()


def edit_rows_and_columns(model: BertForMaskedLM) -> None:
    """One of each, unseen, as somebody does who switches a neuron off by hand."""
    model.bert.encoder.layer[0].intermediate.dense.weight.data[3] += 1
    model.bert.encoder.layer[1].output.dense.weight.data[:, 5] += 1
    model.bert.encoder.layer[1].attention.output.dense.weight.data[0, :] -= 1


def exchange_data(model: BertForMaskedLM) -> None:
    """Twice, so that the second may lie where the first tensor lay."""
    for factor in (1.2, 0.9):
        for parameter in model.parameters():
            parameter.data = parameter.data * factor


CHANGES = {
    "step": lambda model: step(model, False),
    "fused step": lambda model: step(model, True),
    "load": load,
    "to bfloat16 and back": lambda model: model.to(torch.bfloat16).float(),
    "prune": lambda model: model.prune_heads({1: [min({0, 1} - set(model.config.pruned_heads.get(1, [])), default=3)]}),
    "resize": lambda model: model.resize_token_embeddings(model.config.vocab_size + 3),
    "tie": BertForMaskedLM.tie_weights,
    "untie": untie,
    "save and load": save_and_load,
    "edit in place": edit,
    "edit unseen": edit_data,
    "another parameter": replace,
    "fused step by hand": fused_step_by_hand,
    "a row and a column unseen": edit_rows_and_columns,
    "other data": exchange_data,
}


@pytest.mark.usefixtures("always")
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.sampled_from(list(CHANGES)), min_size=1, max_size=6), frozen=st.booleans())
def test_after_any_change_results_are_those_of_the_present_weights(changes: list[str], frozen: bool) -> None:
    model = tiny(BertForMaskedLM, intermediate_size=48)
    batch = text_batch()
    with fast.linear(model, frozen=frozen), torch.no_grad():
        model(**batch)
        for change in changes:
            with torch.enable_grad():
                CHANGES[change](model)
            found = model(**batch).logits
            with never():
                expected = model(**batch).logits
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("always")
def test_all_linear_layers_take_the_other_way_and_only_within(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    operator = linear_layers.product
    monkeypatch.setattr(
        linear_layers, "product", lambda *args, **more: calls.append(str(more)) or operator(*args, **more)
    )
    model = tiny(BertModel)
    linears = sum(type(module) is nn.Linear for module in model.modules())
    with torch.no_grad():
        with fast.linear(model):
            model(**text_batch())
        assert len(calls) == linears
        assert sum("gelu" in call for call in calls) == model.config.num_hidden_layers
        model(**text_batch())
        assert len(calls) == linears
    assert [name for name, module in model.named_modules() if "forward" in vars(module)] == []
    with pytest.raises(KeyError), fast.linear(model):
        raise KeyError
    assert [name for name, module in model.named_modules() if "forward" in vars(module)] == []


@pytest.mark.usefixtures("always")
def test_inside_another_such_block_nothing_ends_early() -> None:
    model = tiny(BertModel)
    with fast.linear(model):
        with fast.linear(model):
            pass
        assert "forward" in vars(model.pooler.dense)


@pytest.mark.usefixtures("always")
def test_who_watches_the_wide_layer_sees_it() -> None:
    model = tiny(BertModel, initializer_range=0.5)
    seen: list[Tensor] = []
    model.encoder.layer[0].intermediate.dense.register_forward_hook(lambda _m, _i, output: seen.append(output))
    with torch.no_grad(), fast.linear(model):
        model(**text_batch())
    assert len(seen) == 1
    assert (seen[0] < -0.5).any()  # before gelu, which is nowhere below -0.17


def test_a_wide_layer_with_a_forward_of_its_own_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_layers, "SMALLEST", 1)
    monkeypatch.setattr(linear_layers, "measured", lambda *_, **__: True)
    model, inputs = tiny(BertModel, initializer_range=0.5), text_batch()
    dense = model.encoder.layer[0].intermediate.dense
    dense.forward = lambda x: 3 * F.linear(x, dense.weight, dense.bias)  # type: ignore[method-assign]
    with torch.no_grad():
        expected = model(**inputs).last_hidden_state
        with fast.linear(model):
            torch.testing.assert_close(model(**inputs).last_hidden_state, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "bias",
    [None, torch.randn(140)[::2], torch.randn(1).expand(70), torch.randn(70)],
    ids=["none", "strided", "one", "whole"],
)
@pytest.mark.parametrize(
    "x",
    [torch.randn(9, 40), torch.randn(3, 9, 40), torch.randn(40), torch.randn(40, 9).t(), torch.randn(5, 3, 40)[:, 0]],
    ids=["rows", "batch", "vector", "columns", "slice"],
)
def test_strides_are_heeded(x: Tensor, bias: Tensor | None) -> None:
    for weight in (torch.randn(70, 40), torch.randn(40, 70).t(), torch.randn(70, 80)[:, ::2]):
        torch.testing.assert_close(linear_layers.product(x, weight, bias), F.linear(x, weight, bias))


@pytest.mark.usefixtures("always")
def test_gradients_have_gradients() -> None:
    torch.manual_seed(0)
    layer, x = nn.Linear(4, 3), torch.randn(5, 4, requires_grad=True)

    def penalty() -> list[Tensor]:
        [slope] = torch.autograd.grad(layer(x).sin().sum(), x, create_graph=True)
        return list(torch.autograd.grad(slope.square().sum(), [x, layer.weight]))

    expected = penalty()
    with fast.linear(layer):
        torch.testing.assert_close(penalty(), expected)


@pytest.mark.usefixtures("always")
def test_frozen_parameters_get_no_gradient() -> None:
    model = tiny(BertModel)
    model.encoder.requires_grad_(False)
    with fast.linear(model):
        model(**text_batch()).pooler_output.sum().backward()
    assert [name for name, p in model.encoder.named_parameters() if p.grad is not None] == []
    assert model.embeddings.word_embeddings.weight.grad is not None


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_types_that_the_other_library_does_not_multiply_stay_with_the_usual_one(dtype: torch.dtype) -> None:
    model = tiny(BertModel).to(dtype)
    with torch.no_grad():
        expected = model(**text_batch()).last_hidden_state
        with fast.linear(model):
            assert torch.equal(model(**text_batch()).last_hidden_state, expected)


@pytest.mark.usefixtures("always")
def test_bfloat16_agrees_to_its_digits() -> None:
    model = tiny(BertModel).to(torch.bfloat16)
    with torch.no_grad():
        expected = model(**text_batch()).last_hidden_state
        with fast.linear(model):
            torch.testing.assert_close(model(**text_batch()).last_hidden_state, expected, rtol=0.02, atol=0.05)


@pytest.mark.usefixtures("always")
def test_on_a_processor_on_which_onednn_multiplies_no_bfloat16_the_usual_library_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on those without AVX-512, where it raises."""

    def without_bfloat16(x: Tensor, *arguments: object, **options: object) -> Tensor:
        if x.dtype == torch.bfloat16:
            raise RuntimeError(
                "could not create a primitive descriptor for the inner product forward propagation primitive"
            )
        return product(x, *arguments, **options)

    product = linear_layers.product
    monkeypatch.setattr(linear_layers, "product", without_bfloat16)
    monkeypatch.setattr(linear_layers, "onednn_takes", cache(linear_layers.onednn_takes.__wrapped__))
    model = tiny(BertModel).to(torch.bfloat16)
    with torch.no_grad():
        expected = model(**text_batch()).last_hidden_state
        with fast.linear(model, frozen=True):
            assert torch.equal(model(**text_batch()).last_hidden_state, expected)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("how", ["compile", "vmap"])
def test_graphs_and_function_transforms_see_the_plain_layers(how: str) -> None:
    model, batch = tiny(BertModel), text_batch()
    with torch.no_grad(), fast.linear(model):
        expected = model(**batch).last_hidden_state
        if how == "compile":
            found = torch.compile(model, backend="eager", fullgraph=True)(**batch).last_hidden_state
        else:
            each = torch.func.vmap(lambda ids, mask: model(ids[None], mask[None]).last_hidden_state[0])
            batch = {**batch, "token_type_ids": torch.zeros_like(batch["input_ids"])}
            expected = model(**batch).last_hidden_state
            found = each(batch["input_ids"], batch["attention_mask"])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_a_torch_without_the_operator_multiplies_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_layers, "onednn_is_there", lambda: False)
    model = tiny(BertModel)
    with fast.linear(model):
        assert [name for name, module in model.named_modules() if "forward" in vars(module)] == []


def test_where_the_usual_library_is_not_clearly_slower_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_layers, "SMALLEST", 1)
    clock = iter(range(10**6))
    monkeypatch.setattr(linear_layers.time, "perf_counter", lambda: float(next(clock)))  # both take one second
    monkeypatch.setattr(linear_layers, "FASTER", {})
    assert linear_layers.measured(torch.float32, 8, 8, outputs=8, threads=1) is False


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


def test_what_is_measured_is_not_in_the_cache_already() -> None:
    """A model's next product is by other weights: the ones of the product before tell nothing."""
    seen: list[int] = []

    def way(weight: Tensor) -> Tensor:
        seen.append(weight.data_ptr())
        return weight

    linear_layers.quickest([way, way], shape=(64, 64))
    assert len(seen) == len(set(seen)) == 2 * linear_layers.TURNS
    seen.clear()
    linear_layers.quickest([way, way], shape=(2048, 1024))  # 8 MiB: two of them
    assert len(set(seen)) == 2
    assert all(this != before for before, this in pairwise(seen))


def test_sizes_are_measured_once_and_never_for_small_products(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(linear_layers, "measured", lambda *args, **more: bool(asked.append((*args, *more.values()))))
    x, weight = torch.zeros(3, 40), torch.zeros(70, 40)
    assert linear_layers.for_onednn(x, weight) is None
    assert asked == []
    monkeypatch.setattr(linear_layers, "SMALLEST", 1)
    for rows in (5, 6, 7, 8):
        assert linear_layers.for_onednn(torch.zeros(rows, 40), weight) is None
    assert asked == []  # with gradients a few rows go the usual way
    with torch.no_grad():
        for rows in (5, 6, 7, 8):
            linear_layers.for_onednn(torch.zeros(rows, 40), weight)
    assert set(asked) == {(torch.float32, 8, 40, 70, torch.get_num_threads())}


@pytest.mark.usefixtures("always")
def test_a_copy_made_within_is_fast_and_right() -> None:
    model = tiny(BertModel)
    with torch.no_grad():
        with fast.linear(model):
            other = copy.deepcopy(model)
        model.pooler.dense.weight.zero_()  # the copy has weights of its own
        assert other(**text_batch()).pooler_output.abs().max() > 0


def test_nothing_is_imported_or_measured_until_it_is_asked_for() -> None:
    code = "import sys, minibert, minibert.fast; minibert.BertModel; print([m for m in sys.modules if m.startswith('minibert.fast.')])"
    root = Path(linear_layers.__file__).parents[2]
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert found.stdout.strip() == "[]"
