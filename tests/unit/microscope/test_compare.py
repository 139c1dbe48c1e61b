"""`compare`: equal models give zeros, and a mistake is named where it is."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minibert import BertConfig, BertForMaskedLM, BertForPreTraining, BertForSequenceClassification, BertModel
from minibert.microscope import compare
from minibert.model.layer import BertIntermediate, BertLayer
from minibert.terminal import display_width
from tests.unit.microscope.planted import LAYER, MISTAKES, SELF, MissingScale, Mistake, replace
from tests.unit.tiny_bert import same_weights, text_batch, tiny, tiny_config


def drawn(model: nn.Module) -> Any:
    """The model with numbers that all differ in place of fresh ones, many of which are 0 or 1."""
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        scale, shift = (0.3, 0.0) if parameter.dim() == 2 else (0.2, 0.5)
        parameter.data = torch.randn(parameter.shape, generator=generator) * scale + shift
    return model.eval()


@pytest.fixture
def right() -> BertForPreTraining:
    return drawn(tiny(BertForPreTraining))


@pytest.mark.seconds
@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_classic_mistake_is_found_at_its_own_stage(mistake: Mistake, right: BertForPreTraining) -> None:
    wrong = copy.deepcopy(right)
    mistake.plant(wrong)
    comparison = compare(right, wrong, text_batch())
    assert (comparison.first.path, comparison.first.inside) == (mistake.stage, mistake.inside)
    assert mistake.stage in comparison.summary()


@pytest.mark.seconds
@pytest.mark.parametrize("mistake", [m for m in MISTAKES if m.name != "untied bias"], ids=str)
def test_in_float64_every_mistake_stands_out_from_rounding(mistake: Mistake, right: BertForPreTraining) -> None:
    wrong = copy.deepcopy(right)
    mistake.plant(wrong)
    right.set_attn_implementation("sdpa")  # right, with other roundings
    comparison = compare(right.double(), wrong.double(), text_batch(), tolerance=1e-9)
    assert comparison.fault.path == mistake.stage


@pytest.mark.parametrize("seed", range(4))
def test_a_small_fault_says_nothing_about_dropout(seed: int) -> None:
    """What is dropped behind it differs too, but not where nor how often."""
    torch.manual_seed(seed)
    sizes = {"vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
    model = BertForMaskedLM(BertConfig(**sizes, intermediate_size=64, max_position_embeddings=32)).eval()
    inputs = {"input_ids": torch.randint(1, 50, (2, 7))}
    by_tanh, scaled = copy.deepcopy(model), copy.deepcopy(model)
    by_tanh.bert.encoder.layer[1].intermediate.intermediate_act_fn = lambda x: F.gelu(x, approximate="tanh")
    scaled.bert.encoder.layer[1].attention.self.query.weight.data *= 1.01
    for wrong in (by_tanh, scaled):
        comparison = compare(model, wrong, inputs)
        assert comparison.first is not None
        assert "dropout" not in comparison.summary()


def test_stages_that_differ_inside_one_that_agrees_are_counted_and_named(right: BertForPreTraining) -> None:
    other = copy.deepcopy(right)
    other.bert.encoder.layer[1].attention.self.key.bias.data += 1  # softmax is the same for scores that are all larger
    comparison = compare(right, other, text_batch())
    assert comparison.agrees
    excused = [row.path for row in comparison.rows if row.excused]
    assert "bert.encoder.layer.1.attention.self.key" in excused
    number = len(comparison.rows)
    assert f"{number - len(excused)} of {number} stages agree within" in comparison.summary()
    assert "Differing inside a stage whose result agrees: " in comparison.summary()


@pytest.mark.seconds
@pytest.mark.parametrize("path", ["eager", "sdpa", "packed"])
@pytest.mark.parametrize("model_class", [BertModel, BertForPreTraining, BertForSequenceClassification])
def test_a_right_model_gives_a_table_of_zeros_against_itself(model_class: type[BertModel], path: str) -> None:
    model = drawn(tiny(model_class, attn_implementation=path))
    for other in (model, copy.deepcopy(model)):
        comparison = compare(model, other, text_batch(), tolerance=0.0)
        assert comparison.agrees
        assert comparison.largest == 0.0
        assert comparison.first is None
        numbers = [cell for line in str(comparison).splitlines()[2:-2] for cell in line.split()[1:]]
        assert set(numbers) == {"0", "–"}
        assert "agree to the bit" in comparison.summary()
        assert any(row.gradients is not None for row in comparison.rows)


def test_a_mistake_within_the_tolerance_is_told_by_its_first_bits(right: BertForPreTraining) -> None:
    wrong = copy.deepcopy(right)
    next(m for m in MISTAKES if m.name == "eps 1e-5").plant(wrong)
    comparison = compare(right, wrong, text_batch())
    assert comparison.agrees
    assert comparison.fault is None
    assert comparison.first_bits.settings == ("eps=1e-12", "eps=1e-05")


def test_the_fault_names_what_feeds_it_and_where_its_code_is(right: BertForPreTraining) -> None:
    wrong = copy.deepcopy(right)
    replace(SELF, MissingScale)(wrong)
    fault = compare(right, wrong, text_batch()).fault
    assert fault.fed_by == {"hidden_states": "bert.encoder.layer.0"}
    assert fault.inputs.absolute == 0
    assert fault.code[0].file == "minibert/model/attention.py"
    assert Path(fault.code[1].file).name == "planted.py"


def test_rounding_that_grew_is_not_called_a_fault(right: BertForPreTraining) -> None:
    other = copy.deepcopy(right)
    other.set_attn_implementation("sdpa")
    comparison = compare(right, other, text_batch())
    assert comparison.agrees
    assert comparison.fault is None
    assert comparison.first.path == "bert.encoder.layer.0.attention.self"


def test_where_a_small_difference_grows_both_places_are_told() -> None:
    a = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    for parameter, number in zip(a.parameters(), (1.0, 0.0, 1000.0, -999.0), strict=True):
        parameter.data.fill_(number)
    b = copy.deepcopy(a)
    b[0].weight.data += 1e-6
    comparison = compare(a, b, torch.ones(1, 1))
    assert (comparison.fault.path, comparison.first_bits.path) == ("1", "0")
    assert "may be rounding that grew" in comparison.summary()
    assert "The first bits to differ are earlier, in 0, by " in comparison.summary()


def test_large_numbers_may_round_coarsely() -> None:
    a, b = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    a.weight.data.fill_(1000.0)
    b.weight.data.fill_(1000.001)
    assert compare(a, b, torch.ones(1, 1)).agrees
    assert not compare(a, b, torch.ones(1, 1), tolerance=1e-7).agrees


def test_a_wrong_weight_is_told_from_wrong_code(right: BertForPreTraining) -> None:
    wrong = copy.deepcopy(right)
    wrong.bert.encoder.layer[1].output.dense.weight.data[3, 5] += 0.25
    fault = compare(right, wrong, text_batch()).fault
    assert fault.path == f"{LAYER}.output.dense"
    assert fault.parameters["weight"].absolute == pytest.approx(0.25)
    assert "Its parameters differ: weight by 0.2" in str(fault)


def test_an_untied_decoder_is_told_in_a_sentence(right: BertForPreTraining) -> None:
    wrong = copy.deepcopy(right)
    wrong.cls.predictions.decoder.weight = nn.Parameter(wrong.cls.predictions.decoder.weight.detach().clone())
    comparison = compare(right, wrong, text_batch())
    assert comparison.fault.backward
    assert comparison.untied == [
        "bert.embeddings.word_embeddings.weight and cls.predictions.decoder.weight are one parameter in a and two in b."
    ]


class Detached(BertIntermediate):
    def forward(self, hidden_states: Tensor) -> Tensor:
        return super().forward(hidden_states.detach())


def test_a_gradient_that_is_cut_off_is_found_in_the_stage_that_cuts_it(right: BertForPreTraining) -> None:
    wrong = copy.deepcopy(right)
    replace(f"{LAYER}.intermediate", Detached)(wrong)
    fault = compare(right, wrong, text_batch()).fault
    assert fault.backward
    assert fault.path == f"{LAYER}.intermediate"
    assert fault.inside == "the gradient that goes back to hidden_states, which is 0 in b, as after detach() or .data"
    assert str(fault).startswith("All outputs agree. Going backward, ")


class UsesAWeightItself(nn.Module):
    """Its linear layer is never called."""

    def __init__(self, factor: float):
        super().__init__()
        self.linear, self.factor = nn.Linear(2, 2), factor

    def forward(self, x: Tensor) -> Tensor:
        detached = self.linear.weight.detach() * (1 - self.factor)
        return x @ (self.linear.weight * self.factor + detached)


def test_gradients_of_a_module_that_is_never_called_count_for_the_one_around_it() -> None:
    comparison = compare(UsesAWeightItself(1.0), UsesAWeightItself(0.5), torch.ones(1, 2), copy_weights=True)
    assert comparison[""].outputs.absolute < 1e-6
    assert comparison.fault.inside == "the gradient of linear.weight"


def test_weights_are_copied_by_name_where_asked() -> None:
    a, b = tiny(BertForMaskedLM, seed=1), tiny(BertForMaskedLM, seed=2)
    assert not compare(a, b, text_batch()).agrees
    assert compare(a, b, text_batch(), copy_weights=True).largest == 0
    assert same_weights(a, b)


def test_a_body_is_compared_with_the_body_inside_a_model() -> None:
    whole = drawn(tiny(BertForSequenceClassification))
    for a, b in ((tiny(BertModel), whole), (whole, tiny(BertModel))):
        comparison = compare(a, b, text_batch(), copy_weights=True)
        assert comparison["encoder.layer.1"].outputs.absolute == 0
        assert comparison["pooler"].outputs.absolute == 0
    with pytest.raises(KeyError, match="classifier"):
        comparison["classifier"]


class MyLayer(nn.Module):
    """A student's layer: the parameter names, and nothing else, are minibert's."""

    def __init__(self, config: BertConfig):
        super().__init__()
        right = BertLayer(config)
        self.attention, self.intermediate, self.output = right.attention, right.intermediate, right.output

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.attention(x, mask)[0]
        return self.finish(y)

    def finish(self, y: Tensor) -> Tensor:
        return self.output(self.intermediate(y), y)


class InOnePiece(nn.Module):
    """Another student's: no module inside it is ever called but the linear layers and norms. The scale is forgotten."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.parts = BertLayer(config)
        self.attention, self.intermediate, self.output = (nn.ModuleDict() for _ in range(3))
        self.attention.self, self.attention.output = self.parts.attention.self, self.parts.attention.output
        self.intermediate.dense = self.parts.intermediate.dense
        self.output.dense, self.output.LayerNorm = self.parts.output.dense, self.parts.output.LayerNorm
        del self.parts

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        inner, mix = self.attention.self, self.attention.output
        query, key, value = (f(x).unflatten(-1, (4, 8)).transpose(1, 2) for f in (inner.query, inner.key, inner.value))
        probabilities = torch.softmax(query @ key.transpose(-1, -2) + mask, dim=-1)
        y = mix.LayerNorm(x + mix.dense((probabilities @ value).transpose(1, 2).flatten(2)))
        return self.output.LayerNorm(y + self.output.dense(F.gelu(self.intermediate.dense(y))))


def test_code_that_is_not_cut_into_the_same_modules_is_still_told_what_diverges_first() -> None:
    comparison = compare(drawn(BertLayer(tiny_config())), InOnePiece(tiny_config()), layer_inputs(), copy_weights=True)
    assert (comparison.fault.path, comparison.fault.inside) == ("", "the scores before softmax")
    assert [line.split("  ")[1] for line in str(comparison).splitlines()[3:7]] == [
        *("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"),
    ]


class HalfFinished(MyLayer):
    def finish(self, y: Tensor) -> Tensor:
        raise NotImplementedError("the feed-forward network")


def layer_inputs() -> tuple[Tensor, Tensor]:
    mask = (1.0 - text_batch()["attention_mask"][:, None, None, :].float()) * -10000.0
    return torch.randn(2, 7, 32, generator=torch.Generator().manual_seed(0)), mask


def test_a_module_of_ones_own_may_name_its_arguments_and_return_what_it_likes() -> None:
    a, b = drawn(BertLayer(tiny_config())), MyLayer(tiny_config())
    comparison = compare(a, b, layer_inputs(), copy_weights=True)
    assert comparison.largest == 0
    assert comparison[""].outputs is not None
    assert comparison[""].inputs is not None


@pytest.mark.seconds
def test_a_half_finished_module_is_compared_until_it_stops() -> None:
    a, b = drawn(BertLayer(tiny_config())), HalfFinished(tiny_config())
    comparison = compare(a, b, layer_inputs(), copy_weights=True)
    assert comparison["attention"].outputs.absolute == 0
    assert comparison.stopped == "its forward: NotImplementedError: the feed-forward network"
    assert not comparison.agrees
    assert "b stopped in its forward" in str(comparison)
    assert comparison.only_in_a[:2] == ["intermediate.dense", "intermediate"]
    assert comparison.only_in_b == []


class CutLinear(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input)[:, :1]


def test_an_output_of_another_shape_is_infinitely_far(right: BertForPreTraining) -> None:
    wrong = copy.deepcopy(right)
    replace("cls.seq_relationship", lambda config: CutLinear(config.hidden_size, 2))(wrong)
    fault = compare(right, wrong, text_batch()).fault
    assert fault.path == "cls.seq_relationship"
    assert fault.apart.absolute == float("inf")


def test_an_output_that_is_not_a_number_is_infinitely_far(right: BertForPreTraining) -> None:
    wrong = copy.deepcopy(right)
    wrong.bert.pooler.dense.weight.data[0, 0] = float("nan")
    fault = compare(right, wrong, text_batch()).fault
    assert fault.path == "bert.pooler.dense"
    assert fault.apart.absolute == float("inf")


def test_models_and_inputs_are_left_as_they_were(right: BertForPreTraining) -> None:
    class WritesToItsInput(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mul_(2)

    right.train()
    right.bert.pooler.eval()
    compare(right, copy.deepcopy(right), text_batch())
    assert right.training
    assert right.bert.encoder.training
    assert not right.bert.pooler.training
    assert all(parameter.grad is None for parameter in right.parameters())
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in right.modules())
    x = torch.ones(2)
    assert compare(WritesToItsInput(), WritesToItsInput(), x, backward=False).largest == 0
    assert torch.equal(x, torch.ones(2))


class Normalized(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.norm(x) * self.calls


def test_running_means_and_other_buffers_are_left_as_they_were() -> None:
    torch.manual_seed(0)
    a = Normalized()
    b = copy.deepcopy(a)
    nn.init.constant_(b.norm.bias, 0.5)  # a fault, so that stages are computed again to name it
    before = [buffer.clone() for model in (a, b) for buffer in model.buffers()]
    assert not compare(a, b, torch.randn(8, 3)).agrees
    assert all(torch.equal(x, y) for x, y in zip(before, [*a.buffers(), *b.buffers()], strict=True))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_gradients_are_compared_also_where_the_caller_has_switched_them_off(
    mode: Any, right: BertForPreTraining
) -> None:
    with mode():
        comparison = compare(right, right, text_batch())
    assert comparison.agrees
    assert comparison["bert.pooler.dense"].gradients is not None


class Spectrum(nn.Module):
    def __init__(self, turn: complex) -> None:
        super().__init__()
        self.mix, self.turn = nn.Linear(4, 4), turn

    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.fft(self.mix(x)) * self.turn


def test_complex_outputs_are_compared_with_their_imaginary_parts_and_gradients() -> None:
    torch.manual_seed(0)
    x, right = torch.randn(2, 4), Spectrum(1)
    assert compare(right, copy.deepcopy(right), x).largest == 0
    comparison = compare(right, Spectrum(1j), x, copy_weights=True)
    assert comparison.fault.path == ""
    assert comparison["mix"].gradients.absolute > 0


def test_without_backward_no_gradient_is_compared(right: BertForPreTraining) -> None:
    comparison = compare(right, right, text_batch(), backward=False)
    assert all(row.gradients is None for row in comparison.rows)


def test_the_table_fits_into_100_columns_and_marks_the_first(right: BertForPreTraining) -> None:
    wrong = copy.deepcopy(right)
    MISTAKES[0].plant(wrong)
    lines = str(compare(right, wrong, text_batch())).partition("\n\n")[0].splitlines()
    assert max(map(display_width, lines)) <= 100
    [first] = [line for line in lines if line.endswith("◀ first")]
    assert first.split()[0] == "self"
    assert [line.split()[0] for line in lines if line.endswith("diverges")][:2] == ["BertForPreTraining", "bert"]


class Opaque(nn.Module):
    """Returns something that nobody can look into, from two halves of which b has another name for the first."""

    def __init__(self, name: str, factor: float):
        super().__init__()
        self.add_module(name, nn.Linear(2, 2))
        self.second = nn.Tanh()
        self.first, self.factor = [getattr(self, name)], factor

    def forward(self, x: Tensor) -> object:
        return {self.second(self.first[0](x) * self.factor)}


def test_a_difference_outside_of_all_common_stages_is_not_blamed_on_them() -> None:
    comparison = compare(Opaque("one", 1.0), Opaque("other", 2.0), torch.ones(1, 2))
    assert not comparison.agrees
    assert comparison.fault is None
    assert "a stage that only one of them has" in comparison.summary()
    assert (comparison.only_in_a, comparison.only_in_b) == (["one"], ["other"])


class NeverCallsIt(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(2, 2))

    def forward(self, x: Tensor) -> Tensor:
        return x


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(ValueError, match="No parameter of b has the name"):
        compare(nn.Linear(2, 2), nn.Tanh(), torch.ones(2), copy_weights=True)
    with pytest.raises(ValueError, match=r"weight has shape \(2, 2\) in a and \(3, 2\) in b"):
        compare(nn.Linear(2, 2), nn.Linear(2, 3), torch.ones(2), copy_weights=True)
    with pytest.raises(ValueError, match="No stage of b has the name"):
        compare(nn.Sequential(nn.Linear(2, 2)), NeverCallsIt(), torch.ones(2))
    with pytest.raises(ValueError, match="input_ids"):
        compare(tiny(BertModel), tiny(BertModel), {})


@pytest.mark.parametrize("tolerance", [-1.0, float("nan")])
def test_a_tolerance_with_which_nothing_is_compared_is_refused(tolerance: float, right: BertForPreTraining) -> None:
    with pytest.raises(ValueError, match=r"tolerance is .*; it must be at least 0"):
        compare(right, right, text_batch(), tolerance=tolerance)
