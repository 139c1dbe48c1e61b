"""`from_pretrained(…, from_tf=True)`, as programs of the reference's era spell it."""

from pathlib import Path

import pytest

from minibert import BertConfig, BertForPreTraining
from minibert.checkpoints import CheckpointError
from tests.unit.tiny_bert import same_weights

FOLDER = Path(__file__).parents[2] / "fixtures" / "tensorflow" / "pretraining"


@pytest.mark.parametrize("place", ["", "bert_model.ckpt", "bert_model.ckpt.index"])
def test_a_folder_and_both_spellings_of_the_file_open(place: str) -> None:
    config = BertConfig.from_json_file(FOLDER / "bert_config.json")
    model = BertForPreTraining.from_pretrained(FOLDER / place, from_tf=True, config=config)
    assert same_weights(model, BertForPreTraining.from_pretrained(FOLDER))


def test_asked_for_tensorflow_other_weights_are_not_read(tmp_path: Path) -> None:
    BertForPreTraining.from_pretrained(FOLDER).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError):
        BertForPreTraining.from_pretrained(tmp_path, from_tf=True)
