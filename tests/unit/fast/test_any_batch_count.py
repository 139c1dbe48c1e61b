"""The command that runs 10,000 batches counts the bits that differ."""

from __future__ import annotations

import pytest
import torch

from scripts import any_batch
from scripts.any_batch import Count, Whole
from tests.threads import threads


@pytest.mark.parametrize("generates", [False, True])
def test_no_bit_differs_and_one_that_did_would_be_counted(generates: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(any_batch, "TEXTS", 3)
    found = []
    with torch.no_grad(), threads(torch.get_num_threads()):  # which a batch changes
        for spoiled in (False, True):
            whole, count = Whole(1, generates=generates), Count()
            if spoiled:
                whole.alone = [[t + 1 for t in one] if isinstance(one, list) else one + 1 for one in whole.alone]
            for _ in range(3):
                if generates:
                    whole.generated_batch(count, 1)
                else:
                    whole.forward_batch(count, 1, also_plain=True)
            found.append(count)
    right, spoiled = found
    assert right.differing == 0
    assert right.numbers == spoiled.differing > 0
    assert right.digest.hexdigest() == spoiled.digest.hexdigest()  # of what was found, not of what was expected
    assert right.plain_texts == (0 if generates else right.texts)
