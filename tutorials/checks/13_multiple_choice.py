"""Checks of chapter 13: pairs, shapes, and the softmax over the choices."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course.hints import hint_for
from course.samples import sample
from minibert import BertTokenizer
from minibert.heads.multiple_choice import rows
from minibert.tasks import ChoiceExample, Report, encode_choices, read_choices

Pairs = list[tuple[str, str]]


def check_pairs_of(pairs_of: Callable[[str, str, list[str]], Pairs]) -> str | None:
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
            "Each is one text; two are asked for, so that they become two segments.": [f"{a} {b}" for a, b in expected],
            "Only the first ending is there; each needs a pair.": expected[:1],
            "These are lists; each pair is a tuple.": [list(pair) for pair in expected],
        }
        given = f"“{context}”, beginning “{beginning}”, {len(endings)} endings"
        result = pairs_of(context, beginning, list(endings))
        if hint := hint_for(result, expected, mistakes, given):
            return hint
        if _encoded(result) != _librarys(question):
            return f"{given}: The library reads other ids for this question."
    return None


def check_flatten(flatten: Callable[[Tensor], Tensor]) -> str | None:
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
            "Everything is in one row; the last dimension stays.": ids.reshape(-1),
            "Rows and columns are swapped: seq stays the last dimension.": ids.reshape(-1, seq).T,
            "Only the first choice of each question is there.": ids[:, 0],
            "Nothing has changed; BERT reads two dimensions.": ids,
        }
        for given, column in (("ids", ids), ("ids that are not contiguous in memory", _not_contiguous(ids))):
            if hint := hint_for(flatten(column), rows(ids), mistakes, f"{given} of shape {(batch, choices, seq)}"):
                return hint
    return None


def check_logits_of(logits_of: Callable[[Tensor, int], Tensor]) -> str | None:
    for batch, choices in ((2, 3), (4, 2), (3, 4)):
        scores = torch.arange(batch * choices).float().view(-1, 1)
        expected = scores.view(batch, choices)
        mistakes = {
            "The questions are mixed: a question's choices stand next to each other in `scores`, so they make a row.": (
                scores.view(choices, batch).T
            ),
            "Rows are choices; rows should be questions.": expected.T,
            "The shape is that of choices by questions, and the questions are mixed.": scores.view(choices, batch),
            "There is a last dimension of 1 too many.": expected[..., None],
            "The last dimension is gone, but the questions are not apart.": scores.view(-1),
            "The scores have become probabilities already; the loss does that.": expected.softmax(-1),
        }
        given = f"{batch} questions with {choices} choices, scores 0, 1, 2, …"
        if hint := hint_for(logits_of(scores.clone(), choices), expected, mistakes, given):
            return hint
    return None


def check_choice_loss(choice_loss: Callable[[Tensor, Tensor], Tensor]) -> str | None:
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
            "The softmax is taken twice.": F.cross_entropy(logits.softmax(-1), labels),
            "It picks the likeliest choice, not the right one.": -torch.log_softmax(logits, -1).amax(-1).mean(),
        }  # fmt: skip
        given = f"logits of shape {(batch, choices)}"
        expected = F.cross_entropy(logits, labels)
        if hint := hint_for(choice_loss(logits.clone(), labels.clone()), expected, mistakes, given):
            return hint
    return None


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
