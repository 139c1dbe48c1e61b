"""Every class on the GPU: the numbers of the CPU, and those of transformers on the same GPU."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from hypothesis import given, settings
from model_table import MODELS, Row
from side_by_side import model_pair

import minibert
from minibert import fast
from tests.gpu.numbers import BFLOAT16, assert_close, numbers, on_gpu, relative_distance
from tests.property.model_cases import Case, batches, cases, lengths
from tests.unit.tiny_bert import BUNDLED

NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
TEXTS = ["He shook his head, and said no.", "Rain fell.", "It was the best of times, it was the worst of times."]


@pytest.mark.parametrize("path", ["eager", "sdpa"])
@pytest.mark.parametrize("row", MODELS, ids=str)
def test_each_class_gives_the_numbers_of_the_cpu_and_of_transformers(row: Row, path: str) -> None:
    ours, theirs = model_pair(row.class_name, path, **row.fields)
    inputs = row.inputs()
    expected = numbers(ours, inputs)
    found = numbers(ours.cuda(), on_gpu(inputs))
    assert_close(found, expected)
    assert_close(found, numbers(theirs.cuda(), on_gpu(inputs)))


@given(cases(), batches, lengths)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_random_models_give_the_numbers_of_the_cpu(case: Case, batch: int, seq: int) -> None:
    model, inputs = case.model(), case.inputs(batch, seq)
    real = inputs["attention_mask"].bool()  # where there is padding, a packed model's states are 0
    expected = model(**inputs).last_hidden_state[real]
    found = model.cuda()(**on_gpu(inputs)).last_hidden_state.cpu()[real]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("path", ["eager", "sdpa", "packed"])
def test_bfloat16_is_close_to_float32(path: str) -> None:
    model = minibert.BertForMaskedLM.from_pretrained(BUNDLED, attn_implementation=path).cuda().eval()
    batch = on_gpu(minibert.BertTokenizer.from_pretrained(BUNDLED)(TEXTS, padding=True, return_tensors="pt"))
    real = batch["attention_mask"].bool()
    with torch.no_grad():
        expected = model(**batch).logits[real]
        with torch.autocast("cuda", torch.bfloat16):
            by_products = model(**batch).logits[real]
        throughout = model.bfloat16()(**batch).logits[real]
    assert relative_distance(by_products, expected) < BFLOAT16
    assert relative_distance(throughout, expected) < BFLOAT16


@pytest.mark.parametrize("way", [fast.linear, fast.packed, fast.training])
def test_fast_equals_plain(way: object) -> None:
    model = minibert.BertForPreTraining.from_pretrained(BUNDLED, **NO_DROPOUT).cuda().train()
    batch = on_gpu(minibert.BertTokenizer.from_pretrained(BUNDLED)(TEXTS, padding=True, return_tensors="pt"))
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    labels[:, ::2] = -100
    inputs = {**batch, "labels": labels, "next_sentence_label": torch.tensor([0, 1, 0], device="cuda")}
    found = []
    for context in (nullcontext(), way(model)):
        with context:
            found.append({name: value for name, value in numbers(model, inputs).items() if "logits" not in name})
    assert_close(found[1], found[0])


@pytest.mark.parametrize(("precision", "limit"), [(torch.float32, 1e-4), (torch.bfloat16, 0.03)])
@pytest.mark.parametrize("chance", [0.0, 1e-12])
def test_packed_gradients_are_those_of_padded_texts(precision: torch.dtype, limit: float, chance: float) -> None:
    """A chance of 1e-12 drops nothing out, and goes the way of dropout. Of texts up to 300 positions, which kernels cut into blocks."""
    sizes = {"vocab_size": 50, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    dropouts = {"attention_probs_dropout_prob": chance, "hidden_dropout_prob": 0.0}
    model = minibert.BertModel(minibert.BertConfig(**sizes, **dropouts, intermediate_size=64)).cuda().train()
    for parameter in model.parameters():
        parameter.data.mul_(5.0 if parameter.dim() == 2 else 1.0)  # attention that is not even
    mask = (torch.arange(300) < torch.tensor([7, 300, 128, 7, 0, 33])[:, None]).long().cuda()
    ids = torch.randint(0, 50, mask.shape, device="cuda")
    found = []
    for context in (nullcontext(), fast.packed(model)):
        model.zero_grad()
        with context, torch.autocast("cuda", torch.bfloat16, enabled=precision == torch.bfloat16):
            states = model(ids, attention_mask=mask).last_hidden_state[mask.bool()]
        (states.float() * torch.linspace(-1, 1, states.numel(), device="cuda").view_as(states)).sum().backward()
        found.append([states, *(p.grad for p in model.parameters() if p.grad is not None)])
    for expected, packed in zip(*found, strict=True):
        assert expected.shape == packed.shape
        if float(expected.norm()) > 1e-2:  # the keys' biases change nothing
            assert relative_distance(packed, expected) < limit


def test_layers_are_compiled_beside_fast_training() -> None:
    """For two batches in turn, whose gradients are added up, before and after a step of an optimizer."""
    model, compiled = (
        minibert.BertForPreTraining.from_pretrained(BUNDLED, **NO_DROPOUT).cuda().train() for _ in range(2)
    )
    for layer in compiled.bert.encoder.layer:
        layer.compile()
    tokenizer = minibert.BertTokenizer.from_pretrained(BUNDLED)
    batches = []
    for texts in (TEXTS, [*reversed(TEXTS)]):
        batch = on_gpu(tokenizer(texts, padding=True, return_tensors="pt"))
        follows = torch.tensor([0, 1, 0], device="cuda")
        batches.append({**batch, "labels": batch["input_ids"], "next_sentence_label": follows})
    optimizers = [torch.optim.SGD(each.parameters(), lr=0.01) for each in (model, compiled)]
    for _ in range(4):
        for batch in batches:
            expected = model(**batch).loss
            expected.backward()
            with fast.training(compiled):
                found = compiled(**batch).loss
                found.backward()
            assert abs(float(found.detach()) - float(expected.detach())) < 1e-3
        for ours, theirs in zip(compiled.parameters(), model.parameters(), strict=True):
            torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-3, atol=1e-3)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()


def test_the_words_generated_are_those_of_the_cpu() -> None:
    tokenizer = minibert.BertTokenizer.from_pretrained(BUNDLED)
    model = minibert.BertLMHeadModel.from_pretrained(BUNDLED, is_decoder=True).eval()
    prompts = tokenizer(["He shook his", "The rain"], return_tensors="pt", padding=True)
    options = {"max_new_tokens": 20, "eos_token_id": None}
    for beams in (1, 3):
        expected = model.cpu().generate(**prompts, num_beams=beams, **options)
        for quickly in (False, True):
            found = model.cuda().generate(**on_gpu(prompts), num_beams=beams, fast=quickly, **options)
            assert torch.equal(found.cpu(), expected)


def test_a_compiled_model_gives_the_same() -> None:
    model = minibert.BertModel.from_pretrained(BUNDLED).cuda().eval()
    batch = on_gpu(minibert.BertTokenizer.from_pretrained(BUNDLED)(TEXTS, padding=True, return_tensors="pt"))
    with torch.no_grad():
        expected = model(**batch).last_hidden_state
        found = torch.compile(model, fullgraph=True)(**batch).last_hidden_state
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
