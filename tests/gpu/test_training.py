"""Training on a GPU: the commands, a run that was stopped, nccl, and the optimizer."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from click.testing import CliRunner
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from minibert import BertForPreTraining
from minibert.cli import main
from minibert.optim import AdamW
from minibert.training.distributed import Processes, best_device, full_weights, load_full_weights
from tests.unit.tiny_bert import text_batch, tiny
from tests.unit.training.small_run import command, config_file, corpus, log_of


def run(*words: str) -> str:
    result = CliRunner().invoke(main, [*words])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_best_device_is_the_gpu() -> None:
    assert best_device() == torch.device("cuda", 0)
    assert Processes.alone().device.type == "cuda"


def pretrain_words(folder: Path, out: str, *more: str) -> list[str]:
    return command(folder, out, *more)[2:]


def test_pretraining_begins_with_the_losses_of_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_file(tmp_path, corpus(tmp_path))
    run(*pretrain_words(tmp_path, "gpu"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    run(*pretrain_words(tmp_path, "cpu"))
    on_gpu, on_cpu = (
        [line["evaluation_loss"] for line in log_of(tmp_path / out) if "evaluation_loss" in line]
        for out in ("gpu", "cpu")
    )
    assert len(on_gpu) == 2
    assert on_gpu == pytest.approx(on_cpu, rel=1e-3)


@pytest.mark.parametrize("way", [(), ("--plain",), ("--attention", "sdpa"), ("--attention", "packed")], ids=str)
def test_a_run_that_was_stopped_reaches_the_bits_of_one_that_was_not(
    tmp_path: Path, way: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file(tmp_path, corpus(tmp_path), dropout=0.1)
    run(*pretrain_words(tmp_path, "whole", *way))
    steps = 0
    step = AdamW.step

    def stopping(self: AdamW, *args: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == 17:
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, *args)

    monkeypatch.setattr(AdamW, "step", stopping)
    assert CliRunner().invoke(main, pretrain_words(tmp_path, "stopped", *way)).exit_code == 130
    monkeypatch.setattr(AdamW, "step", step)
    run(*pretrain_words(tmp_path, "stopped", *way))
    whole, stopped = (
        BertForPreTraining.from_pretrained(tmp_path / out / "model").state_dict() for out in ("whole", "stopped")
    )
    assert all(torch.equal(whole[name], stopped[name]) for name in whole)


def test_bfloat16_trains(tmp_path: Path) -> None:
    config_file(tmp_path, corpus(tmp_path))
    run(*pretrain_words(tmp_path, "out", "--precision", "bfloat16"))
    losses = [line["evaluation_loss"] for line in log_of(tmp_path / "out") if "evaluation_loss" in line]
    assert losses[1] < losses[0]


@pytest.mark.parametrize("way", [(), ("--fast",), ("--fast", "--precision", "bfloat16")], ids=str)
def test_a_classifier_is_fine_tuned_evaluated_and_asked(tmp_path: Path, way: tuple[str, ...]) -> None:
    file = tmp_path / "examples.csv"
    lines = [f"It was {word} {i}.,{label}" for i in range(40) for word, label in (("good", "yes"), ("bad", "no"))]
    file.write_text("text,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    out = tmp_path / "out"
    said = run(
        "finetune",
        "classify",
        "--train",
        str(file),
        "--eval-share",
        "0.25",
        "--out",
        str(out),
        "--batch-size",
        "8",
        "--epochs",
        "4",
        *way,
    )
    assert "accuracy 1.000" in said, said
    answer = run("predict", "It was good 99.", "--model", str(out / "model"))
    assert "yes" in answer


@pytest.fixture
def group() -> Iterator[None]:
    """nccl, with one process."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29511"}
    torch.cuda.set_device(0)
    dist.init_process_group("nccl", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def batch() -> dict[str, Tensor]:
    words = text_batch()["input_ids"]
    columns = {**text_batch(), "labels": words, "next_sentence_label": torch.tensor([0, 1])}
    return {name: column.cuda() for name, column in columns.items()}


@pytest.mark.usefixtures("group")
def test_over_nccl_gradients_are_the_models_own() -> None:
    model = tiny(BertForPreTraining).cuda()
    model(**batch()).loss.backward()
    expected = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    wrapped = DistributedDataParallel(model, device_ids=[0])
    wrapped(**batch()).loss.backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name])
    assert Processes(0, 2, torch.device("cuda", 0)).sum(1.5, 2.0) == [1.5, 2.0]  # over the one process that is there


@pytest.mark.usefixtures("group")
def test_sharded_weights_are_put_together_and_loaded() -> None:
    model, other = tiny(BertForPreTraining).cuda(), tiny(BertForPreTraining, seed=1).cuda()
    expected = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    mesh = init_device_mesh("cuda", (1,))
    for module in (model, other):
        for shard in (*module.bert.encoder.layer, module):
            fully_shard(shard, mesh=mesh)
    found = full_weights(model)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    load_full_weights(other, found)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in full_weights(other).items())
    optimizer, losses = AdamW(other.parameters(), lr=1e-3), []
    for _ in range(3):
        loss = other(**batch()).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[2] < losses[0]


@pytest.mark.parametrize("implementation", ["plain", "blocked", "fused"])
def test_adamw_takes_the_steps_of_the_cpu(implementation: str) -> None:
    found = []
    for device in ("cpu", "cuda"):
        model = tiny(BertForPreTraining).to(device)
        optimizer = AdamW(model.parameters(), lr=1e-2, weight_decay=0.1, implementation=implementation)
        for _ in range(3):
            model(**{name: column.to(device) for name, column in batch().items()}).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        found.append({name: tensor.cpu() for name, tensor in model.state_dict().items()})
    for name, expected in found[0].items():
        torch.testing.assert_close(found[1][name], expected, rtol=1e-3, atol=1e-3)
