"""BertForQuestionAnswering: where an answer starts and ends."""

import pytest
import torch

from minibert import BertForQuestionAnswering
from tests.unit.tiny_bert import text_batch, tiny


@pytest.fixture
def model() -> BertForQuestionAnswering:
    return tiny(BertForQuestionAnswering, initializer_range=0.5)


def test_the_loss_is_the_mean_over_both_ends(model: BertForQuestionAnswering) -> None:
    starts, ends = torch.tensor([1, 0]), torch.tensor([4, 3])
    outputs = model(**text_batch(), start_positions=starts, end_positions=ends)
    assert outputs.start_logits.shape == outputs.end_logits.shape == (2, 7)
    rows = torch.arange(2)
    start_loss = -outputs.start_logits.log_softmax(-1)[rows, starts].mean()
    end_loss = -outputs.end_logits.log_softmax(-1)[rows, ends].mean()
    torch.testing.assert_close(outputs.loss, (start_loss + end_loss) / 2)


def test_an_answer_behind_the_text_does_not_count(model: BertForQuestionAnswering) -> None:
    inside = torch.tensor([1])
    row = {name: value[:1] for name, value in text_batch().items()}
    alone = model(**row, start_positions=inside, end_positions=inside).loss
    both = torch.tensor([1, 400])
    assert torch.allclose(model(**text_batch(), start_positions=both, end_positions=both).loss, alone)


def test_a_negative_position_means_the_first_token(model: BertForQuestionAnswering) -> None:
    ends = torch.tensor([4, 3])
    negative = model(**text_batch(), start_positions=torch.tensor([-3, 0]), end_positions=ends).loss
    zero = model(**text_batch(), start_positions=torch.tensor([0, 0]), end_positions=ends).loss
    assert torch.equal(negative, zero)


def test_positions_may_come_as_a_column(model: BertForQuestionAnswering) -> None:
    positions = torch.tensor([1, 2])
    flat = model(**text_batch(), start_positions=positions, end_positions=positions).loss
    column = model(**text_batch(), start_positions=positions[:, None], end_positions=positions[:, None]).loss
    assert torch.equal(flat, column)


def test_one_end_alone_gives_no_loss(model: BertForQuestionAnswering) -> None:
    assert model(**text_batch(), start_positions=torch.tensor([1, 2])).loss is None


def test_it_needs_exactly_two_scores_a_token() -> None:
    with pytest.raises(ValueError, match="num_labels must be 2; it is 3"):
        tiny(BertForQuestionAnswering, num_labels=3)


@pytest.mark.parametrize("wrong", [torch.tensor([1.0, 2.0]), torch.tensor([1, 2, 3])])
def test_positions_of_another_kind_are_refused(model: BertForQuestionAnswering, wrong: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="start_positions has"):
        model(**text_batch(), start_positions=wrong, end_positions=torch.tensor([1, 2]))
