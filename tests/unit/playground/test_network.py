"""The page's network gives PyTorch's numbers, also where it is changed; and its stages are those of `minibert trace`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import minibert
from minibert import BertForMaskedLM, BertForPreTraining, BertTokenizer
from minibert.microscope import trace
from minibert.playground.stages import ONE_PAGE
from tests.tutorials.places import TUTORIALS
from tests.unit.tiny_bert import BUNDLED, tiny

from .pages import ask, carried, half, needs_node, tensor

pytestmark = needs_node
IDS = [2, 17, 30, 4, 55, 9, 3]
SEGMENTS = [0, 0, 0, 0, 1, 1, 1]
BLANK = 3


def answers(folder: Path, model: Any, *edits: dict[str, Any], **more: Any) -> list[Any]:
    """What the page says of the sentence, once for each set of edits."""
    asked = {"ids": IDS, "segments": SEGMENTS, "at": [BLANK], "attention": True, "raw": True, **more}
    return ask(folder, carried(model, None), [["answer", {**asked, "edits": each}] for each in edits])


def forward(model: nn.Module, ids: list[int] = IDS, segments: list[int] = SEGMENTS, **more: Any) -> Any:
    """What PyTorch says."""
    with torch.no_grad():
        return model(torch.tensor([ids]), token_type_ids=torch.tensor([segments]), output_hidden_states=True, **more)


def close(found: Tensor, expected: Tensor, within: float = 1e-4) -> bool:
    return found.shape == expected.shape and float((found - expected).abs().max()) <= within


def differently_scaled(cls: Any, **overrides: Any) -> Any:
    """A tiny model with larger weights, so that what a change does is not lost in rounding."""
    model = tiny(cls, **overrides)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(8).add_(0.02 * torch.randn_like(parameter))
    return half(model)


@pytest.mark.parametrize(
    "act",
    ["gelu", "gelu_new", "gelu_fast", "gelu_python", "relu", "silu", "quick_gelu", "mish", "tanh", "sigmoid", "linear"],
)
def test_vectors_attention_and_scores_are_pytorchs(tmp_path: Path, act: str) -> None:
    model = differently_scaled(BertForMaskedLM, hidden_act=act)
    (answer,) = answers(tmp_path, model, {})
    expected = forward(model, output_attentions=True)
    assert close(tensor(answer["raw"]["scores"])[0], expected.logits[0, BLANK])
    for found, state in zip(answer["raw"]["states"], expected.hidden_states, strict=True):
        assert close(tensor(found), state[0])
    for found, looks in zip(answer["attention"], expected.attentions, strict=True):
        assert close(tensor(found), looks[0].flatten(0, 1))


@pytest.mark.parametrize("kind", ["relative_key", "relative_key_query"])
def test_relative_positions_are_pytorchs(tmp_path: Path, kind: str) -> None:
    model = differently_scaled(BertForMaskedLM, position_embedding_type=kind)
    answer, without = answers(tmp_path, model, {}, {"positions": False})
    assert close(tensor(answer["raw"]["scores"])[0], forward(model).logits[0, BLANK], within=1e-3)
    with torch.no_grad():
        for layer in model.bert.encoder.layer:
            layer.attention.self.distance_embedding.weight.zero_()
    assert close(tensor(without["raw"]["scores"])[0], forward(model).logits[0, BLANK], within=1e-3)


def test_the_bundled_model_answers_as_it_does_in_python(tmp_path: Path) -> None:
    model, tokenizer = BertForPreTraining.from_pretrained(BUNDLED).eval(), BertTokenizer.from_pretrained(BUNDLED)
    texts = ["He shook his [MASK].", "[MASK] was a dark and stormy night; “I” — 我 — said [MASK].", "[MASK] " * 40]
    rows = [tokenizer(text)["input_ids"] for text in texts]
    blanks = [[place for place, index in enumerate(row) if index == 4] for row in rows]
    asked = [
        {"ids": row, "segments": [0] * len(row), "at": at, "raw": True} for row, at in zip(rows, blanks, strict=True)
    ]
    for answer, row, at in zip(
        ask(tmp_path, carried(model, None), [["answer", each] for each in asked]), rows, blanks, strict=True
    ):
        scores = forward(model, row, [0] * len(row)).prediction_logits[0, at]
        assert close(tensor(answer["raw"]["scores"]), scores, within=1e-3)
        assert [words[0]["id"] for words in answer["words"]] == scores.argmax(dim=-1).tolist()
        assert [words[0]["share"] for words in answer["words"]] == pytest.approx(
            scores.softmax(dim=-1).amax(dim=-1).tolist(), abs=1e-4
        )


# ------------------------------------------------------------------------------------------ the same change, made in PyTorch


@contextmanager
def hooked(module: nn.Module, hook: Callable[..., Any]) -> Iterator[None]:
    handle = module.register_forward_hook(hook)
    yield
    handle.remove()


def heads_off(model: BertForMaskedLM) -> Any:
    mask = torch.ones(2, 4)
    mask[0, 1] = mask[1, 3] = 0
    return forward(model, head_mask=mask)


def layer_off(model: BertForMaskedLM) -> Any:
    passed_over = model.bert.encoder.layer[0]
    with hooked(passed_over, lambda _, given, output: (given[0], *output[1:])):
        return forward(model)


def residual_off(place: str) -> Callable[[BertForMaskedLM], Any]:
    def change(model: BertForMaskedLM) -> Any:
        layer = model.bert.encoder.layer[1]
        part = layer.attention.output if place == "attention" else layer.output
        with hooked(part, lambda module, given, _: module.LayerNorm(module.dense(given[0]))):
            return forward(model)

    return change


def without(table: str) -> Callable[[BertForMaskedLM], Any]:
    def change(model: BertForMaskedLM) -> Any:
        with hooked(getattr(model.bert.embeddings, table), lambda _module, _given, output: torch.zeros_like(output)):
            return forward(model)

    return change


def colder(model: BertForMaskedLM) -> Any:
    handles = [
        layer.attention.self.query.register_forward_hook(lambda _module, _given, output: output / 0.25)
        for layer in model.bert.encoder.layer
    ]
    found = forward(model)
    for handle in handles:
        handle.remove()
    return found


def swapped(model: BertForMaskedLM) -> Any:
    return forward(model, position_ids=torch.tensor([[0, 5, 2, 3, 4, 1, 6]]))


def patched(layer: int) -> Callable[[BertForMaskedLM], Any]:
    def replaced(_module: nn.Module, _given: Any, output: Any) -> Any:
        states = (output if isinstance(output, Tensor) else output[0]).clone()
        states[:, BLANK] = states[:, 1]
        return states if isinstance(output, Tensor) else (states, *output[1:])

    def change(model: BertForMaskedLM) -> Any:
        with hooked(model.bert.encoder.layer[layer - 1] if layer else model.bert.embeddings, replaced):
            return forward(model)

    return change


CHANGES: dict[str, tuple[dict[str, Any], Callable[[BertForMaskedLM], Any]]] = {
    "heads off": ({"heads": ["0.1", "1.3"]}, heads_off),
    "a layer off": ({"layers": [0]}, layer_off),
    "no residual after attention": ({"residuals": ["1.attention"]}, residual_off("attention")),
    "no residual after feed-forward": ({"residuals": ["1.output"]}, residual_off("output")),
    "no positions": ({"positions": False}, without("position_embeddings")),
    "no segments": ({"segments": False}, without("token_type_embeddings")),
    "temperature": ({"temperature": 0.25}, colder),
    "swapped positions": ({"swap": [1, 5]}, swapped),
    "a vector of the embeddings": ({"vector": {"layer": 0, "at": BLANK, "from": 1}}, patched(0)),
    "a vector of layer 0": ({"vector": {"layer": 1, "at": BLANK, "from": 1}}, patched(1)),
    "a vector of the last layer": ({"vector": {"layer": 2, "at": BLANK, "from": 1}}, patched(2)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_does_what_it_does_in_pytorch(tmp_path: Path, name: str) -> None:
    edits, change = CHANGES[name]
    model = differently_scaled(BertForMaskedLM)
    plain, answer = answers(tmp_path, model, {}, edits)
    found, expected = tensor(answer["raw"]["scores"])[0], change(model)
    assert close(found, expected.logits[0, BLANK], within=1e-3)
    assert not close(found, tensor(plain["raw"]["scores"])[0], within=1e-2)
    assert close(tensor(plain["raw"]["scores"])[0], forward(model).logits[0, BLANK], within=1e-3)


# ------------------------------------------------------------------------------------------------------------- the other heads


@pytest.mark.parametrize(
    "cls",
    [
        "BertForSequenceClassification",
        "BertForTokenClassification",
        "BertForQuestionAnswering",
        "BertForNextSentencePrediction",
    ],
)
def test_a_fine_tuned_head_gives_pytorchs_scores(tmp_path: Path, cls: str) -> None:
    labels = {} if cls in ("BertForQuestionAnswering", "BertForNextSentencePrediction") else {"num_labels": 5}
    model = differently_scaled(getattr(minibert, cls), **labels)
    (answer,) = answers(tmp_path, model, {}, lens=BLANK)
    expected = forward(model)
    logits = torch.stack([expected.start_logits, expected.end_logits], dim=-1) if "Question" in cls else expected.logits
    assert close(tensor(answer["raw"]["scores"]), logits[0] if logits.dim() == 3 else logits)
    if "labels" in answer:
        assert [each["share"] for each in answer["labels"]] == pytest.approx(
            logits[0].softmax(dim=-1).tolist(), abs=1e-5
        )
    if "tags" in answer:
        assert [tags[0]["id"] for tags in answer["tags"]] == logits[0].argmax(dim=-1).tolist()
        assert answer["lens"][-1][0]["share"] == pytest.approx(float(logits[0, BLANK].softmax(dim=-1).max()), abs=1e-5)


def test_the_likeliest_span_is_the_product_of_its_ends(tmp_path: Path) -> None:
    model = differently_scaled(minibert.BertForQuestionAnswering)
    (answer,) = answers(tmp_path, model, {})
    expected = forward(model)
    start, end = (logits[0, 4:6].softmax(dim=-1) for logits in (expected.start_logits, expected.end_logits))
    table = torch.triu(start[:, None] * end[None, :])
    best = answer["spans"][0]
    assert best["share"] == pytest.approx(float(table.max()), abs=1e-5)
    assert (best["from"] - 4) * 2 + best["to"] - 4 == int(table.argmax())


def test_a_model_that_learned_that_there_may_be_no_answer_says_so_by_the_score_of_cls(tmp_path: Path) -> None:
    model = differently_scaled(minibert.BertForQuestionAnswering)
    model.config.task_specific_params = {"minibert": {"no_answer": True, "max_answer_length": 1}}
    model.qa_outputs.bias.data.zero_()
    (answer,) = answers(tmp_path, model, {})
    expected = forward(model)
    start, end = (logits[0, [0, 4, 5]].softmax(dim=-1) for logits in (expected.start_logits, expected.end_logits))
    shares = {(span["from"], span["to"]): span["share"] for span in answer["spans"]}
    wanted = {(place, place): share for place, share in zip((0, 4, 5), (start * end).tolist(), strict=True)}
    assert shares == pytest.approx(wanted, abs=1e-5)


def test_many_labels_and_one_number_are_no_shares_of_one(tmp_path: Path) -> None:
    several = differently_scaled(
        minibert.BertForSequenceClassification, num_labels=3, problem_type="multi_label_classification"
    )
    number = differently_scaled(minibert.BertForSequenceClassification, num_labels=1)
    one_of_many = differently_scaled(
        minibert.BertForSequenceClassification, num_labels=1, problem_type="multi_label_classification"
    )
    for model, of in ((several, torch.sigmoid), (number, torch.positive), (one_of_many, torch.sigmoid)):
        (answer,) = answers(tmp_path, model, {})
        assert [each["share"] for each in answer["labels"]] == pytest.approx(
            of(forward(model).logits[0]).tolist(), abs=1e-4
        )


def test_a_pruned_head_is_not_there(tmp_path: Path) -> None:
    model = differently_scaled(BertForMaskedLM)
    model.prune_heads({0: [1, 2]})
    (answer,) = answers(tmp_path, model, {})
    assert answer["attention"][0]["rows"] == 2 * len(IDS)
    assert close(tensor(answer["raw"]["scores"])[0], forward(model).logits[0, BLANK])


def test_heads_keep_their_numbers_when_others_are_pruned(tmp_path: Path) -> None:
    pruned = differently_scaled(BertForMaskedLM)
    whole = copy.deepcopy(pruned)
    last = pruned.config.num_attention_heads - 1
    pruned.prune_heads({0: [0]})
    assert carried(pruned, None)["network"]["heads"][:2] == [list(range(1, last + 1)), list(range(last + 1))]
    (found,) = answers(tmp_path, pruned, {"heads": [f"0.{last}"]})
    (expected,) = answers(tmp_path, whole, {"heads": ["0.0", f"0.{last}"]})
    assert close(tensor(found["raw"]["scores"]), tensor(expected["raw"]["scores"]))


# ------------------------------------------------------------------------------------------------------------------- the stages


@pytest.mark.parametrize(
    "cls",
    [
        "BertForPreTraining",
        "BertForMaskedLM",
        "BertForSequenceClassification",
        "BertForTokenClassification",
        "BertForQuestionAnswering",
        "BertForNextSentencePrediction",
        "BertModel",
    ],
)
def test_every_stage_of_a_trace_is_there_with_its_numbers(tmp_path: Path, cls: str) -> None:
    model = differently_scaled(getattr(minibert, cls))
    (answer,) = answers(tmp_path, model, {}, stages=True)
    with torch.no_grad(), trace(model) as record:
        model(torch.tensor([IDS]), token_type_ids=torch.tensor([SEGMENTS]))
    prefix = "bert." if cls == "BertModel" else ""
    for stage in record.stages:
        facts, found = next(iter(stage.outputs.values())), answer["stages"][f"{prefix}{stage.path}".rstrip(".")]
        assert [found[name] for name in ("mean", "std", "min", "max")] == pytest.approx(
            [facts.mean, facts.std, facts.minimum, facts.maximum], rel=1e-4, abs=1e-4
        )


def test_the_bundled_models_stages_show_the_digits_that_trace_shows(tmp_path: Path) -> None:
    model, tokenizer = BertForPreTraining.from_pretrained(BUNDLED).eval(), BertTokenizer.from_pretrained(BUNDLED)
    ids = tokenizer("He shook his [MASK].")["input_ids"]
    (answer,) = answers(tmp_path, model, {}, ids=ids, segments=[0] * len(ids), stages=True)
    with torch.no_grad(), trace(model) as record:
        model(torch.tensor([ids]))
    for stage in record.stages:
        facts, found = next(iter(stage.outputs.values())), answer["stages"][stage.path]
        shown = [f"{number:.3f}" for number in (facts.mean, facts.std, facts.minimum, facts.maximum)]
        assert [f"{found[name]:.3f}" for name in ("mean", "std", "min", "max")] == shown, stage.path


def test_the_lines_of_the_one_page_stand_in_it() -> None:
    page = (TUTORIALS / "bert_in_one_page.py").read_text(encoding="utf-8")
    assert [line for line in ONE_PAGE.values() if line not in page] == []
