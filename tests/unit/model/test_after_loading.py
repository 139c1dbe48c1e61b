"""When `from_pretrained` returns, loading is over: weights in memory of their own, finite, and no file any more."""

import copy
import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from hypothesis import given, settings, strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from minibert import BertForMaskedLM, BertForPreTraining, BertModel
from minibert.checkpoints import CheckpointError
from tests.forks import company
from tests.unit.tiny_bert import same_weights, text_batch, tiny, tiny_config, token_ids

FORMS = ["safetensors", "shards", "bin", "legacy bin"]


def save(folder: Path, form: str = "safetensors") -> Path:
    """A folder with a tiny pre-training model."""
    model = tiny(BertForPreTraining)
    model.save_pretrained(
        folder,
        safe_serialization=not form.endswith("bin"),
        max_shard_size=20_000 if form == "shards" else None,
    )
    if form == "legacy bin":
        torch.save(model.tensors_to_save(), folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    return folder


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save(tmp_path)


def weight_files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix in (".safetensors", ".bin")]


def overwrite(folder: Path) -> None:
    """Set every byte to one without replacing a file, as a careless program might."""
    for path in weight_files(folder):
        with open(path, "rb+") as file:
            file.write(b"\1" * path.stat().st_size)


def shorten(folder: Path) -> None:
    """Whoever touches a mapped page of what is gone is killed by the system."""
    for path in weight_files(folder):
        os.truncate(path, 10)


def remove(folder: Path) -> None:
    for path in weight_files(folder):
        path.unlink()


def put(folder: Path, name: str, value: float) -> None:
    """Write one value into a tensor of a checkpoint."""
    tensors = load_file(folder / "model.safetensors")
    tensors[name].flatten()[-1] = value
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


class TestTheFile:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("disaster", [overwrite, shorten, remove])
    def test_what_happens_to_it_changes_nothing(
        self, tmp_path: Path, form: str, disaster: Callable[[Path], None]
    ) -> None:
        model = BertForPreTraining.from_pretrained(save(tmp_path, form))
        disaster(tmp_path)
        expected = tiny(BertForPreTraining)
        assert same_weights(model, expected)
        for found, wanted in zip(model(**text_batch())[:2], expected(**text_batch())[:2], strict=True):
            assert torch.equal(found, wanted)

    @pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux tells what is mapped")
    @pytest.mark.parametrize("form", FORMS)
    def test_no_mapping_of_it_is_left(self, tmp_path: Path, form: str) -> None:
        model = BertForPreTraining.from_pretrained(save(tmp_path, form))
        assert str(tmp_path) not in Path("/proc/self/maps").read_text()
        assert model.training is False

    @pytest.mark.parametrize("form", FORMS)
    def test_changing_a_weight_never_writes_to_it(self, tmp_path: Path, form: str) -> None:
        save(tmp_path, form)
        before = {path: path.read_bytes() for path in weight_files(tmp_path)}
        model = BertModel.from_pretrained(tmp_path)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(7)
        assert {path: path.read_bytes() for path in weight_files(tmp_path)} == before

    def test_a_model_can_be_saved_over_it(self, saved: Path) -> None:
        model = BertForPreTraining.from_pretrained(saved)
        model.save_pretrained(saved)
        assert same_weights(BertForPreTraining.from_pretrained(saved), model)
        assert same_weights(model, tiny(BertForPreTraining))

    def test_two_models_of_one_file_are_independent(self, saved: Path) -> None:
        first, second = BertModel.from_pretrained(saved), BertModel.from_pretrained(saved)
        first.pooler.dense.weight.data.zero_()
        assert second.pooler.dense.weight.any()

    def test_a_pickled_model_is_whole(self, saved: Path) -> None:
        twin = pickle.loads(pickle.dumps(BertForPreTraining.from_pretrained(saved)))
        overwrite(saved)
        assert same_weights(twin, tiny(BertForPreTraining))


class TestMemory:
    @pytest.mark.parametrize("model_class", [BertModel, BertForPreTraining])
    def test_weights_start_at_multiples_of_64_bytes(self, saved: Path, model_class: type[BertModel]) -> None:
        tensors = {"a": torch.ones(1, dtype=torch.uint8), **load_file(saved / "model.safetensors"), "b": torch.ones(3)}
        save_file(tensors, saved / "model.safetensors", metadata={"format": "pt"})  # a file where they do not
        model = model_class.from_pretrained(saved)
        assert all(parameter.data_ptr() % 64 == 0 for parameter in model.parameters())
        assert same_weights(model.base_model, tiny(BertForPreTraining).bert)

    def test_each_has_a_storage_of_exactly_its_size(self, saved: Path) -> None:
        for parameter in BertForPreTraining.from_pretrained(saved).parameters():
            assert parameter.untyped_storage().nbytes() == parameter.nbytes

    @pytest.mark.parametrize("form", FORMS)
    def test_a_model_built_on_another_device_is_loaded_there(self, tmp_path: Path, form: str) -> None:
        save(tmp_path, form)
        with torch.device("meta"):
            model = BertModel.from_pretrained(tmp_path, torch_dtype=torch.bfloat16)
        assert {(p.device.type, p.dtype) for p in model.parameters()} == {("meta", torch.bfloat16)}

    def test_a_forward_moves_nothing(self, saved: Path) -> None:
        model = BertModel.from_pretrained(saved)
        before = {name: (id(p), p.data_ptr(), p._version) for name, p in model.named_parameters()}
        model(token_ids())
        assert {name: (id(p), p.data_ptr(), p._version) for name, p in model.named_parameters()} == before

    def test_a_model_first_asked_in_inference_mode_can_be_trained(self, saved: Path) -> None:
        model = BertModel.from_pretrained(saved)
        with torch.inference_mode():
            model(token_ids())
        assert not any(parameter.is_inference() for parameter in model.parameters())
        model(token_ids()).last_hidden_state.sum().backward()
        assert all(parameter.grad is not None for parameter in model.encoder.parameters())


SHARED = """
import sys
import torch.multiprocessing as mp
from minibert import BertModel

def work(model, done):
    model(torch.tensor([[2, 5, 3]]))
    with torch.no_grad():
        model.embeddings.LayerNorm.bias.fill_(7.0)
    done.set()

if __name__ == "__main__":
    import torch
    torch.set_num_threads(1)
    for how in ("fork", "spawn"):
        model = BertModel.from_pretrained(sys.argv[1])
        model.share_memory()
        context = mp.get_context(how)
        done = context.Event()
        worker = context.Process(target=work, args=(model, done))
        worker.start()
        worker.join()
        model(torch.tensor([[2, 3]]))
        assert all(parameter.is_shared() for parameter in model.parameters()), how
        assert (model.embeddings.LayerNorm.bias == 7.0).all(), how
else:
    import torch
"""


class TestBeforeTheFirstForward:
    """What holds on to a parameter's memory then holds it afterwards too, as in any other PyTorch model."""

    @pytest.mark.slow
    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
    def test_a_workers_update_of_shared_memory_is_kept(self, saved: Path, tmp_path: Path) -> None:
        (tmp_path / "shared.py").write_text(SHARED)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, str(tmp_path / "shared.py"), str(saved)], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    def test_a_state_dict_stays_the_models(self, saved: Path) -> None:
        model = BertModel.from_pretrained(saved)
        state = model.state_dict()
        model(token_ids())
        state["embeddings.LayerNorm.bias"].fill_(7)
        assert (model.embeddings.LayerNorm.bias == 7).all()

    def test_a_flat_vector_stays_the_models(self, saved: Path) -> None:
        model = BertModel.from_pretrained(saved)
        vector = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
        nn.utils.vector_to_parameters(vector, model.parameters())
        model(token_ids())
        vector.zero_()
        assert not any(parameter.any() for parameter in model.parameters())

    def test_data_handed_on_stays_shared(self, saved: Path) -> None:
        first, second = BertModel.from_pretrained(saved), BertModel.from_pretrained(saved)
        second.embeddings.LayerNorm.bias.data = first.embeddings.LayerNorm.bias.data
        first(token_ids())
        second(token_ids())
        first.embeddings.LayerNorm.bias.data.fill_(7)
        assert (second.embeddings.LayerNorm.bias == 7).all()

    @pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
    def test_a_change_of_dtype_holds(self, saved: Path, dtype: torch.dtype) -> None:
        model = BertModel.from_pretrained(saved).to(dtype)
        assert model(token_ids()).last_hidden_state.dtype == dtype
        assert {parameter.dtype for parameter in model.parameters()} == {dtype}

    def test_a_student_may_put_nan_into_a_weight(self, saved: Path) -> None:
        model = BertModel.from_pretrained(saved)
        model.pooler.dense.bias.data[0] = float("nan")
        assert model(token_ids()).pooler_output.isnan().any()


def two_steps_of_one_of_two(folder: Path) -> None:
    """Print a hash of the weights before and after: the same in each process, which sees other words."""
    from torch.distributed.optim import ZeroRedundancyOptimizer  # a second, that no other test needs

    rank = int(os.environ["RANK"])
    dist.init_process_group("gloo")
    model = BertModel.from_pretrained(folder).train()
    before = hash_of(model)
    parallel = DistributedDataParallel(model, find_unused_parameters=True, gradient_as_bucket_view=True)
    optimizer = ZeroRedundancyOptimizer(
        model.parameters(), optimizer_class=torch.optim.SGD, lr=0.1, parameters_as_bucket_view=True
    )
    for _ in range(2):
        parallel(torch.tensor([[2, 5 + rank, 3]])).last_hidden_state.square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    print(before, hash_of(model))
    dist.barrier()
    dist.destroy_process_group()


def hash_of(model: nn.Module) -> str:
    return hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in model.parameters())).hexdigest()


@pytest.mark.slow(5)
@pytest.mark.skipif(sys.platform == "win32", reason="PyTorch's processes on Windows need another set-up")
def test_ranks_with_one_shared_optimizer_end_with_the_same_weights(saved: Path, tmp_path: Path) -> None:
    codes, output = company(partial(two_steps_of_one_of_two, saved), tmp_path / "printed.txt")
    assert codes == [0, 0], output
    one, two = output.splitlines()[-2:]
    assert one == two
    before, after = one.split()
    assert before != after


class TestFunctionTransforms:
    """torch.func on a model that was only just loaded."""

    def embedded(self) -> Tensor:
        torch.manual_seed(0)
        return torch.randn(1, 4, 32)

    @pytest.mark.parametrize(
        "transform", [torch.func.grad, torch.func.jacrev, torch.func.hessian], ids=["grad", "jacrev", "hessian"]
    )
    def test_of_the_input(self, saved: Path, transform: Callable[..., Callable[[Tensor], Tensor]]) -> None:
        def first_numbers(model: BertModel) -> Tensor:
            return transform(lambda e: model(inputs_embeds=e).pooler_output[0, 0])(self.embedded())

        model = BertModel.from_pretrained(saved)
        assert torch.equal(first_numbers(model), first_numbers(tiny(BertForPreTraining).bert.eval()))
        model(token_ids()).pooler_output.sum().backward()
        assert model.pooler.dense.weight.grad is not None

    def test_of_the_parameters(self, saved: Path) -> None:
        model = BertModel.from_pretrained(saved)
        parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}

        def loss(values: dict[str, Tensor]) -> Tensor:
            return torch.func.functional_call(model, values, (token_ids(),)).pooler_output.sum()

        gradients = torch.func.grad(loss)(parameters)
        loss(dict(model.named_parameters())).backward()
        for name, parameter in model.named_parameters():
            assert torch.allclose(gradients[name], parameter.grad, atol=1e-6)

    @pytest.mark.parametrize("of_what", ["vjp", "jvp", "jacfwd", "vmap"])
    def test_forwards_and_backwards(self, saved: Path, of_what: str) -> None:
        """As the first thing that a loaded model does, and again after a forward: the same numbers."""

        def numbers(model: BertModel) -> Tensor:
            def forward(embedded: Tensor) -> Tensor:
                return model(inputs_embeds=embedded).last_hidden_state

            ways: dict[str, Callable[[], Tensor]] = {
                "vjp": lambda: torch.func.vjp(forward, self.embedded())[1](torch.ones(1, 4, 32))[0],
                "jvp": lambda: torch.func.jvp(forward, (self.embedded(),), (torch.ones(1, 4, 32),))[1],
                "jacfwd": lambda: torch.func.jacfwd(lambda e: forward(e)[0, 0, :2])(self.embedded()),
                "vmap": lambda: torch.func.vmap(forward)(self.embedded().expand(3, 1, 4, 32)),
            }
            return ways[of_what]().detach()

        model = BertModel.from_pretrained(saved)
        first = numbers(model)
        overwrite(saved)
        assert torch.equal(first, numbers(model))
        assert torch.equal(first, numbers(tiny(BertForPreTraining).bert.eval()))

    def test_functionalized(self, saved: Path) -> None:
        model = BertModel.from_pretrained(saved)
        ids = token_ids()
        assert torch.equal(torch.func.functionalize(lambda i: model(i)[0])(ids), model(ids)[0])


IDS = token_ids().clamp(max=80)  # some stay words of a vocabulary that was cut


def _step(model: BertModel) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(IDS).last_hidden_state.square().sum().backward()
    optimizer.step()
    optimizer.zero_grad()


def _flatten(model: BertModel) -> None:
    parameters = list(model.parameters())
    flat = torch.cat([parameter.detach().flatten() for parameter in parameters])
    nn.utils.vector_to_parameters(flat, parameters)
    flat.mul_(1.1)


def _scale_state(model: BertModel) -> None:
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            tensor.mul_(0.9)


def _swap_pooler(model: BertModel) -> None:
    twin = copy.deepcopy(model)
    model.pooler = twin.pooler


def _load_a_state(model: BertModel) -> None:
    """Every weight times 1.5; positions and segments are counted, and keep their numbers."""
    state = model.state_dict()
    model.load_state_dict({name: t * 1.5 if t.is_floating_point() else t for name, t in state.items()})


def _look(*_: object) -> None:
    """A hook that changes nothing."""


def _compile(model: BertModel) -> None:
    torch.compile(model, backend="eager")(IDS)


def _gradient_of_input(model: BertModel) -> None:
    embedded = model.embeddings.word_embeddings.weight[IDS].detach().to(model.dtype)
    torch.func.grad(lambda e: model(inputs_embeds=e).last_hidden_state.sum())(embedded)


def _bucket_views(model: BertModel) -> None:
    """Parameters become views of one flat buffer, as `ZeroRedundancyOptimizer` makes them."""
    parameters = list(model.parameters())
    bucket, start = torch.empty(sum(p.numel() for p in parameters), dtype=model.dtype), 0
    for parameter in parameters:
        view = bucket[start : start + parameter.numel()].view_as(parameter)
        view.copy_(parameter.data)
        parameter.data, start = view, start + parameter.numel()
    bucket.mul_(1.25)


def _give_data_back(model: BertModel) -> None:
    for parameter in model.parameters():
        parameter.data = parameter.data.clone()


OPERATIONS: dict[str, Callable[[BertModel], object]] = {
    "forward": lambda model: model(IDS),
    "compile": _compile,
    "gradient of the input": _gradient_of_input,
    "bucket views": _bucket_views,
    "data of one's own": _give_data_back,
    "copy": lambda model: copy.deepcopy(model)(IDS),
    "pickle": lambda model: pickle.loads(pickle.dumps(model))(IDS),
    "a hook": lambda model: model.pooler.register_forward_hook(_look),
    "forward without gradients": torch.no_grad()(lambda model: model(IDS)),
    "inference": torch.inference_mode()(lambda model: model(IDS)),
    "step": _step,
    "flatten": _flatten,
    "scale the state": _scale_state,
    "load a state": _load_a_state,
    "share": lambda model: model.share_memory(),
    "float64": lambda model: model.double(),
    "float32": lambda model: model.float(),
    "swap the pooler": _swap_pooler,
    "prune": lambda model: model.prune_heads({0: {1}}),
    "resize": lambda model: model.resize_token_embeddings(90),
}


@settings(deadline=None)
@given(st.lists(st.sampled_from(sorted(OPERATIONS)), max_size=5), st.sampled_from([overwrite, shorten, remove]))
def test_no_sequence_of_operations_depends_on_the_file(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], disaster: Callable[[Path], None]
) -> None:
    """A loaded model and a built one with the same weights go the same way, whatever is done to them and to the file."""
    folder = save(tmp_path_factory.mktemp("law"))
    loaded = BertModel.from_pretrained(folder)
    built = BertModel(tiny_config()).eval()
    built.load_state_dict(tiny(BertForPreTraining).bert.state_dict())
    disaster(folder)
    for name in names:
        for model in (loaded, built):
            OPERATIONS[name](model)
    assert same_weights(loaded, built)
    assert torch.equal(loaded(IDS).last_hidden_state, built(IDS).last_hidden_state)


class TestNumbersThatAreNone:
    @pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
    @pytest.mark.parametrize(
        "name", ["bert.embeddings.word_embeddings.weight", "bert.encoder.layer.1.output.dense.bias"]
    )
    def test_they_are_refused_by_name(self, saved: Path, name: str, value: float) -> None:
        put(saved, name, value)
        for _ in range(2):
            with pytest.raises(CheckpointError, match="holds 1 values that are NaN or infinite") as caught:
                BertForPreTraining.from_pretrained(saved)
            assert str(caught.value).startswith(f"{name} of {saved / 'model.safetensors'} holds")
            assert "use an earlier checkpoint" in str(caught.value)

    def test_they_are_refused_in_a_head_too(self, saved: Path) -> None:
        put(saved, "cls.predictions.transform.dense.weight", float("nan"))
        with pytest.raises(CheckpointError, match=r"cls\.predictions\.transform\.dense\.weight of"):
            BertForMaskedLM.from_pretrained(saved)

    def test_not_in_a_tensor_that_the_model_does_not_read(self, saved: Path) -> None:
        put(saved, "cls.predictions.transform.dense.weight", float("nan"))
        assert BertModel.from_pretrained(saved)(token_ids())[0].isfinite().all()

    @pytest.mark.parametrize("form", FORMS)
    def test_they_are_refused_in_every_format(self, tmp_path: Path, form: str) -> None:
        model = tiny(BertForPreTraining)
        model.bert.pooler.dense.bias.data[3] = float("nan")
        kind = {"safe_serialization": not form.endswith("bin"), "max_shard_size": 20_000 if form == "shards" else None}
        model.save_pretrained(tmp_path, **kind)
        with pytest.raises(CheckpointError, match=r"bert\.pooler\.dense\.bias of .* holds 1 values"):
            BertForPreTraining.from_pretrained(tmp_path)

    def test_they_are_refused_in_a_state_dict(self) -> None:
        state = tiny(BertModel).state_dict()
        state["pooler.dense.bias"][:2] = torch.tensor([float("inf"), float("-inf")])  # they do not cancel
        with pytest.raises(CheckpointError, match=r"pooler\.dense\.bias of the state_dict holds 2 values"):
            BertModel.from_pretrained(None, config=tiny_config(), state_dict=state)

    def test_enormous_numbers_are_numbers(self, saved: Path) -> None:
        tensors = load_file(saved / "model.safetensors")
        tensors["cls.predictions.bias"][:] = torch.finfo(torch.float32).max  # their sum overflows
        save_file(tensors, saved / "model.safetensors", metadata={"format": "pt"})
        assert BertModel.from_pretrained(saved)(token_ids())[0].isfinite().all()
        assert BertForMaskedLM.from_pretrained(saved)(token_ids()).logits.isfinite().all()

    def test_a_checkpoint_of_another_dtype_is_checked_too(self, saved: Path) -> None:
        put(saved, "bert.pooler.dense.weight", float("nan"))
        with pytest.raises(CheckpointError, match=r"pooler\.dense\.weight.* holds 1 values that are NaN"):
            BertModel.from_pretrained(saved, torch_dtype=torch.float16)

    def test_numbers_too_large_for_the_dtype_asked_for_are_told_from_those(self, saved: Path) -> None:
        put(saved, "bert.pooler.dense.weight", 1e6)
        assert BertModel.from_pretrained(saved, torch_dtype=torch.bfloat16).pooler.dense.weight.max() > 9e5
        with pytest.raises(
            CheckpointError, match=r"pooler\.dense\.weight.* holds 1 values that are too large for torch"
        ):
            BertModel.from_pretrained(saved, torch_dtype=torch.float16)

    @pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2, torch.float64])
    def test_in_other_floating_numbers_too(self, dtype: torch.dtype) -> None:
        state = {name: tensor.to(dtype) for name, tensor in tiny(BertModel).tensors_to_save().items()}
        model = BertModel.from_pretrained(None, config=tiny_config(), state_dict=state)
        assert torch.equal(model.pooler.dense.weight, state["pooler.dense.weight"].float())
        state["pooler.dense.weight"] = torch.full((32, 32), float("nan")).to(dtype)
        with pytest.raises(CheckpointError, match=r"pooler\.dense\.weight of the state_dict holds 1024 values"):
            BertModel.from_pretrained(None, config=tiny_config(), state_dict=state)

    @pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int64, torch.bool, torch.complex64])
    def test_whole_and_complex_numbers_are_no_weights(self, saved: Path, dtype: torch.dtype) -> None:
        tensors = load_file(saved / "model.safetensors")
        tensors["bert.pooler.dense.weight"] = tensors["bert.pooler.dense.weight"].to(dtype)
        try:
            save_file(tensors, saved / "model.safetensors", metadata={"format": "pt"})
        except KeyError:
            pytest.skip(f"this safetensors is too old to write {dtype}")
        with pytest.raises(CheckpointError, match=rf"bert\.pooler\.dense\.weight of .* holds {dtype}, not floating"):
            BertModel.from_pretrained(saved)

    def test_a_models_own_numbers_are_not_questioned(self) -> None:
        model = tiny(BertModel)
        model.pooler.dense.bias.data[0] = float("nan")
        assert model(token_ids()).pooler_output.isnan().any()
