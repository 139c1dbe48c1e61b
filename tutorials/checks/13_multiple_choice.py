"""Checks of chapter 13: pairs, shapes, and the softmax over the choices."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course.hints import NO_GRADIENT, Case, Checked, gradient_of
from course.samples import sample
from minibert import BertTokenizer
from minibert.heads.multiple_choice import rows
from minibert.tasks import ChoiceExample, Report, encode_choices, read_choices

Pairs = list[tuple[str, str]]


def check_pairs_of(pairs_of: Callable[[str, str, list[str]], Pairs]) -> Checked:
    questions, _ = read_choices(sample("endings.csv"))
    for question in (questions[2], questions[0], ChoiceExample("It rains.", "", ("The roof leaks.", "Bees sing."))):
        context, beginning, endings = question.context, question.beginning, list(question.endings)
        expected = [(context, f"{beginning} {ending}".strip()) for ending in endings]
        mistakes = {
            "The beginning stands with the context; it begins the second text.": (
                [(f"{context} {beginning}".strip(), ending) for ending in endings]
            ),
            "The beginning is missing.": [(context, ending) for ending in endings],
            "There is no space between beginning and ending.": [(context, beginning + ending) for ending in endings],
            "Without a beginning, the second text begins with a space.": (
                [(context, f"{beginning} {ending}") for ending in endings]
            ),
            "The two texts have changed places: the context comes first.": [(b, a) for a, b in expected],
            "The beginning stands before the context, and begins the second text, too.": (
                [(f"{beginning} {context}".strip(), f"{beginning} {ending}".strip()) for ending in endings]
            ),
            "The ending stands before the beginning.": [
                (context, f"{ending} {beginning}".strip()) for ending in endings
            ],
            "The context is missing.": [(beginning, ending) for ending in endings],
            "The pairs are in reverse order.": expected[::-1],
            "Only the last ending is there; each needs a pair.": expected[-1:],
            "All have the first ending.": [expected[0]] * len(endings),
            "The second text has a space too many between beginning and ending.": (
                [(context, f"{beginning}  {ending}".strip()) for ending in endings]
            ),
            "Each is one text; two are asked for, so that they become two segments.": [f"{a} {b}" for a, b in expected],
            "Only the first ending is there; each needs a pair.": expected[:1],
            "These are lists; each pair is a tuple.": [list(pair) for pair in expected],
        }
        given = f"“{context}”, beginning “{beginning}”, {len(endings)} endings"
        result = pairs_of(context, beginning, list(endings))
        yield Case(result, expected, mistakes, given)
        if _encoded(result) != _librarys(question):
            return f"{given}: The library reads other ids for this question."


def check_flatten(flatten: Callable[[Tensor], Tensor]) -> Checked:
    for batch, choices, seq in ((2, 3, 4), (3, 2, 5), (1, 4, 3)):
        ids = torch.arange(batch * choices * seq).view(batch, choices, seq)
        mistakes = {
            "The first choices of all questions stand together; a question's own choices should.": (
                ids.transpose(0, 1).reshape(-1, seq)
            ),
            "The pieces of different texts are mixed: a row of the result must be a row of `ids`.": (
                ids.transpose(1, 2).reshape(-1, seq)
            ),
            "The shape is (batch, choices · seq): a question's choices became one long text.": ids.reshape(batch, -1),
            "The questions stand next to each other in the last dimension: it is (seq, …) that stays.": (
                ids.permute(1, 2, 0).reshape(-1, seq)
            ),
            "The last choice of each question is there, the others are missing.": ids[:, -1],
            "Only the first question is there.": ids[0],
            "There is a dimension too many in front.": ids.reshape(1, -1, seq),
            "Everything is in one row; the last dimension stays.": ids.reshape(-1),
            "Rows and columns are swapped: seq stays the last dimension.": ids.reshape(-1, seq).T,
            "Only the first choice of each question is there.": ids[:, 0],
            "Nothing has changed; BERT reads two dimensions.": ids,
        }
        for given, column in (("ids", ids), ("ids that are not contiguous in memory", _not_contiguous(ids))):
            yield Case(flatten(column), rows(ids), mistakes, f"{given} of shape {(batch, choices, seq)}")


def check_logits_of(logits_of: Callable[[Tensor, int], Tensor]) -> Checked:
    for batch, choices in ((2, 3), (4, 2), (3, 4)):
        scores = torch.arange(batch * choices).float().view(-1, 1)
        expected = scores.view(batch, choices)
        mistakes = {
            "The questions are mixed: a question's choices stand next to each other in `scores`, so they make a row.": (
                scores.view(choices, batch).T
            ),
            "Rows are choices; rows should be questions.": expected.T,
            "The shape is that of choices by questions, and the questions are mixed.": scores.view(choices, batch),
            "The scores are sorted; each stays where it is.": expected.sort(-1, descending=True).values,
            "There is a last dimension of 1 too many.": expected[..., None],
            "The last dimension is gone, but the questions are not apart.": scores.view(-1),
            "The scores have become probabilities already; the loss does that.": expected.softmax(-1),
        }
        given = f"{batch} questions with {choices} choices, scores 0, 1, 2, …"
        yield Case(logits_of(scores.clone(), choices), expected, mistakes, given)


def check_choice_loss(choice_loss: Callable[[Tensor, Tensor], Tensor]) -> Checked:
    generator = torch.Generator().manual_seed(4)
    for batch, choices in ((3, 4), (5, 2), (4, 3)):
        logits = 2 * torch.randn(batch, choices, generator=generator)
        labels = torch.randint(0, choices, (batch,), generator=generator)
        right = labels[:, None]
        probabilities = logits.softmax(-1).gather(-1, right)
        together = torch.log_softmax(logits.flatten(), 0).view(batch, choices)
        yes = F.one_hot(labels, choices).float()
        mistakes = {
            "The sign: a loss is not negative.": -F.cross_entropy(logits, labels),
            "This is the sum over the questions; asked for is the mean.": F.cross_entropy(logits, labels, reduction="sum"),
            "The softmax runs over the wrong axis: over the questions. The choices of one question compete.": (
                -torch.log_softmax(logits, 0).gather(-1, right).mean()
            ),
            "The softmax runs over all choices of all questions; those of one question compete.": -together.gather(-1, right).mean(),
            "Each choice is judged by itself, with σ; asked for is a softmax over the choices.": (
                F.binary_cross_entropy_with_logits(logits, yes)
            ),
            "Only the right choice is judged, with σ; asked for is a softmax over the choices.": (
                -F.logsigmoid(logits).gather(-1, right).mean()
            ),
            "The softmax is missing: these are scores.": -logits.gather(-1, right).mean(),
            "The logarithm is missing: these are probabilities.": -probabilities.mean(),
            "The logarithm is taken of the mean; asked for is the mean of logarithms.": -probabilities.mean().log(),
            "The mean is over all choices: the right choice of each question is missing.": -torch.log_softmax(logits, -1).mean(),
            "The sum is divided by all choices of all questions; divide by the questions.": (
                F.cross_entropy(logits, labels) / choices
            ),
            "It is divided by the number of questions twice.": F.cross_entropy(logits, labels) / batch,
            "Only the first question is judged.": F.cross_entropy(logits[:1], labels[:1]),
            "The label is always choice 0. Are `labels` used?": F.cross_entropy(logits, torch.zeros_like(labels)),
            "The logarithm is to the base 2; asked for is the base e.": F.cross_entropy(logits, labels) / math.log(2),
            "It picks the unlikeliest choice, not the right one.": -torch.log_softmax(logits, -1).amin(-1).mean(),
            "The right choices are picked by the wrong axis.": -torch.log_softmax(logits, -1)[:, labels].mean(),
            "This is 1 − p of the right choices; asked for is −log p.": 1 - probabilities.mean(),
            "The softmax is taken twice.": F.cross_entropy(logits.softmax(-1), labels),
            "It picks the likeliest choice, not the right one.": -torch.log_softmax(logits, -1).amax(-1).mean(),
        }  # fmt: skip
        given = f"logits of shape {(batch, choices)}"
        expected = F.cross_entropy(logits, labels)
        yield Case(choice_loss(logits.clone(), labels.clone()), expected, mistakes, given)
    yield Case(
        gradient_of(lambda logits: choice_loss(logits, labels.clone()), logits),
        gradient_of(lambda logits: F.cross_entropy(logits, labels), logits),
        {NO_GRADIENT: None},
        "the gradient",
    )
    given = "scores of hundreds, where e to a score, or a probability, is more or less than a float holds"
    yield Case(choice_loss(100 * logits, labels.clone()), F.cross_entropy(100 * logits, labels), {}, given)


def _not_contiguous(ids: Tensor) -> Tensor:
    """The same numbers, lying in memory in another order: what `view` refuses and `reshape` does not."""
    return ids.transpose(0, 2).contiguous().transpose(0, 2)


def _encoded(pairs: Pairs) -> list[list[int]]:
    tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
    return [tokenizer(first, second)["input_ids"] for first, second in pairs]


def _librarys(question: ChoiceExample) -> list[list[int]]:
    """The ids that the library reads for a question."""
    tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
    [row] = encode_choices([question], tokenizer, 64, Report("a question", found=1))
    return list(row["input_ids"])
