"""Training steps in less time: in float32 on AMD's Zen 5 2.6 times as fast for BERT-base, six times in a small model with a large vocabulary.

    with fast.training(model):
        loss = model(**batch).loss
        loss.backward()

Four ways at once, all of the plain way's equations: linear layers through the faster library (`linear_layers.py`), dropout masks drawn
four values at a time (`dropout.py`), words scored and the last layer computed only where the loss reads it (`loss_only.py`,
`last_layer.py`). On a GPU, where the first two change nothing, attention is PyTorch's fused kernel (`fused_attention.py`). Last digits
and dropout masks are not the reference's. Around one step or around a whole loop, it is the same. A copy of the model that is made
within stays fast: make copies, of a best model for example, outside.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ..model import BertPreTrainedModel
from .dropout import fast_dropout
from .fused_attention import fused_on_gpu
from .linear_layers import linear
from .loss_only import loss_only


@contextmanager
def training(model: BertPreTrainedModel) -> Iterator[None]:
    """Within, training steps of the model take less time. In training mode, with labels, word predictors and taggers give their loss alone."""
    with linear(model), fast_dropout(model), fused_on_gpu(model), loss_only(model):
        yield
