"""The experiments of the quiz page, run and recorded: python scripts/quiz_experiments.py [NAME …]

Each trains small BERTs on the language of chapter 11, of which we know how well anybody could do, and writes what came out into
tests/fixtures/quiz_results.json; the tables of docs/quiz.md have those numbers, as a test holds. All together takes a quarter of an hour.
"""

from __future__ import annotations

import json
import re
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tutorials"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from minibert import AdamW, BertConfig, BertForMaskedLM, get_linear_schedule_with_warmup, no_decay_groups
from minibert.data import masking
from minibert.model.layer import BertLayer, BertOutput

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "tests" / "fixtures" / "quiz_results.json"
RATE, STEPS, BATCH = 6e-3, 300, 64


def chapter_11() -> dict[str, Any]:
    """The names of chapter 11, from its first cell until it trains: its language, its riddles, its lines to compare with."""
    text = (ROOT / "tutorials" / "11_small_bert.py").read_text(encoding="utf-8")
    cells = re.split(r"^# %%(.*)\n", text, flags=re.MULTILINE)[1:]
    code = "".join(cell for kind, cell in zip(cells[::2], cells[1::2], strict=True) if not kind)
    names: dict[str, Any] = {}
    exec(compile(code.partition("curve = train(model)")[0], "11_small_bert.py", "exec"), names)  # noqa: S102
    return names


LESSON = chapter_11()
ASKED = torch.tensor(LESSON["asked"])  # (sentences, seq): the blanks of the held-out sentences


def small_bert(layers: int = 2, seed: int = 0) -> BertForMaskedLM:
    """Chapter 11's model with so many layers, and other fresh weights for each seed."""
    settings = LESSON["model"].config.to_dict() | {"num_hidden_layers": layers}
    torch.manual_seed(seed)
    return BertForMaskedLM(BertConfig.from_dict(settings))


def train(model: BertForMaskedLM, rate: float = RATE, warmup: int = STEPS // 10, batch: int = BATCH) -> BertForMaskedLM:
    """Chapter 11's training, with what is to be tried as arguments."""
    noise = LESSON["noise"] = np.random.default_rng(1)
    optimizer = AdamW(no_decay_groups(model, weight_decay=0.01), lr=rate)
    schedule = get_linear_schedule_with_warmup(optimizer, warmup, STEPS)
    model.train()
    for _ in range(STEPS):
        rows = [
            masking.mask(sentence, LESSON["vocabulary"], noise)
            for sentence in LESSON["draw"](batch, ~LESSON["held_out"])
        ]
        read, labels = (torch.tensor(np.stack(part)) for part in zip(*rows, strict=True))  # (batch, seq) each
        loss = model(read, attention_mask=(read != 0).long(), labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return model.eval()


def held_out_loss(model: BertForMaskedLM) -> float:
    """Nats a blank, in sentences that it never learned from; what is no number counts as 99."""
    loss = F.cross_entropy(LESSON["scores_of"](model, LESSON["test_read"])[ASKED], LESSON["targets"]).item()
    return round(loss if np.isfinite(loss) else 99.0, 2)


def lines() -> dict[str, float]:
    """What to compare with: chapter 11's counter of words, and its reader who knows the grammar."""
    return {"counts the words": round(LESSON["counting"], 2), "knows the grammar": round(LESSON["best"], 2)}


def mask_ratio() -> dict[str, list[float]]:
    """Hide 5, 15, 40 and 80% of the words in training; always ask 15% when it is measured. Two models each."""
    found = {}
    for share in (0.05, 0.15, 0.4, 0.8):
        masking.CHOSEN = share
        found[f"{share:.0%}"] = [held_out_loss(train(small_bert(seed=seed))) for seed in (0, 1)]
    masking.CHOSEN = 0.15
    return found


def mask_fates() -> dict[str, list[float]]:
    """[MASK] for 80% of the chosen words, and for all. The loss at blanks, at words that are there, and at words that are wrong."""
    found = {}
    text = torch.tensor(LESSON["test_read"])
    seen = (text >= 5).numpy()  # the words that are there; below 5 the special tokens
    wrong = LESSON["test_read"].copy()
    wrong[:, 2] = np.where(wrong[:, 2] >= 5, np.random.default_rng(0).integers(5, 89, len(wrong)), wrong[:, 2])
    there = torch.tensor((LESSON["test_read"][:, 2] >= 5) & (wrong[:, 2] != LESSON["test_read"][:, 2]))
    for name, mask, random in (("80% [MASK], 10% random, 10% left", 0.8, 0.1), ("100% [MASK]", 1.0, 0.0)):
        masking.BECOME_MASK, masking.BECOME_RANDOM = mask, random
        model = train(small_bert())
        at_words = F.cross_entropy(
            LESSON["scores_of"](model, LESSON["test_read"])[torch.tensor(seen)], text[torch.tensor(seen)]
        ).item()
        at_wrong = F.cross_entropy(LESSON["scores_of"](model, wrong)[there][:, 2], text[there][:, 2]).item()
        found[name] = [held_out_loss(model), round(at_words, 2), round(at_wrong, 2)]
    masking.BECOME_MASK, masking.BECOME_RANDOM = 0.8, 0.1
    return found


def without_residuals(model: BertForMaskedLM) -> BertForMaskedLM:
    """The stages that add what came in no longer do."""

    def forward(self: BertOutput, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:  # noqa: ARG001
        return self.LayerNorm(self.dropout(self.dense(hidden_states)))

    for layer in model.bert.encoder.layer:
        for stage in (layer.attention.output, layer.output):
            stage.forward = types.MethodType(forward, stage)
    return model


def residuals() -> dict[str, list[float]]:
    """With residual connections and without, 2 and 6 layers. Two models each."""
    found = {}
    for layers in (2, 6):
        for name, change in (("with", lambda model: model), ("without", without_residuals)):
            models = [train(change(small_bert(layers, seed))) for seed in (0, 1)]
            found[f"{layers} layers, {name}"] = [held_out_loss(model) for model in models]
    return found


def learning_rate() -> dict[str, list[float]]:
    """The peak of the rate, from too low to too high. Two models each."""
    rates = (1e-4, 1e-3, 6e-3, 3e-2, 1e-1)
    return {f"{rate:g}": [held_out_loss(train(small_bert(seed=seed), rate=rate)) for seed in (0, 1)] for rate in rates}


def pre_norm(model: BertForMaskedLM) -> BertForMaskedLM:
    """Each half normalises what goes into it, x + f(norm(x)), and the stack's result is normalised once."""

    def forward(
        self: BertLayer, hidden_states: Tensor, attention_mask: Tensor, **_: Any
    ) -> tuple[Tensor, None, None, None]:
        context, *_ = self.attention.self(self.attention.output.LayerNorm(hidden_states), attention_mask)
        attended = hidden_states + self.attention.output.dense(context)
        added = self.output.dense(self.intermediate(self.output.LayerNorm(attended)))
        return self.last_norm(attended + added), None, None, None

    for layer in model.bert.encoder.layer:
        layer.last_norm = nn.Identity()
        layer.forward = types.MethodType(forward, layer)
    layer.last_norm = nn.LayerNorm(model.config.hidden_size)
    return model


def norm_place() -> dict[str, list[float]]:
    """Post-norm and pre-norm in 12 layers, with a warm-up and without. Two models each."""
    found = {}
    for name, change in (("post-norm", lambda model: model), ("pre-norm", pre_norm)):
        for warmup in (STEPS // 10, 0):
            models = [train(change(small_bert(12, seed)), rate=2e-3, warmup=warmup) for seed in (0, 1)]
            found[f"{name}, warm-up of {warmup} steps"] = [held_out_loss(model) for model in models]
    return found


class BatchNorm(nn.Module):
    """BatchNorm in LayerNorm's place: each coordinate over all words of the batch, padding too; then running means."""

    def __init__(self, hidden: int):
        super().__init__()
        self.norm = nn.BatchNorm1d(hidden)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """(batch, seq, hidden) → the same."""
        return self.norm(hidden_states.flatten(0, -2)).view_as(hidden_states)


def batch_norm(model: BertForMaskedLM) -> BertForMaskedLM:
    """Every LayerNorm of the body becomes a BatchNorm."""
    for stage in list(model.bert.modules()):
        if hasattr(stage, "LayerNorm"):
            stage.LayerNorm = BatchNorm(model.config.hidden_size)
    return model


def norm_kind() -> dict[str, list[float]]:
    """LayerNorm and BatchNorm, in batches of 64 sentences and of 4. Two models each."""
    found = {}
    for batch in (64, 4):
        for name, change in (("LayerNorm", lambda model: model), ("BatchNorm", batch_norm)):
            models = [train(change(small_bert(seed=seed)), batch=batch) for seed in (0, 1)]
            found[f"{name}, batches of {batch}"] = [held_out_loss(model) for model in models]
    return found


EXPERIMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    function.__name__: function
    for function in (lines, mask_ratio, mask_fates, residuals, learning_rate, norm_kind, norm_place)
}


def main() -> None:
    torch.set_num_threads(1)
    recorded = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in sys.argv[1:] or EXPERIMENTS:
        recorded[name] = EXPERIMENTS[name]()
        print(name, recorded[name], flush=True)
        rows = [
            f"{json.dumps(each)}: {json.dumps(recorded[each], ensure_ascii=False)}"
            for each in EXPERIMENTS
            if each in recorded
        ]
        RESULTS.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
