"""BertForMultipleChoice: every choice is a sequence of its own, and one of them is right."""

import pytest
import torch
from torch import Tensor

from minibert import BertForMultipleChoice
from tests.unit.tiny_bert import text_batch, tiny

LABELS = torch.tensor([1, 0])


def choices() -> dict[str, Tensor]:
    """Two questions of three choices: (2, 3, 7)."""
    return {
        name: torch.stack([value, value.flip(0), value.roll(1, dims=1)], dim=1) for name, value in text_batch().items()
    }


@pytest.fixture
def model() -> BertForMultipleChoice:
    return tiny(BertForMultipleChoice, initializer_range=0.5)


def test_the_loss_is_a_softmax_over_the_choices(model: BertForMultipleChoice) -> None:
    outputs = model(**choices(), labels=LABELS)
    assert outputs.logits.shape == (2, 3)
    log_probabilities = outputs.logits.log_softmax(-1)
    torch.testing.assert_close(outputs.loss, -(log_probabilities[0, 1] + log_probabilities[1, 0]) / 2)


def test_the_order_of_the_choices_is_the_order_of_the_scores(model: BertForMultipleChoice) -> None:
    forwards = model(**choices()).logits
    backwards = model(**{name: value.flip(1) for name, value in choices().items()}).logits
    torch.testing.assert_close(backwards, forwards.flip(1))


def test_word_vectors_may_stand_for_the_ids(model: BertForMultipleChoice) -> None:
    inputs = choices()
    vectors = model.get_input_embeddings()(inputs.pop("input_ids"))  # (2, 3, 7, 32)
    torch.testing.assert_close(model(inputs_embeds=vectors, **inputs).logits, model(**choices()).logits)


def test_a_batch_without_a_dimension_for_the_choices_is_refused(model: BertForMultipleChoice) -> None:
    with pytest.raises(ValueError, match=r"input_ids.*\(batch, choices, seq\)"):
        model(**text_batch())


def test_a_choice_that_is_not_there_cannot_be_right(model: BertForMultipleChoice) -> None:
    with pytest.raises(ValueError, match=r"labels\[0\] is 3; labels run from 0 to 2"):
        model(**choices(), labels=torch.tensor([3, 0]))
