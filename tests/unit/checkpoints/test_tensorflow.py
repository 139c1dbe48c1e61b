"""Checkpoints that a real TensorFlow wrote, under the names of Google's original BERT code (see tests/fixtures/tensorflow)."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from minibert import (
    BertConfig,
    BertForMaskedLM,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertModel,
    BertPreTrainedModel,
)
from minibert.checkpoints import CheckpointError, locate_config, locate_weights, open_weights
from minibert.checkpoints.names import canonical, is_transposed
from minibert.checkpoints.tensorflow import DTYPES
from tests.unit.checkpoints.tensorflow_writer import write_checkpoint
from tests.unit.tiny_bert import same_weights

FIXTURES = Path(__file__).parents[2] / "fixtures" / "tensorflow"
QUERY = "bert/encoder/layer_1/attention/self/query/kernel"


def expected(name: str) -> dict[str, Tensor]:
    return load_file(FIXTURES / name / "expected.safetensors")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy of the pre-training checkpoint that a test may change: TensorFlow's files and nothing else."""
    folder = tmp_path / "uncased_L-2_H-8_A-2"
    shutil.copytree(FIXTURES / "pretraining", folder, ignore=shutil.ignore_patterns("*.safetensors"))
    return folder


class TestTensors:
    @pytest.mark.parametrize("name", ["pretraining", "sharded", "classifier", "squad"])
    def test_every_tensor_is_the_one_that_was_saved(self, name: str) -> None:
        tensors = expected(name)
        with open_weights(FIXTURES / name, from_tf=True) as weights:
            read = {canonical(key): key for key in weights if canonical(key) in tensors}
            assert read.keys() == tensors.keys()
            for ours, key in read.items():
                assert weights[key].shape == tensors[ours].shape
                assert weights[key].dtype == torch.float32
                assert torch.equal(weights[key].read(), tensors[ours])
                assert weights[key].read().is_contiguous()

    def test_every_dtype_is_read(self) -> None:
        numbers = torch.arange(6).reshape(2, 3)
        with open_weights(FIXTURES / "dtypes") as weights:
            assert {tensor.dtype for tensor in weights.values()} == set(DTYPES.values())
            for name, tensor in weights.items():
                assert tensor.dtype == getattr(torch, name)
                assert torch.equal(tensor.read(), numbers.to(tensor.dtype))

    def test_a_scalar_is_a_tensor_too(self) -> None:
        with open_weights(FIXTURES / "sharded", from_tf=True) as weights:
            assert weights["global_step"].shape == ()
            assert weights["global_step"].read().item() == 20

    def test_an_empty_tensor_is_a_tensor_too(self, tmp_path: Path) -> None:
        write_checkpoint(tmp_path, {"empty/kernel": torch.empty(0, 4), "one": torch.ones(1)})
        with open_weights(tmp_path) as weights:
            assert weights["empty/kernel"].read().shape == weights["empty/kernel"].shape == (4, 0)

    def test_reading_into_another_dtype_converts_and_turns(self) -> None:
        out = torch.empty(8, 8, dtype=torch.float64)
        with open_weights(FIXTURES / "pretraining", from_tf=True) as weights:
            weights[QUERY].read_into(out)
        assert torch.equal(out, expected("pretraining")[canonical(QUERY)].double())

    def test_names_come_in_the_order_of_the_data(self, tmp_path: Path) -> None:
        write_checkpoint(tmp_path, {"b": torch.zeros(2), "a": torch.ones(2)})
        with open_weights(tmp_path) as weights:
            assert list(weights) == ["b", "a"]
            assert {tensor.path for tensor in weights.values()} == {tmp_path / "model.ckpt.index"}

    def test_tensors_outlive_the_files(self) -> None:
        with open_weights(FIXTURES / "pretraining", from_tf=True) as weights:
            tensor = weights["bert/embeddings/word_embeddings"].read()
        assert torch.equal(tensor, expected("pretraining")["bert.embeddings.word_embeddings.weight"])


class TestNames:
    @pytest.mark.parametrize(
        ("google", "ours"),
        [
            ("bert/embeddings/word_embeddings", "bert.embeddings.word_embeddings.weight"),
            ("bert/embeddings/token_type_embeddings", "bert.embeddings.token_type_embeddings.weight"),
            ("bert/embeddings/LayerNorm/gamma", "bert.embeddings.LayerNorm.weight"),
            ("bert/encoder/layer_11/output/LayerNorm/beta", "bert.encoder.layer.11.output.LayerNorm.bias"),
            (QUERY, "bert.encoder.layer.1.attention.self.query.weight"),
            ("bert/pooler/dense/bias", "bert.pooler.dense.bias"),
            ("cls/predictions/transform/dense/kernel", "cls.predictions.transform.dense.weight"),
            ("cls/predictions/output_bias", "cls.predictions.bias"),
            ("cls/seq_relationship/output_weights", "cls.seq_relationship.weight"),
            ("cls/seq_relationship/output_bias", "cls.seq_relationship.bias"),
            ("output_weights", "classifier.weight"),
            ("output_bias", "classifier.bias"),
            ("cls/squad/output_weights", "qa_outputs.weight"),
            ("cls/squad/output_bias", "qa_outputs.bias"),
        ],
    )
    def test_googles_names_mean_ours(self, google: str, ours: str) -> None:
        assert canonical(google) == ours

    def test_only_kernels_are_the_other_way_round(self) -> None:
        with open_weights(FIXTURES / "pretraining", from_tf=True) as weights:
            assert {name for name in weights if is_transposed(name)} == {
                name for name in weights if name.endswith("/kernel")
            }

    @pytest.mark.parametrize("name", expected("pretraining"))
    def test_our_own_names_stay_as_they_are(self, name: str) -> None:
        assert canonical(name) == name
        assert not is_transposed(name)


class TestModels:
    @pytest.mark.parametrize("name", ["pretraining", "sharded"])
    def test_the_loaded_model_is_that_of_the_expected_tensors(self, name: str, checkpoint: Path) -> None:
        folder = checkpoint if name == "pretraining" else FIXTURES / name
        source = folder if name == "pretraining" else folder / "model.ckpt"
        loaded = BertForPreTraining.from_pretrained(source)
        built = BertForPreTraining.from_pretrained(
            None, config=BertConfig.from_pretrained(folder), state_dict=expected(name)
        )
        assert same_weights(loaded, built)
        ids = torch.arange(1, 13).reshape(2, 6)
        for left, right in zip(loaded(ids).to_tuple(), built(ids).to_tuple(), strict=True):
            assert torch.equal(left, right)

    def test_what_the_optimizer_kept_is_left_over_without_a_warning(
        self, checkpoint: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        report = BertForPreTraining.from_pretrained(checkpoint).loading_report
        assert len(report.left_over) == 2 * len(expected("pretraining")) + 1
        assert {finding.reason for finding in report.left_over} == {"the optimizer's, of use only to go on training"}
        assert (report.new, report.attention, caplog.records) == ([], [], [])

    def test_the_numbers_of_a_fine_tuned_classifier(self) -> None:
        model = BertForSequenceClassification.from_pretrained(FIXTURES / "classifier" / "model.ckpt", num_labels=3)
        assert torch.equal(model.classifier.weight, expected("classifier")["classifier.weight"])
        assert torch.equal(model.classifier.bias, expected("classifier")["classifier.bias"])
        assert not model.loading_report.needs_attention

    def test_the_numbers_of_a_fine_tuned_reader(self) -> None:
        model = BertForQuestionAnswering.from_pretrained(FIXTURES / "squad" / "model.ckpt")
        assert torch.equal(model.qa_outputs.weight, expected("squad")["qa_outputs.weight"])
        assert torch.equal(model.qa_outputs.bias, expected("squad")["qa_outputs.bias"])
        assert not model.loading_report.needs_attention

    @pytest.mark.parametrize(
        ("model_class", "left_over"),
        [
            (
                BertModel,
                {
                    "the masked-word head, which this model does not have",
                    "the next-sentence head, which this model does not have",
                },
            ),
            (
                BertForMaskedLM,
                {
                    "this model reads every position and has no pooler",
                    "the next-sentence head, which this model does not have",
                },
            ),
        ],
    )
    def test_heads_that_a_model_lacks_are_no_surprise(
        self, checkpoint: Path, model_class: type[BertPreTrainedModel], left_over: set[str]
    ) -> None:
        report = model_class.from_pretrained(checkpoint).loading_report
        assert {finding.reason for finding in report.left_over} == left_over | {
            "the optimizer's, of use only to go on training"
        }
        assert not report.needs_attention

    def test_a_new_head_is_announced(self, checkpoint: Path) -> None:
        report = BertForSequenceClassification.from_pretrained(checkpoint).loading_report
        assert [finding.name for finding in report.attention] == ["classifier.weight", "classifier.bias"]

    def test_layers_beyond_the_config_are_announced(self, checkpoint: Path) -> None:
        report = BertModel.from_pretrained(checkpoint, num_hidden_layers=1).loading_report
        attention = {finding.name: finding.reason for finding in report.attention}
        assert attention[QUERY] == "the config has only 1 layers"
        assert all(name.startswith("bert/encoder/layer_1/") for name in attention)

    def test_shapes_that_do_not_fit_are_told_as_pytorch_has_them(self, checkpoint: Path) -> None:
        with pytest.raises(
            CheckpointError, match=r"intermediate\.dense\.weight: the checkpoint has \(12, 8\), the model \(16, 8\)"
        ):
            BertModel.from_pretrained(checkpoint, intermediate_size=16)

    def test_the_dtype_is_converted(self, checkpoint: Path) -> None:
        model = BertModel.from_pretrained(checkpoint, torch_dtype=torch.bfloat16)
        weight = expected("pretraining")["bert.pooler.dense.weight"]
        assert torch.equal(model.pooler.dense.weight, weight.bfloat16())


class TestFinding:
    def test_the_config_is_googles_where_there_is_no_other(self, checkpoint: Path) -> None:
        assert BertConfig.from_pretrained(checkpoint).hidden_size == 8
        (checkpoint / "config.json").write_text('{"hidden_size": 16, "num_attention_heads": 2}')
        assert BertConfig.from_pretrained(checkpoint).hidden_size == 16

    def test_a_folder_without_a_config_says_what_was_looked_for(self, checkpoint: Path) -> None:
        (checkpoint / "bert_config.json").unlink()
        with pytest.raises(CheckpointError, match=r"has no config.json or bert_config.json.* holds: bert_model.ckpt"):
            BertConfig.from_pretrained(checkpoint)

    @pytest.mark.parametrize("ending", ["", ".index"])
    def test_a_checkpoint_is_named_as_tensorflow_names_it_or_by_its_index(self, checkpoint: Path, ending: str) -> None:
        name = str(checkpoint / "bert_model.ckpt") + ending
        assert locate_weights(name) == checkpoint / "bert_model.ckpt.index"
        assert locate_config(name) == checkpoint / "bert_config.json"
        assert BertModel.from_pretrained(name).config.hidden_size == 8

    def test_a_step_of_a_training_is_named_by_its_path(self, checkpoint: Path) -> None:
        for path in checkpoint.glob("bert_model.ckpt.*"):
            path.rename(path.with_name(path.name.replace("bert_model.ckpt", "model.ckpt-20")))
        with (
            pytest.raises(CheckpointError, match=r"give its own path, such as .*model\.ckpt-20\.index"),
            open_weights(checkpoint),
        ):
            pass
        with open_weights(locate_weights(checkpoint / "model.ckpt-20")) as weights:
            assert QUERY in weights

    def test_other_weights_come_first_unless_tensorflows_are_asked_for(self, checkpoint: Path) -> None:
        save_file({"w": torch.ones(2)}, checkpoint / "model.safetensors")
        with open_weights(checkpoint) as weights:
            assert list(weights) == ["w"]
        with open_weights(checkpoint, from_tf=True) as weights:
            assert QUERY in weights

    def test_asking_for_tensorflows_weights_where_there_are_none(self, tmp_path: Path) -> None:
        save_file({"w": torch.ones(2)}, tmp_path / "model.safetensors")
        with (
            pytest.raises(CheckpointError, match=r"looked for bert_model\.ckpt\.index, model\.ckpt\.index\. "),
            open_weights(tmp_path, from_tf=True),
        ):
            pass

    def test_saving_beside_them_leaves_googles_files_alone(self, checkpoint: Path) -> None:
        before = {path.name: path.read_bytes() for path in checkpoint.iterdir()}
        model = BertForPreTraining.from_pretrained(checkpoint)
        model.save_pretrained(checkpoint)
        assert {name: (checkpoint / name).read_bytes() for name in before} == before
        assert same_weights(BertForPreTraining.from_pretrained(checkpoint), model)
