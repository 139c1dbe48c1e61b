"""BertForMaskedLM: a score for every word at every place, and the loss over the hidden ones."""

import pytest
import torch

from minibert import BertForMaskedLM, BertTokenizer
from tests.unit.tiny_bert import BUNDLED, text_batch, tiny, token_ids


@pytest.fixture
def model() -> BertForMaskedLM:
    return tiny(BertForMaskedLM, initializer_range=0.5)


def test_every_place_gets_a_score_for_every_word(model: BertForMaskedLM) -> None:
    outputs = model(**text_batch())
    assert list(outputs) == ["logits"]
    assert outputs.logits.shape == (2, 7, 99)


def test_a_decoder_under_it_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    tiny(BertForMaskedLM)
    assert not caplog.records
    tiny(BertForMaskedLM, is_decoder=True)
    expected = "BertForMaskedLM reads in both directions: it wants a config with is_decoder=False."
    assert [(record.name, record.getMessage()) for record in caplog.records] == [("minibert", expected)]


def test_it_has_no_pooler(model: BertForMaskedLM) -> None:
    assert model.bert.pooler is None
    assert not any("pooler" in name for name in model.state_dict())


def test_the_loss_is_the_mean_negative_log_probability_of_the_hidden_words(model: BertForMaskedLM) -> None:
    labels = torch.full((2, 7), -100)
    labels[0, 2], labels[1, 0] = 7, 98
    outputs = model(**text_batch(), labels=labels)
    log_probabilities = outputs.logits.log_softmax(-1)
    expected = -(log_probabilities[0, 2, 7] + log_probabilities[1, 0, 98]) / 2
    torch.testing.assert_close(outputs.loss, expected)


def test_a_label_of_minus_100_counts_for_nothing(model: BertForMaskedLM) -> None:
    labels = token_ids()
    labels[:, 3:] = -100
    loss = model(token_ids(), labels=labels).loss
    logits = model(token_ids()).logits[:, :3]
    expected = -logits.log_softmax(-1).gather(-1, labels[:, :3, None]).mean()
    torch.testing.assert_close(loss, expected)


def test_a_tuple_holds_the_loss_only_with_labels(model: BertForMaskedLM) -> None:
    assert len(model(**text_batch(), return_dict=False)) == 1
    loss, logits = model(**text_batch(), labels=token_ids(), return_dict=False)
    assert (loss.shape, logits.shape) == ((), (2, 7, 99))


def test_hidden_states_and_attentions_follow_the_logits(model: BertForMaskedLM) -> None:
    logits, states, attentions = model(
        **text_batch(), output_hidden_states=True, output_attentions=True, return_dict=False
    )
    assert (logits.shape, len(states), len(attentions)) == ((2, 7, 99), 3, 2)


def test_it_can_read_an_encoder() -> None:
    model = tiny(BertForMaskedLM, is_decoder=True, add_cross_attention=True, initializer_range=0.5)
    encoder = torch.randn(2, 3, 32, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    given = {"encoder_hidden_states": encoder, "encoder_attention_mask": mask}
    before = model(**text_batch(), **given).logits
    encoder[1, 2] += 5  # hidden by its mask
    assert torch.equal(model(**text_batch(), **given).logits, before)
    encoder[1, 1] += 5
    assert not torch.allclose(model(**text_batch(), **given).logits, before)


def test_the_bundled_model_knows_what_was_shaken() -> None:
    tokenizer = BertTokenizer.from_pretrained(BUNDLED)
    model = BertForMaskedLM.from_pretrained(BUNDLED)
    inputs = tokenizer("He shook his [MASK].", return_tensors="pt")
    place = inputs["input_ids"][0].tolist().index(tokenizer.mask_token_id)
    with torch.no_grad():
        best = model(**inputs).logits[0, place].argmax().item()
    assert tokenizer.convert_ids_to_tokens(best) == "head"
