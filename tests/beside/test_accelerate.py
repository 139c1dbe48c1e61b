"""Accelerate prepares a model of minibert as it is."""

from __future__ import annotations

import pytest
import torch
from torch.utils.data import DataLoader

from minibert import AdamW, BertForMaskedLM, BertForSequenceClassification, BertTokenizer, DataCollatorWithPadding
from tests.beside.page import run

accelerate = pytest.importorskip("accelerate")


@pytest.fixture(autouse=True)
def _fresh_state() -> None:
    from accelerate.state import AcceleratorState, GradientState

    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()


def test_the_program_of_the_page_trains_to_the_bits_of_a_loop_without_it() -> None:
    torch.manual_seed(1)
    names = run("Accelerate")
    torch.manual_seed(1)
    model = BertForSequenceClassification.from_pretrained("novels-4l-256h", num_labels=2).train()
    batches = DataLoader(names["rows"], batch_size=4, collate_fn=DataCollatorWithPadding(names["tokenizer"]))
    optimizer = AdamW(model.parameters(), lr=1e-4)
    for batch in batches:
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert torch.equal(names["loss"], loss)
    saved = BertForSequenceClassification.from_pretrained("my-bert")
    for name, parameter in model.named_parameters():
        assert torch.equal(saved.get_parameter(name), parameter), name


def test_in_bfloat16_outputs_come_back_in_float32_under_their_names_and_the_state_is_saved() -> None:
    accelerator = accelerate.Accelerator(mixed_precision="bf16")
    model = accelerator.prepare(BertForMaskedLM.from_pretrained("novels-4l-256h"))
    inputs = BertTokenizer.from_pretrained("novels-4l-256h")("He shook his [MASK].", return_tensors="pt")
    outputs = model(**inputs, labels=inputs.input_ids)
    assert list(outputs) == ["loss", "logits"]
    assert outputs.logits.dtype == torch.float32
    assert list(accelerator.gather(outputs)) == ["loss", "logits"]
    accelerator.save_state("state")
    accelerator.load_state("state")
    accelerator.unwrap_model(model).save_pretrained("my-bert", save_function=accelerator.save)
    assert not BertForMaskedLM.from_pretrained("my-bert").loading_report.needs_attention
