"""The first forward of a loaded model: from then on its weights are its own, aligned, and known to be numbers."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from minibert import BertForMaskedLM, BertForPreTraining, BertModel
from tests.unit.tiny_bert import same_weights, text_batch, tiny, token_ids


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with a tiny pre-training model."""
    tiny(BertForPreTraining).save_pretrained(tmp_path)
    return tmp_path


def overwrite_in_place(folder: Path) -> None:
    """Set every number in the file to zero without replacing the file, as a careless program might."""
    path = folder / "model.safetensors"
    content = path.read_bytes()
    data_start = 8 + int.from_bytes(content[:8], "little")
    with open(path, "rb+") as file:
        file.seek(data_start)
        file.write(bytes(len(content) - data_start))
        file.flush()


def put(folder: Path, name: str, value: float) -> None:
    """Write one value into a tensor of a checkpoint."""
    tensors = load_file(folder / "model.safetensors")
    tensors[name].flatten()[-1] = value
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


class TestTheFile:
    def test_after_the_first_forward_the_file_no_longer_matters(self, saved: Path) -> None:
        model = BertForPreTraining.from_pretrained(saved)
        before = model(**text_batch())
        overwrite_in_place(saved)
        after = model(**text_batch())
        assert torch.equal(after.prediction_logits, before.prediction_logits)
        assert torch.equal(after.seq_relationship_logits, before.seq_relationship_logits)
        assert same_weights(model, tiny(BertForPreTraining))

    def test_a_model_that_was_first_asked_in_inference_mode_can_be_trained(self, saved: Path) -> None:
        model = BertModel.from_pretrained(saved)
        with torch.inference_mode():
            model(token_ids())
        assert not any(parameter.is_inference() for parameter in model.parameters())
        model(token_ids()).last_hidden_state.sum().backward()
        assert all(parameter.grad is not None for parameter in model.encoder.parameters())

    def test_after_the_first_forward_the_file_may_vanish(self, saved: Path) -> None:
        model = BertModel.from_pretrained(saved)
        model(token_ids())
        (saved / "model.safetensors").unlink()
        assert model(token_ids()).last_hidden_state.isfinite().all()

    def test_changing_a_weight_never_writes_to_the_file(self, saved: Path) -> None:
        before = (saved / "model.safetensors").read_bytes()
        model = BertModel.from_pretrained(saved)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(7)
        assert (saved / "model.safetensors").read_bytes() == before
        assert (model.pooler.dense.weight == 7).all()

    def test_a_change_before_the_first_forward_is_kept(self, saved: Path) -> None:
        model = BertModel.from_pretrained(saved)
        model.pooler.dense.weight.data.fill_(0.5)
        model(token_ids())
        assert (model.pooler.dense.weight == 0.5).all()

    def test_a_model_can_be_saved_over_its_own_file_before_its_first_forward(self, saved: Path) -> None:
        model = BertForPreTraining.from_pretrained(saved)
        model.save_pretrained(saved)
        assert same_weights(BertForPreTraining.from_pretrained(saved), model)
        assert same_weights(model, tiny(BertForPreTraining))

    def test_two_models_of_one_file_are_independent(self, saved: Path) -> None:
        first, second = BertModel.from_pretrained(saved), BertModel.from_pretrained(saved)
        first.pooler.dense.weight.data.zero_()
        assert second.pooler.dense.weight.any()

    def test_a_model_pickled_before_its_first_forward_is_whole(self, saved: Path) -> None:
        twin = pickle.loads(pickle.dumps(BertForPreTraining.from_pretrained(saved)))
        overwrite_in_place(saved)
        expected = tiny(BertForPreTraining)
        assert same_weights(twin, expected)
        assert torch.equal(twin(**text_batch())[0], expected(**text_batch())[0])


class TestMemory:
    @pytest.mark.parametrize("model_class", [BertModel, BertForPreTraining])
    def test_weights_start_at_multiples_of_64_bytes(self, saved: Path, model_class: type[BertModel]) -> None:
        model = model_class.from_pretrained(saved)
        model(token_ids())
        assert all(parameter.data_ptr() % 64 == 0 for parameter in model.parameters())

    def test_even_from_a_file_where_they_do_not(self, saved: Path) -> None:
        tensors = {"a": torch.ones(1, dtype=torch.uint8), **load_file(saved / "model.safetensors")}
        tensors["b"] = torch.ones(3)
        save_file(tensors, saved / "model.safetensors", metadata={"format": "pt"})
        model = BertModel.from_pretrained(saved)
        model(token_ids())
        assert all(parameter.data_ptr() % 64 == 0 for parameter in model.parameters())
        assert same_weights(model, tiny(BertForPreTraining).bert)

    def test_the_parameters_stay_the_same_objects(self, saved: Path) -> None:
        model = BertModel.from_pretrained(saved)
        before = dict(model.named_parameters())
        model(token_ids())
        assert all(parameter is before[name] for name, parameter in model.named_parameters())

    def test_a_second_forward_moves_nothing(self, saved: Path) -> None:
        model = BertModel.from_pretrained(saved)
        model(token_ids())
        before = [parameter.data_ptr() for parameter in model.parameters()]
        model(token_ids())
        assert [parameter.data_ptr() for parameter in model.parameters()] == before

    @pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
    def test_a_change_of_dtype_before_the_first_forward_holds(self, saved: Path, dtype: torch.dtype) -> None:
        model = BertModel.from_pretrained(saved).to(dtype)
        assert model(token_ids()).last_hidden_state.dtype == dtype
        assert {parameter.dtype for parameter in model.parameters()} == {dtype}


class TestNumbersThatAreNone:
    @pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
    @pytest.mark.parametrize(
        "name", ["bert.embeddings.word_embeddings.weight", "bert.encoder.layer.1.output.dense.bias"]
    )
    def test_they_are_refused_by_name_at_the_first_forward(self, saved: Path, name: str, value: float) -> None:
        put(saved, name, value)
        model = BertForPreTraining.from_pretrained(saved)
        with pytest.raises(ValueError, match="holds 1 values that are NaN or infinite") as caught:
            model(token_ids())
        assert str(caught.value).startswith(f"{name} of {saved} holds")
        assert "use an earlier checkpoint" in str(caught.value)

    def test_they_are_refused_in_a_head_too_before_any_arithmetic(
        self, saved: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(saved, "cls.predictions.transform.dense.weight", float("nan"))
        model = BertForMaskedLM.from_pretrained(saved)

        def too_late(*_: Tensor) -> Tensor:
            pytest.fail("arithmetic had begun")

        monkeypatch.setattr(model.bert.embeddings, "forward", too_late)
        with pytest.raises(ValueError, match=r"cls\.predictions\.transform\.dense\.weight of"):
            model(token_ids())

    def test_they_are_refused_again_at_every_further_try(self, saved: Path) -> None:
        put(saved, "bert.pooler.dense.bias", float("nan"))
        model = BertModel.from_pretrained(saved)
        for _ in range(2):
            with pytest.raises(ValueError, match=r"pooler\.dense\.bias"):
                model(token_ids())

    def test_plus_and_minus_infinity_do_not_cancel(self, saved: Path) -> None:
        tensors = load_file(saved / "model.safetensors")
        tensors["bert.pooler.dense.bias"][:2] = torch.tensor([float("inf"), float("-inf")])
        save_file(tensors, saved / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(ValueError, match="holds 2 values"):
            BertModel.from_pretrained(saved)(token_ids())

    def test_enormous_numbers_are_numbers(self, saved: Path) -> None:
        tensors = load_file(saved / "model.safetensors")
        tensors["cls.predictions.bias"][:] = torch.finfo(torch.float32).max  # their sum overflows
        save_file(tensors, saved / "model.safetensors", metadata={"format": "pt"})
        assert BertModel.from_pretrained(saved)(token_ids())[0].isfinite().all()
        assert BertForMaskedLM.from_pretrained(saved)(token_ids()).logits.isfinite().all()

    def test_a_checkpoint_of_another_dtype_is_checked_too(self, saved: Path) -> None:
        put(saved, "bert.pooler.dense.weight", float("nan"))
        model = BertModel.from_pretrained(saved, torch_dtype=torch.float16)
        with pytest.raises(ValueError, match=r"pooler\.dense\.weight"):
            model(token_ids())

    def test_a_models_own_numbers_are_not_questioned(self) -> None:
        model = tiny(BertModel)
        model.pooler.dense.bias.data[0] = float("nan")
        assert model(token_ids()).pooler_output.isnan().any()
