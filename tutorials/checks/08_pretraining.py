"""Checks of chapter 8: hiding words, and the two losses."""

import random
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course.hints import hint_for
from minibert import BertConfig, BertForPreTraining

MASK_ID = 4


def check_labels_for(labels_for: Callable[[list[int], list[int]], list[int]]) -> str | None:
    draw = random.Random(1)
    for count in (1, 2, 4, 0):
        ids = [draw.randrange(5, 100) for _ in range(7)]
        chosen = sorted(draw.sample(range(7), count))
        expected = [ids[place] if place in chosen else -100 for place in range(7)]
        mistakes = {
            "It is the wrong way round: −100 stands where a word is to be guessed.": (
                [-100 if place in chosen else ids[place] for place in range(7)]
            ),
            "0 stands where nothing is asked; 0 is the id of [PAD], and would be learned. It must be −100.": (
                [max(0, label) for label in expected]
            ),
            "Nothing is left out: every place is to be guessed.": ids,
            "The places that are not asked are missing; labels are as long as the text.": [ids[place] for place in chosen],
            "These are places, not the ids that stand there.": [p if p in chosen else -100 for p in range(7)],
        }  # fmt: skip
        if hint := hint_for(labels_for(list(ids), list(chosen)), expected, mistakes, f"ids {ids}, chosen {chosen}"):
            return hint
    return None


def check_hide(hide: Callable[[list[int], list[int], list[float], int, list[int]], list[int]]) -> str | None:
    draw = random.Random(2)
    for number in range(12):
        ids = [draw.randrange(5, 50) for _ in range(10)]
        chosen = draw.sample(range(10), 5)
        draws = [draw.random() if number else share for share in (0.8, 0.9, 0.0, 0.85, 0.95)]
        random_ids = [draw.randrange(50, 100) for _ in chosen]

        def hidden(
            fates: list[str], ids: list[int] = ids, chosen: list[int] = chosen, others: list[int] = random_ids
        ) -> list[int]:
            read = list(ids)
            for place, fate, other in zip(chosen, fates, others, strict=True):
                read[place] = {"mask": MASK_ID, "random": other, "stay": ids[place]}[fate]
            return read

        fates = ["mask" if share < 0.8 else "random" if share < 0.9 else "stay" for share in draws]
        expected = hidden(fates)
        mistakes = {
            "Below 0.8 means less than: a draw of 0.8 itself is not below it.": (
                hidden(["mask" if share == 0.8 else fate for share, fate in zip(draws, fates, strict=True)])
            ),
            "Below 0.9 means less than: a draw of 0.9 itself is not below it.": (
                hidden(["random" if share == 0.9 else fate for share, fate in zip(draws, fates, strict=True)])
            ),
            "All chosen places are hidden; one in ten gets a random word, and one in ten stays.": hidden(["mask"] * 5),
            "None stays: from 0.9 on, the word is left as it is.": (
                hidden(["random" if fate == "stay" else fate for fate in fates])
            ),
            "None gets a random word: that is the fate from 0.8 to 0.9.": (
                hidden(["stay" if fate == "random" else fate for fate in fates])
            ),
            "Random words and words that stay have changed places.": (
                hidden([{"mask": "mask", "random": "stay", "stay": "random"}[fate] for fate in fates])
            ),
            "Nothing is hidden.": ids,
        }
        given = f"chosen {chosen}, draws {[round(share, 2) for share in draws]}"
        given_ids = list(ids)
        result = hide(given_ids, list(chosen), list(draws), MASK_ID, list(random_ids))
        if given_ids != ids:
            return f"{given}: `ids` itself was changed. Make a copy first, and change that."
        if hint := hint_for(result, expected, mistakes, given):
            return hint
    return None


def check_masked_loss(masked_loss: Callable[[Tensor, Tensor], Tensor]) -> str | None:
    generator = torch.Generator().manual_seed(3)
    for batch, seq, vocab in ((1, 4, 3), (2, 5, 7), (3, 6, 11)):
        scores, labels = _words(batch, seq, vocab, generator)
        asked = labels != -100
        expected = F.cross_entropy(scores.flatten(0, 1), labels.flatten())
        each = F.cross_entropy(scores.flatten(0, 1), labels.flatten(), reduction="none").view(batch, seq)
        counted = F.cross_entropy(scores.flatten(0, 1), labels.clamp(min=0).flatten())
        picked = scores[asked].gather(-1, labels[asked][:, None])
        mistakes = {
            "The sign: a loss is −log p, and not negative.": -expected,
            "The sum is divided by all places; divide by those that are asked.": each.sum() / (batch * seq),
            "The sum over the places; asked for is their mean.": each.sum(),
            "This is the mean over the texts of each text's mean; asked for is the mean over all asked places at once.": (
                torch.stack([row[some].mean() for row, some in zip(each, asked, strict=True)]).mean()
            ),
            "Places with −100 are counted, as though they asked for word 0.": counted,
            "The softmax is missing: these are scores.": -picked.mean(),
            "The logarithm is missing: these are probabilities.": torch.exp(-each)[asked].mean(),
            "The logarithm is taken of the mean; asked for is the mean of logarithms.": -torch.exp(-each)[asked].mean().log(),
            "The softmax runs over the wrong axis: over places. It belongs over the vocabulary, the last.": (
                -torch.log_softmax(scores, 1)[asked].gather(-1, labels[asked][:, None]).mean()
            ),
        }  # fmt: skip
        given = f"scores of shape {tuple(scores.shape)}, {int(asked.sum())} places asked"
        if hint := hint_for(masked_loss(scores.clone(), labels.clone()), expected, mistakes, given):
            return hint
    return None


def check_pretraining_loss(pretraining_loss: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> str | None:
    generator = torch.Generator().manual_seed(4)
    config = BertConfig(
        vocab_size=9,
        hidden_size=4,
        num_attention_heads=2,
        num_hidden_layers=1,
        intermediate_size=8,
        initializer_range=1.0,
    )
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    model = BertForPreTraining(config).eval()
    torch.random.set_rng_state(torch_state)
    for batch, seq in ((1, 4), (3, 5)):
        ids = torch.randint(1, 9, (batch, seq), generator=generator)
        _, labels = _words(batch, seq, 9, generator)
        follows = torch.randint(0, 2, (batch,), generator=generator)
        with torch.no_grad():
            outputs = model(ids, labels=labels, next_sentence_label=follows)
        word_scores, next_scores = outputs.prediction_logits, outputs.seq_relationship_logits
        words = F.cross_entropy(word_scores.flatten(0, 1), labels.flatten())
        following = F.cross_entropy(next_scores, follows)
        mistakes = {
            "This is the hidden words' loss alone.": words,
            "This is the next sentence's loss alone.": following,
            "The two are averaged; BERT adds them, unweighted.": (words + following) / 2,
            "One is taken away from the other.": words - following,
            "The next sentence's label is upside down: 0 means that it follows, and column 0 is its score.": (
                words + F.cross_entropy(next_scores, 1 - follows)
            ),
            "Places with −100 are counted, as though they asked for word 0.": (
                F.cross_entropy(word_scores.flatten(0, 1), labels.clamp(min=0).flatten()) + following
            ),
        }
        given = f"word_scores of shape {tuple(word_scores.shape)}"
        result = pretraining_loss(word_scores.clone(), labels.clone(), next_scores.clone(), follows.clone())
        if hint := hint_for(result, outputs.loss, mistakes, given):
            return hint
    return None


def _words(batch: int, seq: int, vocab: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Random scores, and labels of which about half ask; at least one in every text."""
    scores = 2 * torch.randn(batch, seq, vocab, generator=generator)
    labels = torch.randint(1, vocab, (batch, seq), generator=generator)
    ask = torch.rand(batch, seq, generator=generator) < 0.5
    ask[:, 0] = True
    ask[:, 1] = False
    return scores, torch.where(ask, labels, -100)
