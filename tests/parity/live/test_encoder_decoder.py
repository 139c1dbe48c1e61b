"""A pair of BERTs beside the newest transformers: the same numbers, and checkpoints that travel both ways.

Today's library no longer ties an encoder to a decoder; a tied pair of ours opens there as two equal sides.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from side_by_side import LIMIT, TINY, draw_every_parameter, text_batch, without_position_ids

import minibert

OF_PAIR = {"decoder_start_token_id": 2, "pad_token_id": 0}

# today's library warns about the loss it computed before 4.12
pytestmark = pytest.mark.filterwarnings("ignore:Version v4.12.0 introduces:FutureWarning")
every_pair = pytest.mark.parametrize("tied", [False, True])


def new_pair(library: Any, **of_pair: Any) -> Any:
    """A pair of the library, in evaluation mode, every parameter drawn."""
    config = library.EncoderDecoderConfig.from_encoder_decoder_configs(
        library.BertConfig(**TINY), library.BertConfig(**TINY), **OF_PAIR, **of_pair
    )
    model = library.EncoderDecoderModel(config=config).eval()
    draw_every_parameter(model)
    return model


def outputs(model: Any) -> dict[str, torch.Tensor]:
    """Logits, loss and the encoder's last states.

    The decoder's mask is given: without one, today's library hides the padding it puts where a label does not count.
    """
    batch = text_batch()
    labels = batch["input_ids"][:, :5].clone()
    labels[1, 3:] = -100
    found = model(**batch, labels=labels, decoder_attention_mask=torch.ones_like(labels), use_cache=False)
    return {name: found[name].detach() for name in ("loss", "logits", "encoder_last_hidden_state")}


def assert_close(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    for name, tensor in expected.items():
        assert float((found[name] - tensor).abs().max()) <= LIMIT, name


@every_pair
def test_a_pair_saved_here_opens_there_and_computes_the_same(tied: bool, tmp_path: Path) -> None:
    ours = new_pair(minibert, tie_encoder_decoder=tied)
    ours.save_pretrained(tmp_path)
    theirs, info = transformers.EncoderDecoderModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values())
    found, expected = without_position_ids(theirs.state_dict()), without_position_ids(ours.state_dict())
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert_close(outputs(theirs), outputs(ours))


@every_pair
def test_a_pair_that_went_there_and_back_is_the_same(tied: bool, tmp_path: Path) -> None:
    ours = new_pair(minibert, tie_encoder_decoder=tied)
    ours.save_pretrained(tmp_path / "ours")
    transformers.EncoderDecoderModel.from_pretrained(tmp_path / "ours").save_pretrained(tmp_path / "theirs")
    back = minibert.EncoderDecoderModel.from_pretrained(tmp_path / "theirs")
    assert back.config.tie_encoder_decoder == tied
    assert len(list(back.parameters())) == len(list(ours.parameters()))
    assert_close(outputs(back), outputs(ours))


def test_a_pair_saved_there_opens_here_and_computes_the_same(tmp_path: Path) -> None:
    theirs = new_pair(transformers)
    theirs.save_pretrained(tmp_path)
    ours, info = minibert.EncoderDecoderModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values())
    assert ours.config.decoder_start_token_id == 2
    assert_close(outputs(ours), outputs(theirs))
