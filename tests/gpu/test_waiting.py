"""A GPU works behind the program, which must not stop to read a number in every forward; and what the checks find, the GPU itself says."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable

import pytest
import torch
from model_table import MODELS, Row
from side_by_side import model_pair

from minibert import fast
from minibert.optim import AdamW
from tests.gpu.numbers import on_gpu


def waits(work: Callable[[], object]) -> int:
    """How often the program stops until the GPU has done what it was asked."""
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            work()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in caught)


def test_reading_a_number_is_counted() -> None:
    assert waits(lambda: torch.ones(1, device="cuda").item()) == 1


@pytest.mark.parametrize("path", ["eager", "sdpa"])
@pytest.mark.parametrize("row", MODELS, ids=str)
def test_no_forward_or_backward_pass_waits(row: Row, path: str) -> None:
    ours, _ = model_pair(row.class_name, path, **row.fields)
    model, inputs = ours.cuda().train(), on_gpu(row.inputs())

    def step() -> None:
        outputs = model(**inputs)
        (outputs.loss if "loss" in outputs else outputs.last_hidden_state.sum()).backward()

    step()  # what is made once
    assert waits(step) == 0


@pytest.mark.parametrize("implementation", ["blocked", "fused"])
def test_a_step_of_adamw_does_not_wait(implementation: str) -> None:
    ours, _ = model_pair("BertModel", "eager")
    model = ours.cuda()
    optimizer = AdamW(model.parameters(), implementation=implementation)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    assert waits(optimizer.step) == 0


def test_packing_waits_once_for_the_lengths() -> None:
    row = next(row for row in MODELS if row.class_name == "BertModel")
    ours, _ = model_pair("BertModel", "eager")
    model, inputs = ours.cuda(), on_gpu(row.inputs())
    with torch.no_grad(), fast.packed(model):
        model(**inputs)
        assert waits(lambda: model(**inputs)) <= 4  # the mask comes, and the places of the tokens go back


def test_fast_training_waits_for_nothing_but_the_labels() -> None:
    row = next(row for row in MODELS if row.class_name == "BertForPreTraining")
    ours, _ = model_pair("BertForPreTraining", "eager")
    model, inputs = ours.cuda().train(), on_gpu(row.inputs())

    def step() -> None:
        with fast.training(model):
            assert model.config.attn_implementation == "sdpa"
            model(**inputs).loss.backward()

    step()
    assert waits(step) <= 4  # how many there are in a row, and twice which they are
    assert model.config.attn_implementation == "eager"


WRONG_ID = """
import torch, minibert
model = minibert.BertModel(minibert.BertConfig(vocab_size=99, hidden_size=32, num_hidden_layers=1, num_attention_heads=2)).cuda()
ids = torch.full((1, 4), {id}).cuda()
print(float(model(ids).last_hidden_state.sum()))
"""


@pytest.mark.parametrize(("number", "right"), [(98, True), (99, False), (-1, False)])
def test_an_id_that_is_in_no_table_ends_the_program_with_a_message(number: int, right: bool) -> None:
    run = subprocess.run(
        [sys.executable, "-c", WRONG_ID.format(id=number)], capture_output=True, text=True, check=False
    )
    assert (run.returncode == 0) == right
    assert ("An id of input_ids is not in 0 to 98: the vocabulary has 99." in run.stderr) != right
