"""The grader of a BERT of one's own, piece by piece in this process: what it tries, what it says of a mistake, and what it prints."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from course.ladder import judge, optimizer_part, text_part, training_part
from course.ladder.cases import DROPPING, KINDS, SIZES
from course.ladder.dropping import dropout_noted
from course.ladder.file_part import write_checkpoint
from minibert import BertConfig, BertForPreTraining
from minibert.cli.language import Language
from minibert.optim import AdamW
from minibert.tokenization.words import BasicTokenizer
from tests.tutorials.places import TUTORIALS
from tests.tutorials.your_bert.trying import noted_dropout

MESSAGES = sorted((TUTORIALS / "zh" / "messages").glob("*.json"))
ENGLISH, CHINESE = Language("en"), Language("zh", MESSAGES)


class TestWhatIsTried:
    def test_a_kind_of_case_differs_from_the_usual_sizes_in_all_that_it_names(self) -> None:
        usual = {**BertConfig().to_dict(), **SIZES}
        for kind in {kind.said: kind for kinds in KINDS.values() for kind in kinds}.values():
            assert [name for name, size in kind.sizes if usual[name] == size] == [], kind.said
        assert {usual[name] for name in DROPPING} == {0.0}

    def test_all_that_is_tried_and_said_has_its_chinese(self) -> None:
        said = [text for kinds in KINDS.values() for kind in kinds for text in (kind.said, kind.look) if text]
        said += [*(text for text, _ in text_part.TEXTS), *training_part.LOOK, *optimizer_part.MISTAKES.values()]
        assert [text for text in said if CHINESE.say(text) == text] == []

    def test_every_piece_of_the_vocabulary_tells_a_right_tokenizer_from_another_but_for_some_that_fill_it(self) -> None:
        texts = [text for _, each in text_part.TEXTS for text in each if text not in text_part.BORDERS]
        words = {word for text in texts for word in (*BasicTokenizer().tokenize(text), *text.lower().split())}
        known = set(text_part.PIECES)
        idle = set()
        for piece in known:
            some = [word for word in words if piece.removeprefix("##") in word and len(word) < 200]
            if all(
                cut(w, known, way) == cut(w, known - {piece}, way) for w in some for way in ("right", "least", "again")
            ):
                idle.add(piece)
        assert idle <= {"an", "the", "him", "her", "##ook", "##!", "x", "##x", "##abc"}

    def test_who_tries_a_word_again_with_a_shorter_piece_is_told(self) -> None:
        def wordpiece(pieces: list[str]) -> Any:
            def encode(*texts: str) -> tuple[list[int], list[int]]:
                cut_up = [cut(word, set(pieces), "again") or ["[UNK]"] for word in BasicTokenizer().tokenize(texts[0])]
                ids = [pieces.index(piece) for word in cut_up for piece in word]
                return [2, *ids, 3], [0] * (len(ids) + 2)

            return encode

        assert text_part.check_words(wordpiece).wrong.startswith("the longest piece first, and no second try")

    def test_the_first_ideograph_of_every_block_is_tried(self) -> None:
        firsts = (0x3400, 0x4E00, 0xF900, 0x20000, 0x2A700, 0x2B740, 0x2B820, 0x2F800)
        assert {f"a{chr(first)}a" for first in firsts} <= set(text_part.BORDERS)

    def test_pairs_are_a_usual_one_one_with_an_empty_text_and_one_with_a_mask(self) -> None:
        assert text_part.PAIRS == (("He shook his head.", "Walking, unable!"), ("中国", ""), ("a", "the [MASK] x"))
        assert text_part.TEXTS[5][1] == ("don't shook--his (head)... he,his", "#$!?'")

    def test_what_is_drawn_is_drawn_again(self) -> None:
        for draw in (optimizer_part._drawn, training_part.runs):
            assert repr(draw()) == repr(draw())

    def test_the_optimizer_is_tried_on_matrices_and_vectors(self) -> None:
        weights, _ = optimizer_part._drawn()
        assert {name: tensor.dim() for name, tensor in weights.items()} == {
            name: 2 if name.endswith("dense.weight") else 1 for name in optimizer_part.NAMES
        }

    def test_the_earlier_parts_are_tried_on_the_first_batch_of_each_run(self) -> None:
        whole = [case for case in training_part.inner_cases_of_training() if case.part == "classifier"]
        for case, run in zip(whole, training_part.runs(), strict=True):
            assert all(map(torch.equal, case.inputs, run.batches[0]))

    def test_what_is_dropped_in_training_is_noted_unless_it_is_to_be_random(self) -> None:
        run = training_part.runs()[1]
        with noted_dropout():
            assert training_part.train_ours(run)[2].keys() == set(DROPPING.values())
        assert training_part.train_ours(run, random=True)[2] is None

    def test_a_checkpoint_with_more_than_is_needed_names_it_as_the_old_ones_did(self, tmp_path: Path) -> None:
        config = BertConfig(**SIZES)
        named = dict(BertForPreTraining(config).named_parameters())
        write_checkpoint(tmp_path, "extra", config, {name: tensor.detach() for name, tensor in named.items()})
        tied = {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}
        assert load_file(tmp_path / "model.safetensors").keys() - named.keys() == {
            *tied,
            "bert.embeddings.position_ids",
        }


def cut(word: str, known: set[str], way: str, start: int = 0) -> list[str] | None:
    """A word in pieces, None where that fails: the longest first ("right"), the shortest first ("least"), or tried again with others."""
    if start == len(word):
        return []
    ends = range(start + 1, len(word) + 1) if way == "least" else range(len(word), start, -1)
    fitting = [end for end in ends if ("##" if start else "") + word[start:end] in known]
    for end in fitting if way == "again" else fitting[:1]:
        if (rest := cut(word, known, way, end)) is not None:
            return [("##" if start else "") + word[start:end], *rest]
    return None


class TestDropout:
    def test_what_is_dropped_is_counted_and_scaled_and_nothing_is_random(self) -> None:
        x = torch.randn(3, 5)
        with noted_dropout(), dropout_noted() as drops:
            assert torch.equal(F.dropout(x, 0.25), 1.25 * x)
            assert torch.equal(F.dropout(x, 0.25, training=False), x)
            assert torch.equal(F.dropout(x, 0.0), x)
        assert drops == Counter({0.25: 15})

    @pytest.mark.parametrize("named", [True, False])
    @pytest.mark.parametrize("kind", [torch.bool, torch.float32])
    def test_pytorchs_attention_is_computed_with_its_mask_and_its_dropout(self, kind: torch.dtype, named: bool) -> None:
        query, key, value = (torch.randn(1, 2, 3, 4) for _ in range(3))
        seen = torch.tensor([[True, True, False]] * 3)
        mask = seen if kind == torch.bool else torch.where(seen, 0.0, -1e9)
        expected = 1.5 * F.scaled_dot_product_attention(query, key, value, mask)
        with noted_dropout(), dropout_noted() as drops:
            if named:
                found = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=0.5)
            else:
                found = F.scaled_dot_product_attention(query, key, value, mask, 0.5)
        torch.testing.assert_close(found, expected)
        assert drops == Counter({0.5: 18})


class TestJudge:
    def test_results_are_counted_from_one_and_called_what_they_are(self) -> None:
        two = (torch.zeros(2), torch.zeros(3))
        assert judge.shape_mistake(two[::-1], two) == "It gives as result 1 the shape (3,); it should be (2,)."
        assert judge.shape_mistake("no", two) == "It gives a str; 2 results are asked for."

    @pytest.mark.parametrize(("units", "right"), [(1.9, True), (2.1, False)])
    def test_a_gradient_may_be_twice_as_far_away_as_a_number(self, units: float, right: bool) -> None:
        def run(gradient: float) -> Any:
            return judge._Run(torch.ones(1), {"weight": torch.tensor([gradient])}, Counter(), [])

        assert (judge._compare(run(1.0 + units * judge.CLOSE), run(1.0)).wrong == "") == right

    def test_a_gradient_that_is_missing_is_told_with_how_far_the_numbers_are(self) -> None:
        mine = judge._Run(torch.ones(1) + 1e-6, {"weight": None}, Counter(), [])
        found = judge._compare(mine, judge._Run(torch.ones(1), {"weight": torch.ones(1)}, Counter(), []))
        assert found.wrong.startswith("The numbers are right, but no gradient reaches weight.")
        assert found.apart == pytest.approx(1e-6, rel=0.1)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            (([2, 14, 3], [0] * 3), "3 ids where there should be 3; the first that is wrong is number 1, counted from 0: you have the."),
            (([2, 999, 3], [0] * 3), "number 1, counted from 0: you have nothing."),
            (([2, 13, 3, 3], [0] * 4), "number 3, counted from 0: you have [SEP]."),
            (([13, 3], [0] * 2), "It should begin with [CLS] and end with [SEP]."),
            (([2, 13, 3], [1] * 3), "The ids are right, but not the segments"),
            (([2, 13, 3], [0] * 3), ""),
        ],
    )  # fmt: skip
    def test_the_first_wrong_piece_is_named(self, given: tuple[list[int], list[int]], said: str) -> None:
        found = text_part.mistake(given, [2, 13, 3], [0, 0, 0])
        assert said in found
        assert bool(said) == bool(found)


class Adam:
    """AdamW after its paper with the bias correction in the step, written out, or with one of the mistakes that are known."""

    def __init__(self, weights: dict[str, torch.Tensor], lr: float, weight_decay: float, way: str) -> None:
        self.weights, self.lr, self.decay, self.way = weights, lr, weight_decay, way
        self.moments = {name: (torch.zeros_like(each), torch.zeros_like(each)) for name, each in weights.items()}
        self.count = 0

    @torch.no_grad()
    def step(self) -> None:
        self.count += 1
        first, second = (1.0, 1.0) if self.way == "biased" else (1 - 0.9**self.count, 1 - 0.999**self.count)
        for name, weight in self.weights.items():
            if weight.grad is None:
                continue
            spared = ("bias" in name or "LayerNorm" in name) and self.way != "everywhere"
            decay = 0.0 if spared or self.way == "nowhere" else self.decay
            gradient = weight.grad + decay * weight if self.way == "penalty" else weight.grad
            m, v = self.moments[name]
            m.mul_(0.9).add_(0.1 * gradient)
            v.mul_(0.999).add_(0.001 * gradient**2)
            root = (v / second).sqrt() + 1e-6 if self.way == "outer" else (v.sqrt() + 1e-6) / second**0.5
            weight -= self.lr * (m / first) / root
            if self.way != "penalty":
                weight -= (1.0 if self.way == "alone" else self.lr) * decay * weight


class TestOptimizer:
    @pytest.mark.parametrize("way", optimizer_part.MISTAKES)
    def test_a_known_mistake_is_named_with_how_far_it_leads(self, way: str) -> None:
        found = optimizer_part.check_steps(
            lambda weights, lr, weight_decay: Adam(weights, lr, weight_decay, way), *optimizer_part._drawn()
        )
        assert found.wrong == optimizer_part.MISTAKES[way]
        assert found.apart > 1e-6

    def test_the_librarys_own_optimizer_has_the_librarys_bits(self) -> None:
        def ours(weights: dict[str, torch.Tensor], lr: float, weight_decay: float) -> AdamW:
            rates = [weight_decay if optimizer_part.decayed(name) else 0.0 for name in weights]
            return AdamW(
                [{"params": [w], "weight_decay": r} for w, r in zip(weights.values(), rates, strict=True)], lr=lr
            )

        found = optimizer_part.check_steps(ours, *optimizer_part._drawn())
        assert (found.wrong, found.apart, found.bits) == ("", 0.0, True)
