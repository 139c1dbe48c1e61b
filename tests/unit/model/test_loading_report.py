"""The loading report: what was read, tied, new and left over, why, and when the user has to know."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from minibert import BertForMaskedLM, BertForPreTraining, BertModel, BertPreTrainedModel
from minibert.checkpoints import LoadingReport
from tests.unit.tiny_bert import BUNDLED, same_weights, tiny, tiny_config

Tensors = dict[str, Tensor]
LAYER_1 = "encoder.layer.1.output.dense.weight"


def load(
    model_class: type[BertPreTrainedModel], tensors: Tensors, **overrides: object
) -> tuple[BertPreTrainedModel, LoadingReport]:
    """Load a state dict into a tiny model."""
    model = model_class.from_pretrained(None, config=tiny_config(**overrides), state_dict=tensors)
    return model, model.loading_report


def reasons(findings: list) -> dict[str, str]:
    return {finding.name: finding.reason for finding in findings}


@pytest.fixture
def pretraining() -> Tensors:
    """A pre-training model's tensors, as a modern file holds them."""
    model = tiny(BertForPreTraining)
    model.cls.predictions.bias.data.uniform_()
    return model.tensors_to_save()


@pytest.fixture
def base() -> Tensors:
    """A bare model's tensors, without the body's prefix."""
    return tiny(BertModel).tensors_to_save()


@pytest.fixture(autouse=True)
def warnings_logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What minibert has logged so far."""
    return lambda: [record.getMessage() for record in caplog.records if record.name == "minibert"]


class TestNothingToSay:
    def test_a_model_into_its_own_class(self, pretraining: Tensors, warnings_logged: Callable[[], list[str]]) -> None:
        _, report = load(BertForPreTraining, pretraining)
        assert report.read == {name: name for name in pretraining}
        assert reasons(report.tied) == {
            "cls.predictions.decoder.weight": "the same tensor as bert.embeddings.word_embeddings.weight",
            "cls.predictions.decoder.bias": "the same tensor as cls.predictions.bias",
        }
        assert (report.new, report.left_over, report.attention) == ([], [], [])
        assert not report.needs_attention
        assert warnings_logged() == []

    def test_a_pretraining_checkpoint_into_the_bare_model(
        self, pretraining: Tensors, warnings_logged: Callable[[], list[str]]
    ) -> None:
        model, report = load(BertModel, pretraining)
        assert report.read["pooler.dense.weight"] == "bert.pooler.dense.weight"
        why = reasons(report.left_over)
        assert why["cls.predictions.bias"] == "the masked-word head, which this model does not have"
        assert why["cls.seq_relationship.weight"] == "the next-sentence head, which this model does not have"
        assert len(report.read) + len(why) == len(pretraining)
        assert warnings_logged() == []
        assert same_weights(model, tiny(BertForPreTraining).bert)

    def test_a_pretraining_checkpoint_into_the_masked_word_model(
        self, pretraining: Tensors, warnings_logged: Callable[[], list[str]]
    ) -> None:
        _, report = load(BertForMaskedLM, pretraining)
        assert reasons(report.left_over) == {
            "bert.pooler.dense.weight": "this model reads every position and has no pooler",
            "bert.pooler.dense.bias": "this model reads every position and has no pooler",
            "cls.seq_relationship.weight": "the next-sentence head, which this model does not have",
            "cls.seq_relationship.bias": "the next-sentence head, which this model does not have",
        }
        assert warnings_logged() == []

    def test_the_bundled_checkpoint_into_every_class_that_it_holds_the_parts_of(
        self, warnings_logged: Callable[[], list[str]]
    ) -> None:
        for model_class in (BertForPreTraining, BertForMaskedLM, BertModel):
            assert not model_class.from_pretrained(BUNDLED).loading_report.needs_attention
        assert warnings_logged() == []

    @pytest.mark.parametrize("prefix", ["", "bert."])
    def test_the_stored_position_counter(
        self, base: Tensors, prefix: str, warnings_logged: Callable[[], list[str]]
    ) -> None:
        base[prefix + "embeddings.position_ids"] = torch.arange(512)[None]
        _, report = load(BertModel, base)
        assert reasons(report.left_over) == {
            f"{prefix}embeddings.position_ids": "counts 0, 1, 2, …: this model makes it itself"
        }
        assert warnings_logged() == []

    def test_the_heads_of_other_tasks(self, base: Tensors, warnings_logged: Callable[[], list[str]]) -> None:
        base |= {"classifier.weight": torch.ones(2, 32), "qa_outputs.bias": torch.ones(2)}
        _, report = load(BertModel, base)
        assert set(reasons(report.left_over).values()) == {"the head of another task"}
        assert warnings_logged() == []


class TestSpellings:
    """Every habit of published checkpoints gives the same model, without remark."""

    def check(self, tensors: Tensors, warnings_logged: Callable[[], list[str]]) -> LoadingReport:
        model, report = load(BertForPreTraining, tensors)
        expected = tiny(BertForPreTraining)
        expected.cls.predictions.bias.data.copy_(model.cls.predictions.bias)
        assert same_weights(model, expected)
        assert warnings_logged() == []
        return report

    def test_a_data_parallel_prefix(self, pretraining: Tensors, warnings_logged: Callable[[], list[str]]) -> None:
        report = self.check({f"module.{name}": t for name, t in pretraining.items()}, warnings_logged)
        assert report.read["cls.predictions.bias"] == "module.cls.predictions.bias"

    def test_a_compiled_models_prefix(self, pretraining: Tensors, warnings_logged: Callable[[], list[str]]) -> None:
        self.check({f"_orig_mod.{name}": tensor for name, tensor in pretraining.items()}, warnings_logged)

    def test_gamma_and_beta(self, pretraining: Tensors, warnings_logged: Callable[[], list[str]]) -> None:
        old = {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
            for name, tensor in pretraining.items()
        }
        report = self.check(old, warnings_logged)
        assert report.read["bert.embeddings.LayerNorm.weight"] == "bert.embeddings.LayerNorm.gamma"
        assert "under another name, such as" in str(report)

    def test_both_at_once(self, pretraining: Tensors, warnings_logged: Callable[[], list[str]]) -> None:
        old = {f"module.{name.replace('LayerNorm.weight', 'LayerNorm.gamma')}": t for name, t in pretraining.items()}
        self.check(old, warnings_logged)

    @pytest.mark.parametrize("model_class", [BertModel, BertForPreTraining])
    def test_the_bodys_prefix_present_or_absent(self, base: Tensors, model_class: type[BertPreTrainedModel]) -> None:
        without, _ = load(model_class, base)
        with_prefix, _ = load(model_class, {f"bert.{name}": tensor for name, tensor in base.items()})
        assert same_weights(without.base_model, with_prefix.base_model)
        assert same_weights(without.base_model, tiny(BertModel))

    def test_equal_duplicates_of_the_decoder(
        self, pretraining: Tensors, warnings_logged: Callable[[], list[str]]
    ) -> None:
        pretraining["cls.predictions.decoder.weight"] = pretraining["bert.embeddings.word_embeddings.weight"].clone()
        pretraining["cls.predictions.decoder.bias"] = pretraining["cls.predictions.bias"].clone()
        report = self.check(pretraining, warnings_logged)
        assert report.left_over == []

    def test_the_bias_under_the_decoders_name_alone(
        self, pretraining: Tensors, warnings_logged: Callable[[], list[str]]
    ) -> None:
        pretraining["cls.predictions.decoder.bias"] = bias = pretraining.pop("cls.predictions.bias")
        model, report = load(BertForPreTraining, pretraining)
        assert torch.equal(model.cls.predictions.bias, bias)
        assert model.cls.predictions.decoder.bias is model.cls.predictions.bias
        assert (report.new, warnings_logged()) == ([], [])


class TestNeedsAttention:
    def test_a_bare_checkpoint_into_a_model_with_heads(
        self, base: Tensors, warnings_logged: Callable[[], list[str]]
    ) -> None:
        _, report = load(BertForPreTraining, base)
        assert {finding.name for finding in report.new} == {
            *("cls.predictions.bias", "cls.predictions.transform.dense.weight", "cls.predictions.transform.dense.bias"),
            *("cls.predictions.transform.LayerNorm.weight", "cls.predictions.transform.LayerNorm.bias"),
            *("cls.seq_relationship.weight", "cls.seq_relationship.bias"),
        }
        assert set(reasons(report.new).values()) == {"the checkpoint has no such tensor"}
        assert report.attention == report.new
        [warning] = warnings_logged()
        assert "BertForPreTraining from" in warning
        assert "newly initialised: cls.predictions.bias" in warning
        assert "Train the new parameters before you use what they predict." in warning
        assert "decoder" not in warning  # it is tied, not new

    def test_a_checkpoint_without_a_pooler(self, base: Tensors, warnings_logged: Callable[[], list[str]]) -> None:
        without = {name: tensor for name, tensor in base.items() if not name.startswith("pooler")}
        _, report = load(BertModel, without)
        assert set(reasons(report.new)) == {"pooler.dense.weight", "pooler.dense.bias"}
        assert "newly initialised: pooler.dense.weight" in warnings_logged()[0]

    @pytest.mark.parametrize(
        ("duplicate", "used_for"),
        [
            ("cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight"),
            ("cls.predictions.decoder.bias", "cls.predictions.bias"),
        ],
    )
    def test_a_duplicate_of_the_decoder_that_differs(
        self, pretraining: Tensors, duplicate: str, used_for: str, warnings_logged: Callable[[], list[str]]
    ) -> None:
        pretraining[duplicate] = pretraining[used_for] + 1
        model, report = load(BertForPreTraining, pretraining)
        [finding] = report.attention
        assert finding.reason == (
            f"the checkpoint's {used_for} differs from {duplicate}, to which the config ties it; the latter is used"
        )
        assert torch.equal(model.state_dict()[used_for], pretraining[duplicate])
        assert torch.equal(model.state_dict()[duplicate], pretraining[duplicate])
        [warning] = warnings_logged()
        assert finding.reason in warning

    def test_untied_the_decoders_own_weights_are_simply_read(
        self, pretraining: Tensors, warnings_logged: Callable[[], list[str]]
    ) -> None:
        pretraining["cls.predictions.decoder.weight"] = torch.ones(99, 32)
        model, _ = load(BertForPreTraining, pretraining, tie_word_embeddings=False)
        assert (model.cls.predictions.decoder.weight == 1).all()
        assert not (model.bert.embeddings.word_embeddings.weight == 1).all()
        assert warnings_logged() == []

    def test_untied_a_missing_decoder_is_new(
        self, pretraining: Tensors, warnings_logged: Callable[[], list[str]]
    ) -> None:
        _, report = load(BertForPreTraining, pretraining, tie_word_embeddings=False)
        assert set(reasons(report.new)) == {"cls.predictions.decoder.weight"}
        assert len(warnings_logged()) == 1

    def test_more_layers_than_the_config_has(self, base: Tensors, warnings_logged: Callable[[], list[str]]) -> None:
        _, report = load(BertModel, base, num_hidden_layers=1)
        assert reasons(report.left_over)[LAYER_1] == "the config has only 1 layers"
        assert all(finding.needs_attention for finding in report.left_over)
        assert "left over: encoder.layer.1." in warnings_logged()[0]
        assert "Train the new parameters" not in warnings_logged()[0]

    def test_a_name_that_the_model_lacks(self, base: Tensors, warnings_logged: Callable[[], list[str]]) -> None:
        base["embeddings.task_embeddings.weight"] = torch.ones(2, 32)
        _, report = load(BertModel, base)
        why = reasons(report.left_over)
        assert why == {"embeddings.task_embeddings.weight": "this model has no tensor of such a name"}
        assert "embeddings.task_embeddings.weight" in warnings_logged()[0]

    def test_cross_attention_that_the_checkpoint_never_had(
        self, base: Tensors, warnings_logged: Callable[[], list[str]]
    ) -> None:
        _, report = load(BertModel, base, is_decoder=True, add_cross_attention=True)
        assert all(".crossattention." in finding.name for finding in report.new)
        assert len(report.new) == 2 * 10
        assert len(warnings_logged()) == 1


class TestText:
    def test_the_report_lists_every_group_with_its_reason(self, base: Tensors) -> None:
        base["embeddings.position_ids"] = torch.arange(24)[None]
        text = str(load(BertForMaskedLM, base)[1])
        assert text.splitlines()[1] == "  read: 37 tensors"
        assert "tied: cls.predictions.decoder.weight: the same tensor as bert.embeddings" in text
        assert "newly initialised: cls.predictions.bias" in text
        assert "and 1 more: the checkpoint has no such tensor" in text
        assert "left over: embeddings.position_ids: counts 0, 1, 2, …" in text

    def test_every_tensor_of_the_checkpoint_is_accounted_for_once(self, pretraining: Tensors, base: Tensors) -> None:
        pretraining["cls.predictions.decoder.bias"] = pretraining["cls.predictions.bias"].clone()
        for model_class in (BertModel, BertForMaskedLM, BertForPreTraining):
            for tensors in (pretraining, base):
                model, report = load(model_class, tensors)
                accounted = {*report.read.values(), *(finding.name for finding in report.left_over)}
                assert accounted | {"cls.predictions.bias"} == tensors.keys() | {"cls.predictions.bias"}
                names = [*report.read, *(f.name for f in report.new)]
                assert len(names) == len(set(names)) == len(list(model.parameters()))
