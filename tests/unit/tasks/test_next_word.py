"""The next word: what a decoder is trained on, how it is scored, and that what was trained can be generated from."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from minibert import BertConfig, BertLMHeadModel
from minibert.model.checks import IGNORED
from minibert.tasks import NextWord, collate, task_of
from tests.unit.cli.running import run
from tests.unit.tasks.tiny_tokenizer import tiny_tokenizer
from tests.unit.tiny_bert import tiny
from tests.unit.training.small_tasks import command, small_model

LENGTH = 12


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("good bread\n\nbad bread and good bread\n", encoding="utf-8")
    return path


def test_every_piece_but_cls_is_predicted_and_an_end_only_where_a_passage_ends(text: Path) -> None:
    task, tokenizer = NextWord(), tiny_tokenizer()
    examples = task.read(text)
    rows = task.encode(examples, tokenizer, 5).rows
    whole = task.encode(examples, tokenizer, 10_000).rows
    for row in rows:
        assert row["labels"][:-1] == [IGNORED, *row["input_ids"][1:-1]]
    ends = [row["labels"][-1] for row in rows]
    assert set(ends) == {tokenizer.sep_token_id, IGNORED}
    assert ends.count(tokenizer.sep_token_id) == len(whole)
    assert [row["labels"][-1] for row in whole] == [tokenizer.sep_token_id] * len(whole)


def test_the_loss_is_the_mean_over_as_many_labels_as_the_task_counts(text: Path) -> None:
    task, tokenizer = NextWord(), tiny_tokenizer()
    batch = collate(task.encode(task.read(text), tokenizer, LENGTH).rows, tokenizer)
    model = tiny(BertLMHeadModel, vocab_size=len(tokenizer), is_decoder=True).eval()
    outputs = model(**batch)
    chances = outputs.logits[:, :-1].log_softmax(-1)
    following = batch["labels"][:, 1:]
    picked = chances.gather(-1, following.clamp(min=0)[..., None])[..., 0][following != IGNORED]
    assert len(picked) == task.label_count(batch)
    assert float(outputs.loss.detach()) == pytest.approx(float(-picked.detach().mean()), abs=1e-6)


def test_accuracy_counts_words_not_padding(text: Path) -> None:
    task, tokenizer = NextWord(), tiny_tokenizer()
    encoded = task.encode(task.read(text), tokenizer, LENGTH)
    batch = collate(encoded.rows, tokenizer)
    shifted = torch.roll(batch["input_ids"], -1, dims=1)
    right = {"logits": torch.nn.functional.one_hot(shifted, len(tokenizer)).float()}
    scores = task.score(encoded, task.keep(right, batch), loss=math.log(4))  # type: ignore[arg-type]
    assert scores == {"accuracy": 1.0, "perplexity": pytest.approx(4)}


def test_the_task_of_a_decoder_is_found_by_its_config() -> None:
    config = BertConfig(is_decoder=True, architectures=["BertLMHeadModel"])
    assert isinstance(task_of(config, "decoder"), NextWord)


@pytest.mark.slow
def test_a_decoder_that_was_trained_continues_its_text_and_any_other_model_says_what_it_is(
    text: Path, tmp_path: Path
) -> None:
    model = small_model(tmp_path / "base")
    refused = run("generate", "bad", "--model", model, "--max-new-tokens", "4")
    assert "was trained to fill in blanks" in refused.stderr
    assert "minibert finetune clm" in refused.stderr
    out = tmp_path / "run"
    trained = run(
        *command("clm", text, model, out, "--epochs", "60", "--lr", "1e-2", "--batch-size", "2", "--warmup", "0")
    )
    assert trained.exit_code == 0, trained.output
    answer = run("generate", "bad", "--model", str(out / "model"), "--max-new-tokens", "40")
    assert answer.stderr == ""
    assert answer.stdout.strip() == "bad bread and good bread"
    assert "minibert generate" in run("predict", "bad", "--model", str(out / "model")).stderr
