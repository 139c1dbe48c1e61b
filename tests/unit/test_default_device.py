"""Whatever the default device is, what lies on the CPU stays there: under the strictest, meta, a tensor made without saying where has no numbers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from minibert import (
    BertConfig,
    BertForMaskedLM,
    BertForQuestionAnswering,
    BertLMHeadModel,
    BertModel,
    BertTokenizer,
    fast,
)
from minibert.microscope.compare import compare
from minibert.optim import AdamW
from minibert.pipelines import pipeline
from tests.unit.fast.test_training_steps import BATCHES, model_of
from tests.unit.tiny_bert import BUNDLED, same_weights, text_batch, tiny

TEXTS = ["He shook his [MASK], and said no.", "Rain fell [MASK]."]


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer.from_pretrained(BUNDLED)


@pytest.fixture(scope="module")
def decoder() -> Any:
    return BertLMHeadModel.from_pretrained(BUNDLED, is_decoder=True).eval()


def both(work: Callable[[], Any]) -> tuple[Any, Any]:
    """What it gives as ever, and under the other default device; from one seed."""
    torch.manual_seed(0)
    expected = work()
    torch.manual_seed(0)
    with torch.device("meta"):
        return work(), expected


@pytest.mark.parametrize("path", ["eager", "sdpa", "packed"])
@pytest.mark.parametrize("model_class", BATCHES)
def test_a_step_of_training(model_class: Any, path: str) -> None:
    model = model_of(model_class, attn_implementation=path, hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)

    def step(context: Callable[..., Any]) -> list[Tensor]:
        model.zero_grad()
        with context(model):
            loss = model(**BATCHES[model_class]).loss
        loss.backward()
        return [loss.detach(), *(p.grad for p in model.parameters() if p.grad is not None)]

    for context in (fast.linear, fast.training):
        found, expected = both(lambda context=context: step(context))
        assert all(map(torch.equal, found, expected))


@pytest.mark.parametrize("positions", ["relative_key", "relative_key_query"])
def test_relative_positions(positions: str) -> None:
    model, batch = tiny(BertModel, position_embedding_type=positions), text_batch()
    found, expected = both(lambda: model(**batch).last_hidden_state)
    assert torch.equal(found, expected)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_beams": 3},
        {"do_sample": True, "top_k": 9, "top_p": 0.9},
        {"fast": True},
        {"fast": True, "num_beams": 2},
        {"repetition_penalty": 2.0, "no_repeat_ngram_size": 2, "bad_words_ids": [[5]], "min_length": 9},
    ],
    ids=str,
)
def test_generation(decoder: Any, tokenizer: BertTokenizer, options: dict[str, Any]) -> None:
    prompt = tokenizer("He shook his", return_tensors="pt")
    found, expected = both(lambda: decoder.generate(**prompt, max_new_tokens=6, **options))
    assert torch.equal(found, expected)


def test_texts_that_run_alone(tokenizer: BertTokenizer, decoder: Any) -> None:
    batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with fast.same_in_any_batch(decoder):
        found, expected = both(lambda: decoder(**batch).logits)
    assert torch.equal(found, expected)


def test_pipelines(tokenizer: BertTokenizer) -> None:
    words = pipeline("fill-mask", model=BertForMaskedLM.from_pretrained(BUNDLED), tokenizer=tokenizer)
    found, expected = both(lambda: words(TEXTS, batch_size=2))
    assert found == expected
    torch.manual_seed(0)
    reader = BertForQuestionAnswering(BertConfig.from_pretrained(BUNDLED)).eval()
    answers = pipeline("question-answering", model=reader, tokenizer=tokenizer)
    found, expected = both(lambda: answers(question="Who came?", context="One evening Ada came."))
    assert found == expected


@pytest.mark.parametrize("implementation", ["plain", "blocked", "fused"])
def test_the_optimizer(implementation: str) -> None:
    def step() -> list[Tensor]:
        parameter = torch.nn.Parameter(torch.linspace(-1, 1, 6, device="cpu"))
        optimizer = AdamW([parameter], implementation=implementation)
        parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        return [parameter.detach()]

    found, expected = both(step)
    assert all(map(torch.equal, found, expected))


def test_heads_cut_out_and_words_added() -> None:
    def cut() -> BertModel:
        model = copy.deepcopy(original)
        model.prune_heads({0: [1], 1: [0, 2]})
        model.resize_token_embeddings(120)
        return model

    original = tiny(BertModel)
    found, expected = both(cut)
    assert same_weights(found, expected)


def test_two_models_compared() -> None:
    a, b, batch = tiny(BertModel), tiny(BertModel, seed=1), text_batch()
    found, expected = both(lambda: str(compare(copy.deepcopy(a), copy.deepcopy(b), inputs=batch, copy_weights=True)))
    assert found == expected
