"""`draw_as_reference`: the generator goes on as it would in the reference."""

from pathlib import Path

import torch

from minibert import BertForMaskedLM
from minibert.model.initialization import without_init_weights
from tests.unit.tiny_bert import same_weights, tiny, tiny_config


def test_loading_draws_nothing_unless_asked_to(tmp_path: Path) -> None:
    tiny(BertForMaskedLM).save_pretrained(tmp_path)
    torch.manual_seed(3)
    untouched = torch.rand(3)
    torch.manual_seed(3)
    BertForMaskedLM.from_pretrained(tmp_path)
    assert torch.equal(torch.rand(3), untouched)


def test_asked_to_it_draws_what_making_the_layers_draws(tmp_path: Path) -> None:
    model = tiny(BertForMaskedLM)
    model.save_pretrained(tmp_path)
    torch.manual_seed(3)
    with without_init_weights():
        BertForMaskedLM(tiny_config())
    expected = torch.rand(3)
    torch.manual_seed(3)
    loaded = BertForMaskedLM.from_pretrained(tmp_path, draw_as_reference=True)
    assert torch.equal(torch.rand(3), expected)
    assert same_weights(loaded, model)
