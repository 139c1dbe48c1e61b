"""Checks of chapter 18: counting, packing, the loss where it is asked, and a gradient put together from parts."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from course.hints import NO_GRADIENT, Case, Checked, gradient_of
from minibert import BertConfig, BertForMaskedLM


def check_multiplications(multiplications: Callable[[int, int, int, int, int], int]) -> Checked:
    for layers, hidden, inner, vocabulary, words in ((2, 10, 26, 33, 7), (1, 8, 22, 31, 5), (3, 4, 14, 40, 11)):
        expected = _counted(layers, hidden, inner, vocabulary, words)
        projection, feed_forward = words * hidden * hidden, 2 * words * hidden * inner
        attention, head = 2 * words * words * hidden, words * (hidden * hidden + hidden * vocabulary)
        mistakes = {
            "Additions are counted, too: half of this are multiplications.": 2 * expected,
            "The word head is missing.": expected - head,
            "The word head's transform is missing: it comes before the decoder.": expected - projection,
            "The word head is counted in every layer; there is one, on top.": expected + (layers - 1) * head,
            "This is one layer and the head; there are more layers.": (
                (expected - head) // layers + head if layers > 1 else None
            ),
            "There are four projections: the one after attention is missing.": expected - layers * projection,
            "There are four projections; this counts one.": expected - 3 * layers * projection,
            "Feed-forward goes up and down: two products.": expected - layers * feed_forward // 2,
            "Attention is missing.": expected - layers * attention,
            "Attention has two products: the scores, and the mean of the values.": expected - layers * attention // 2,
            "Attention's product is words × words × hidden; `hidden` is missing.": (
                expected - layers * attention + layers * 2 * words * words
            ),
            "Attention grows with the square of the words.": expected - layers * attention + layers * 2 * words * hidden,
            "These are the parameters; each is used once for every word.": (
                layers * (4 * hidden * hidden + 2 * hidden * inner) + hidden * hidden + hidden * vocabulary
            ),
            "A number of multiplications is a whole one.": float(expected),
            "The decoder is missing: the word head has a transform, and then a decoder.": expected - words * hidden * vocabulary,
            "The word head is computed at one place; it is at every place here.": expected - head + head // words,
            "There are three projections in the head: it has the transform and the decoder.": expected + projection,
            "There are four projections; this counts two.": expected - 2 * layers * projection,
            "There are four projections; this counts five.": expected + layers * projection,
            "Feed-forward is missing.": expected - layers * feed_forward,
            "The projections are missing.": expected - 4 * layers * projection,
            "Attention's products are counted for every pair twice.": expected + layers * attention,
            "The word head's decoder is hidden × vocabulary at every place; `words` is missing.": (
                expected - words * hidden * vocabulary + hidden * vocabulary
            ),
            "The projections are those of one word; `words` is missing.": (
                expected - layers * 4 * projection + layers * 4 * hidden * hidden
            ),
            "The layers' products are those of one word; `words` is missing.": (
                expected - layers * (4 * projection + feed_forward) + layers * (4 * hidden * hidden + 2 * hidden * inner)
            ),
            "The transform is hidden → inner here; it is hidden → hidden.": expected - projection + words * hidden * inner,
        }  # fmt: skip
        given = f"{layers} layers, hidden {hidden}, inner {inner}, vocabulary {vocabulary}, {words} words"
        yield Case(multiplications(layers, hidden, inner, vocabulary, words), expected, mistakes, given)


def _counted(layers: int, hidden: int, inner: int, vocabulary: int, words: int) -> int:
    """What PyTorch counts of the library's model; it counts a multiplication and an addition as two."""
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=inner,
        max_position_embeddings=16,
    )
    torch_state = torch.random.get_rng_state()
    model = BertForMaskedLM(config).eval()
    torch.random.set_rng_state(torch_state)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.ones(1, words, dtype=torch.long))
    return int(counter.get_total_flops()) // 2


def check_pack(pack: Callable[[Tensor, Tensor], tuple[Tensor, list[int]]]) -> Checked:
    generator = torch.Generator().manual_seed(2)
    for number, (lengths, seq) in enumerate((((4, 2), 5), ((1, 3, 2), 3), ((6,), 6), ((2, 4), 5), ((3, 2), 6))):
        mask = (torch.arange(seq) < torch.tensor(lengths)[:, None]).long()  # (batch, seq)
        if number == 3:
            mask = mask.flip(1)  # padding on the left
        if number == 4:
            mask = mask[:, [0, 3, 1, 4, 2, 5]]  # and between
        states = torch.randn(len(lengths), seq, 3, generator=generator)
        words = states[mask == 1][None]  # (1, words, 3)
        expected = (words, list(lengths))
        mistakes = {
            "The padding is still there: the rows are only put end to end.": (states.flatten(0, 1)[None], list(lengths)),
            "The padding was multiplied by 0; it is to be left out.": (states * mask[..., None], list(lengths)),
            "The words stand without a batch in front: (1, words, hidden) is asked for.": (words[0], list(lengths)),
            "The real words are not always the first of their row: ask the mask which they are.": (
                torch.cat([row[:count] for row, count in zip(states, lengths, strict=True)])[None], list(lengths)
            ),
            "The lengths are where the last word of each row stands; asked for is how many words there are.": (
                words, [int(row.nonzero().max()) + 1 for row in mask]
            ),
            "The texts are in reverse order.": (
                torch.cat([row[some == 1] for row, some in zip(states.flip(0), mask.flip(0), strict=True)])[None],
                list(lengths)[::-1],
            ),
            "The lengths are in reverse order.": (words, list(lengths)[::-1]),
            "The lengths are in a tensor; a list of plain numbers is asked for.": (words, mask.sum(1)),
            "Only the words are there; the lengths are asked for, too.": words,
            "The words of the first text alone are there.": (states[:1][mask[:1] == 1][None], list(lengths)),
            "The words stand in a row each: (words, 1, hidden); asked for is (1, words, hidden).": (words[0][:, None], list(lengths)),
            "This is how many words all texts have together; asked for is each text's number.": (words, int(mask.sum())),
            "The padding was kept, and the words left out.": (states[mask == 0][None], list(lengths)),
            "The words are in the order of their places: first the first word of every text.": (
                (states.transpose(0, 1)[mask.T == 1][None], list(lengths))
            ),
            "The lengths count the padding.": (words, [int(number) for number in (mask == 0).sum(1)]),
            "These are the places where texts end; asked for are their lengths.": (words, mask.sum(1).cumsum(0).tolist()),
            "The lengths are to be summed over each text's places, not over the texts.": (words, mask.sum(0).tolist()),
            "The lengths are those of the padded rows.": (words, [seq] * len(lengths)),
        }  # fmt: skip
        given = f"texts of {lengths} words in rows of {seq}"
        yield Case(pack(states.clone(), mask.clone()), expected, mistakes, given)


def check_loss_where_asked(
    loss_where_asked: Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, int]],
) -> Checked:
    generator = torch.Generator().manual_seed(3)
    for batch, seq, hidden, vocab in ((1, 5, 3, 7), (2, 6, 4, 9), (3, 4, 4, 5)):
        states = torch.randn(batch, seq, hidden, generator=generator)
        weight = torch.randn(vocab, hidden, generator=generator)
        bias = torch.randn(vocab, generator=generator)
        labels = torch.randint(0, vocab, (batch, seq), generator=generator)
        labels[torch.rand(batch, seq, generator=generator) < 0.5] = -100
        labels[0, 0], labels[0, 1], labels[0, 2] = 1, 0, -100  # word 0 is a word, too
        scores = states @ weight.T + bias
        asked = int((labels != -100).sum())

        def loss(scores: Tensor, labels: Tensor = labels, **how: str) -> Tensor:
            return F.cross_entropy(scores.flatten(0, 1), labels.flatten(), **how)

        mistakes = {
            "The loss is right, but every place was scored: choose the places before the product.": (
                (loss(scores), labels.numel())
            ),
            "The places without a question were scored.": (loss(scores), labels.numel() - asked),
            "The bias is missing.": (loss(scores - bias), asked),
            "Word 0 is left out; only −100 asks nothing.": (
                loss(scores, labels.masked_fill(labels <= 0, -100)), int((labels > 0).sum())
            ),
            "The bias is taken away; it is added.": (loss(scores - 2 * bias), asked),
            "The bias is counted twice.": (loss(scores + bias), asked),
            "The sign: a loss is not negative.": (-loss(scores), asked),
            "The number and the loss have changed places.": (asked, loss(scores)),
            "This is the number of texts; asked for is how many places were scored.": (loss(scores), batch),
            "This is the size of the vocabulary; asked for is how many places were scored.": (loss(scores), vocab),
            "Only the loss is there; the number of places is asked for, too.": loss(scores),
            "The softmax is taken twice.": (loss(scores.softmax(-1)), asked),
            "This is the sum; asked for is the mean.": (loss(scores, reduction="sum"), asked),
            "The sum is divided by all places; divide by those that are asked.": (
                (loss(scores, reduction="sum") / labels.numel(), asked)
            ),
            "Places with −100 are counted, as though they asked for word 0.": (
                (loss(scores, labels.clamp(min=0)), labels.numel())
            ),
        }  # fmt: skip
        given = f"{asked} of {labels.numel()} places asked"
        with FlopCounterMode(display=False) as counter:
            result = loss_where_asked(states.clone(), weight.clone(), bias.clone(), labels.clone())
        yield Case(result, (loss(scores), asked), mistakes, given)
        if (scored := int(counter.get_total_flops()) // (2 * hidden * vocab)) > asked:
            return (
                f"{given}: The numbers are right, but {scored} places were scored, and that is the work to be saved: "
                "choose the places before the product with the weight."
            )
    yield Case(
        gradient_of(lambda states: loss_where_asked(states, weight.clone(), bias.clone(), labels.clone()), states),
        gradient_of(lambda states: loss(states @ weight.T + bias), states),
        {NO_GRADIENT: None},
        "the gradient",
    )


def check_whole_gradient(whole_gradient: Callable[[list[Tensor], list[int]], Tensor]) -> Checked:
    generator = torch.Generator().manual_seed(4)
    for counts in ([2, 6], [1, 3, 4], [5, 1]):
        weight = torch.randn(4, 3, generator=generator, requires_grad=True)
        states = torch.randn(sum(counts), 3, generator=generator)
        labels = torch.randint(4, (sum(counts),), generator=generator)

        def gradient(states: Tensor, labels: Tensor, weight: Tensor = weight) -> Tensor:
            return torch.autograd.grad(F.cross_entropy(states @ weight.T, labels), weight)[0]

        gradients = [gradient(*part) for part in zip(states.split(counts), labels.split(counts), strict=True)]
        expected = gradient(states, labels)
        stacked = torch.stack(gradients)  # (parts, 4, 3)
        shares = torch.tensor(counts)[:, None, None] / sum(counts)
        mistakes = {
            "Every part has the same weight: one with few places counts as much as one with many.": stacked.mean(0),
            "The gradients are added as they are.": stacked.sum(0),
            "They are weighted by their counts, and not divided by the sum of these.": (stacked * shares).sum(0) * sum(counts),
            "They are weighted by their shares, and divided by all places once more.": (stacked * shares).sum(0) / sum(counts),
            "They are weighted by the squares of their counts.": (
                (stacked * shares * shares).sum(0) / (shares * shares).sum()
            ),
            "The first part is missing.": (stacked * shares)[1:].sum(0),
            "The last part is missing.": (stacked * shares)[:-1].sum(0),
            "The counts are in reverse order: each belongs to its own part.": (stacked * shares.flip(0)).sum(0),
            "The sign is turned round.": -expected,
            "Only the largest part counts.": gradients[counts.index(max(counts))],
            "They are divided by the largest count, not by the sum of all.": (
                (stacked * shares).sum(0) * sum(counts) / max(counts)
            ),
            "They are weighted, and then divided by the number of parts.": (stacked * shares).sum(0) / len(counts),
            "They are weighted by their counts, and divided by the number of parts instead of by all places.": (
                (stacked * shares).sum(0) * sum(counts) / len(counts)
            ),
            "The weights are upside down: the part with the fewest places counts most.": (
                (stacked / shares).sum(0) / (1 / shares).sum()
            ),
            "These are the gradients of means, and they are divided by the number of places once more.": (
                stacked.sum(0) / sum(counts)
            ),
            "This is the first part's gradient alone.": gradients[0],
            "This is the last part's gradient alone.": gradients[-1],
        }  # fmt: skip
        given = f"parts of {counts} places"
        yield Case(whole_gradient([part.clone() for part in gradients], list(counts)), expected, mistakes, given)
