"""Exercises of chapter 18, making it fast. Check them with `minibert check 18`."""

import torch
import torch.nn.functional as F
from torch import Tensor


def multiplications(layers: int, hidden: int, inner: int, vocabulary: int, words: int) -> int:
    """How many a forward of one text takes, the word head (transform and decoder) at every place included.

    In each layer: four projections hidden → hidden; feed-forward hidden → inner → hidden; attention, once for the scores and once for
    the mean of the values, each a product of words × words × hidden. Embeddings, biases, LayerNorm and softmax do not count.

    15 minutes, medium.
    """
    raise NotImplementedError


def pack(hidden_states: Tensor, attention_mask: Tensor) -> tuple[Tensor, list[int]]:
    """The real words of all texts end to end, and how many each text has.

    hidden_states: (batch, seq, hidden). attention_mask: (batch, seq) of 1 for words and 0 for padding. Returns
    (1, words, hidden), the first text's words first, and a list of `batch` numbers.

    10 minutes, medium.
    """
    raise NotImplementedError


def loss_where_asked(hidden_states: Tensor, weight: Tensor, bias: Tensor, labels: Tensor) -> tuple[Tensor, int]:
    """The mean cross-entropy over the places whose label is not −100, and how many places were scored: those, and no others.

    hidden_states: (batch, seq, hidden). weight: (vocab, hidden) and bias: (vocab), of the scores W h + b. labels: (batch, seq).
    `F.cross_entropy` is welcome.

    10 minutes, medium.
    """
    raise NotImplementedError


def whole_gradient(gradients: list[Tensor], counts: list[int]) -> Tensor:
    """The gradient of a whole batch, from its parts.

    gradients: of each part, that of the mean loss over its own asked places. counts: how many places each part asks. The whole batch's
    loss is the mean over all asked places. The gradients given stay as they are.

    10 minutes, medium.
    """
    raise NotImplementedError
