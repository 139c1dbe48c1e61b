"""BertForPreTraining: two predictions, and the plain sum of two losses when both labels are there."""

import pytest
import torch
import torch.nn.functional as F

from minibert import BertForMaskedLM, BertForPreTraining
from tests.unit.tiny_bert import text_batch, tiny, token_ids

NEXT = torch.tensor([0, 1])


@pytest.fixture
def model() -> BertForPreTraining:
    return tiny(BertForPreTraining, initializer_range=0.5)


def some_labels() -> torch.Tensor:
    """Labels at three places, −100 elsewhere."""
    labels = torch.full((2, 7), -100)
    labels[0, 1], labels[0, 5], labels[1, 2] = 3, 98, 0
    return labels


def test_it_predicts_words_and_whether_b_follows_a(model: BertForPreTraining) -> None:
    outputs = model(**text_batch())
    assert list(outputs) == ["prediction_logits", "seq_relationship_logits"]
    assert outputs.prediction_logits.shape == (2, 7, 99)
    assert outputs.seq_relationship_logits.shape == (2, 2)


def test_there_is_a_loss_only_when_both_labels_are_given(model: BertForPreTraining) -> None:
    assert model(**text_batch(), labels=some_labels()).loss is None
    assert model(**text_batch(), next_sentence_label=NEXT).loss is None
    assert model(**text_batch(), labels=some_labels(), next_sentence_label=NEXT).loss is not None


def test_the_loss_is_the_sum_of_both(model: BertForPreTraining) -> None:
    labels = some_labels()
    outputs = model(**text_batch(), labels=labels, next_sentence_label=NEXT)
    counted = labels != -100
    words = F.cross_entropy(outputs.prediction_logits[counted], labels[counted])
    sentence = -outputs.seq_relationship_logits.log_softmax(-1)[[0, 1], NEXT].mean()
    assert outputs.loss.shape == ()
    torch.testing.assert_close(outputs.loss, words + sentence)


def test_places_without_a_label_do_not_count(model: BertForPreTraining) -> None:
    loss = model(**text_batch(), labels=some_labels(), next_sentence_label=NEXT).loss
    loss.backward()
    bias_gradient = model.cls.predictions.bias.grad
    labels = torch.full((2, 7), -100)
    labels[0, 1] = 3
    fewer = model(**text_batch(), labels=labels, next_sentence_label=NEXT).loss
    assert not torch.equal(loss, fewer)
    torch.testing.assert_close(bias_gradient.sum(), torch.tensor(0.0), rtol=0, atol=1e-5)


def test_labels_may_be_flat(model: BertForPreTraining) -> None:
    expected = model(**text_batch(), labels=some_labels(), next_sentence_label=NEXT).loss
    assert torch.equal(
        model(**text_batch(), labels=some_labels().flatten(), next_sentence_label=NEXT[:, None]).loss, expected
    )


def test_as_a_tuple_the_loss_comes_first(model: BertForPreTraining) -> None:
    given = {**text_batch(), "labels": some_labels(), "next_sentence_label": NEXT}
    loss, words, sentence = model(**given, return_dict=False)
    outputs = model(**given)
    assert torch.equal(loss, outputs.loss)
    assert torch.equal(words, outputs.prediction_logits)
    assert torch.equal(sentence, outputs.seq_relationship_logits)


def test_its_words_are_those_of_the_masked_word_model(model: BertForPreTraining) -> None:
    alone = BertForMaskedLM.from_pretrained(None, config=model.config, state_dict=model.state_dict())
    assert torch.equal(alone(**text_batch()).logits, model(**text_batch()).prediction_logits)


def test_the_same_words_as_ids_or_as_vectors(model: BertForPreTraining) -> None:
    vectors = model.get_input_embeddings()(token_ids())
    assert torch.equal(model(inputs_embeds=vectors)[0], model(token_ids())[0])
