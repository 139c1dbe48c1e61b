"""BertForNextSentencePrediction: two scores a pair, and an old name for the labels."""

import pytest
import torch

from minibert import BertForNextSentencePrediction, BertTokenizer
from tests.unit.tiny_bert import BUNDLED, text_batch, tiny

LABELS = torch.tensor([0, 1])


def test_the_loss_is_the_mean_negative_log_probability_of_the_label() -> None:
    model = tiny(BertForNextSentencePrediction, initializer_range=0.5)
    outputs = model(**text_batch(), labels=LABELS)
    assert outputs.logits.shape == (2, 2)
    log_probabilities = outputs.logits.log_softmax(-1)
    torch.testing.assert_close(outputs.loss, -(log_probabilities[0, 0] + log_probabilities[1, 1]) / 2)


def test_the_old_name_of_the_labels_still_works_and_says_so() -> None:
    model = tiny(BertForNextSentencePrediction)
    with pytest.warns(FutureWarning, match="next_sentence_label"):
        old = model(**text_batch(), next_sentence_label=LABELS).loss
    assert torch.equal(old, model(**text_batch(), labels=LABELS).loss)


def test_a_misspelt_argument_says_so() -> None:
    with pytest.raises(TypeError, match="lables"):
        tiny(BertForNextSentencePrediction)(**text_batch(), lables=LABELS)


def test_the_bundled_model_tells_a_continuation_from_a_random_sentence() -> None:
    tokenizer = BertTokenizer.from_pretrained(BUNDLED)
    model = BertForNextSentencePrediction.from_pretrained(BUNDLED)
    first = "The captain looked at the black clouds and ordered the men to take in the sails."
    follows = "But the storm was upon them before the sailors could climb the mast."
    random = "She poured the tea and asked whether he took sugar."
    with torch.no_grad():
        scores = [
            model(**tokenizer(first, second, return_tensors="pt")).logits.softmax(-1)[0, 0].item()
            for second in (follows, random)
        ]
    assert scores[0] > scores[1]


def test_the_old_name_of_the_labels_is_taken_and_warned_of() -> None:
    model, labels = tiny(BertForNextSentencePrediction), torch.tensor([0, 1])
    with pytest.warns(FutureWarning, match=r"^`next_sentence_label` is deprecated: call it `labels`\.$"):
        old = model(**text_batch(), next_sentence_label=labels)
    assert torch.equal(old.loss, model(**text_batch(), labels=labels).loss)
