"""Checks of chapter 8: hiding words, and the two losses."""

import math
import random
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course.hints import NO_GRADIENT, Case, Checked, gradient_of
from minibert import BertConfig, BertForPreTraining

MASK_ID = 4


def check_labels_for(labels_for: Callable[[list[int], list[int]], list[int]]) -> Checked:
    draw = random.Random(1)
    for count in (1, 2, 4, 0):
        ids = [draw.randrange(5, 100) for _ in range(7)]
        chosen = draw.sample(range(7), count)
        ids[3] = ids[chosen[0]] if count else ids[3]  # a word that stands in two places
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
            "A word that is chosen at one place is asked for wherever it stands; it is the place that is chosen.": (
                [piece if piece in [ids[p] for p in chosen] else -100 for piece in ids]
            ),
            "The places are compared with the ids.": [piece if piece in chosen else -100 for piece in ids],
            "Places count from 0, and these count from 1.": [ids[p] if p + 1 in chosen else -100 for p in range(7)],
            "The sign is lost: it is −100, not 100.": [abs(label) for label in expected],
            "−1 stands where nothing is asked; it must be −100.": [max(-1, label) for label in expected],
            "Only the first chosen place is asked for.": [ids[p] if p in chosen[:1] else -100 for p in range(7)],
            "The last chosen place is missing.": [ids[p] if p in chosen[:-1] else -100 for p in range(7)],
            "Nothing is asked: −100 stands everywhere.": [-100] * 7,
            "These are places, not the ids that stand there.": [p if p in chosen else -100 for p in range(7)],
        }  # fmt: skip
        yield Case(labels_for(list(ids), list(chosen)), expected, mistakes, f"ids {ids}, chosen {chosen}")


def check_hide(hide: Callable[[list[int], list[int], list[float], int, list[int]], list[int]]) -> Checked:
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
            "Words that are hidden and words that stay have changed places.": (
                hidden([{"mask": "stay", "random": "random", "stay": "mask"}[fate] for fate in fates])
            ),
            "Words that are hidden and random ones have changed places.": (
                hidden([{"mask": "random", "random": "mask", "stay": "stay"}[fate] for fate in fates])
            ),
            "The draws and random words belong to the chosen places in their order, not from left to right.": (
                _in_place_order(ids, chosen, draws, random_ids)
            ),
            "The draws belong to the places of the text; draws[k] is for the k-th chosen place.": _drawn_by_place(
                ids, chosen, draws, random_ids
            ),
            "All get the first random word; the k-th chosen place gets random_ids[k].": (
                hidden(fates, others=[random_ids[0]] * 5)
            ),
            "Only the last chosen place is changed: is the list copied anew each time?": (
                hidden(["stay"] * 4 + fates[-1:])
            ),
            "Only the first chosen place is changed.": hidden(fates[:1] + ["stay"] * 4),
        }
        given = f"chosen {chosen}, draws {[round(share, 2) for share in draws]}"
        result = hide(list(ids), list(chosen), list(draws), MASK_ID, list(random_ids))
        yield Case(result, expected, mistakes, given)


def _in_place_order(ids: list[int], chosen: list[int], draws: list[float], random_ids: list[int]) -> list[int]:
    """What is read if the chosen places are sorted first."""
    read = list(ids)
    for place, share, other in zip(sorted(chosen), draws, random_ids, strict=True):
        read[place] = MASK_ID if share < 0.8 else other if share < 0.9 else ids[place]
    return read


def _drawn_by_place(ids: list[int], chosen: list[int], draws: list[float], random_ids: list[int]) -> list[int]:
    """What is read if the draw of a place is looked up by the place."""
    read = list(ids)
    for place in chosen:
        share, other = draws[place % len(draws)], random_ids[place % len(draws)]
        read[place] = MASK_ID if share < 0.8 else other if share < 0.9 else ids[place]
    return read


def check_masked_loss(masked_loss: Callable[[Tensor, Tensor], Tensor]) -> Checked:
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
            "The sum is divided by the number of texts; divide by the places that are asked.": each.sum() / batch,
            "The sum is divided by the words of the vocabulary; divide by the places that are asked.": each.sum() / vocab,
            "Word 0 is left out; it is a word like any other. Only −100 asks nothing.": each[labels > 0].mean(),
            "Word 0 is asked for wherever nothing is asked, and −100 is not left out.": (
                -torch.log_softmax(scores, -1)[..., 0][~asked].mean()
            ),
            "The likeliest word is judged, not the label.": -torch.log_softmax(scores, -1).amax(-1)[asked].mean(),
            "The mean is over all words, not the labels alone.": -torch.log_softmax(scores, -1)[asked].mean(),
            "The softmax is taken twice.": F.cross_entropy(scores.softmax(-1).flatten(0, 1), labels.flatten()),
            "The logarithm is to the base 2; asked for is the base e.": expected / math.log(2),
            "The labels are those of the next place.": (
                F.cross_entropy(scores[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
            ),
            "The loss of the places that ask nothing is added as 0 and counted.": each.mean(),
            "The logarithm is missing: these are probabilities.": torch.exp(-each)[asked].mean(),
            "The logarithm is taken of the mean; asked for is the mean of logarithms.": -torch.exp(-each)[asked].mean().log(),
            "The softmax runs over the wrong axis: over places. It belongs over the vocabulary, the last.": (
                -torch.log_softmax(scores, 1)[asked].gather(-1, labels[asked][:, None]).mean()
            ),
        }  # fmt: skip
        given = f"scores of shape {tuple(scores.shape)}, {int(asked.sum())} places asked"
        yield Case(masked_loss(scores.clone(), labels.clone()), expected, mistakes, given)
    yield from _losses_of_large_scores(masked_loss, scores, labels)


def _losses_of_large_scores(loss: Callable[[Tensor, Tensor], Tensor], scores: Tensor, labels: Tensor) -> Checked:
    """Scores of hundreds, and what the scores would learn."""

    def right(scores: Tensor) -> Tensor:
        return F.cross_entropy(scores.flatten(0, 1), labels.flatten())

    yield Case(
        gradient_of(lambda scores: loss(scores, labels.clone()), scores),
        gradient_of(right, scores),
        {NO_GRADIENT: None},
        "the gradient",
    )
    given = "scores of hundreds, where e to a score, or a probability, is more or less than a float holds"
    yield Case(loss(100 * scores, labels.clone()), right(100 * scores), {}, given)


def check_pretraining_loss(pretraining_loss: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> Checked:
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
        ids = torch.randint(0, 9, (batch, seq), generator=generator)
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
            "The two are multiplied; BERT adds them.": words * following,
            "The next sentence counts half; BERT adds the two, unweighted.": words + following / 2,
            "The next sentence counts twice; BERT adds the two, unweighted.": words + 2 * following,
            "The hidden words count twice; BERT adds the two, unweighted.": 2 * words + following,
            "The hidden words count half; BERT adds the two, unweighted.": words / 2 + following,
            "The sign: a loss is not negative.": -(words + following),
            "The losses of the hidden words are summed; asked for is their mean.": (
                F.cross_entropy(word_scores.flatten(0, 1), labels.flatten(), reduction="sum") + following
            ),
            "The losses of the next sentences are summed; asked for is their mean.": (
                words + F.cross_entropy(next_scores, follows, reduction="sum")
            ),
            "Both losses are summed; asked for are means.": (
                F.cross_entropy(word_scores.flatten(0, 1), labels.flatten(), reduction="sum")
                + F.cross_entropy(next_scores, follows, reduction="sum")
            ),
            "The next sentence's label is upside down: 0 means that it follows, and column 0 is its score.": (
                words + F.cross_entropy(next_scores, 1 - follows)
            ),
            "Places with −100 are counted, as though they asked for word 0.": (
                F.cross_entropy(word_scores.flatten(0, 1), labels.clamp(min=0).flatten()) + following
            ),
        }
        given = f"word_scores of shape {tuple(word_scores.shape)}"
        result = pretraining_loss(word_scores.clone(), labels.clone(), next_scores.clone(), follows.clone())
        yield Case(result, outputs.loss, mistakes, given)
    yield Case(
        gradient_of(
            lambda scores: pretraining_loss(scores, labels.clone(), next_scores.clone(), follows.clone()), word_scores
        ),
        gradient_of(lambda scores: F.cross_entropy(scores.flatten(0, 1), labels.flatten()), word_scores),
        {NO_GRADIENT: None},
        "the gradient of word_scores",
    )
    yield Case(
        gradient_of(
            lambda scores: pretraining_loss(word_scores.clone(), labels.clone(), scores, follows.clone()), next_scores
        ),
        gradient_of(lambda scores: F.cross_entropy(scores, follows), next_scores),
        {"The loss is right, but nothing can be learned from the next sentence: its part has no gradient.": None},
        "the gradient of next_scores",
    )


def _words(batch: int, seq: int, vocab: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Random scores, and labels of which about half ask; at least one in every text."""
    scores = 2 * torch.randn(batch, seq, vocab, generator=generator)
    labels = torch.randint(0, vocab, (batch, seq), generator=generator)
    labels[:, 0] = torch.arange(batch) % 2  # word 0 is a word, too
    ask = torch.rand(batch, seq, generator=generator) < 0.5
    ask[:, 0] = True
    ask[:, 1] = False
    return scores, torch.where(ask, labels, -100)
