"""The batches of pre-training answer to their old names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from minibert.data.corpus import TRAIN
from minibert.data.pretraining_batches import PretrainingBatches as Batches
from tests.unit.training.small_run import corpus, tokenizer

pytestmark = pytest.mark.filterwarnings("ignore:minibert:DeprecationWarning")


def test_a_program_of_before_gets_the_rows_of_today(tmp_path: Path) -> None:
    from minibert.data.pretraining import PretrainingBatches, shuffled

    read, tok = corpus(tmp_path).corpus(TRAIN), tokenizer(tmp_path)
    old, new = PretrainingBatches.of(read, tok, seed=3), Batches(read, tok, seed=3)
    assert isinstance(old, Batches)
    places = [old._place(index, 29, np.random.default_rng(index)) for index in range(100)]
    assert places == [new.first_token(index, 29) for index in range(100)]
    assert torch.equal(old.batch(1, 0, range(4), 32)["input_ids"], new.batch(1, 0, range(4), 32)["input_ids"])
    assert sorted(shuffled(index, 10, 5) for index in range(10)) == list(range(10))
