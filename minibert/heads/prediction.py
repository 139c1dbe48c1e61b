"""From hidden states to predictions: which word stands here, and does B follow A?

    word scores  = E LayerNorm(gelu(W h + b)) + bias         E: the word embeddings, used backwards
    next or not  = W' pooled + b'

Source: Devlin et al. 2019, §3.1; Press & Wolf 2017 for the tied decoder. Reference classes:
`BertPredictionHeadTransform`, `BertLMPredictionHead`, `BertOnlyMLMHead`, `BertOnlyNSPHead`, `BertPreTrainingHeads`.
"""

import torch
from torch import Tensor, nn

from ..config import BertConfig
from ..model.activations import get_activation
from ..model.pretrained import BertPreTrainedModel


class BertPredictionHeadTransform(nn.Module):
    """LayerNorm(gelu(W h + b)): (batch, seq, hidden) → the same shape."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.transform_act_fn = get_activation(config.hidden_act)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.LayerNorm(self.transform_act_fn(self.dense(hidden_states)))


class BertLMPredictionHead(nn.Module):
    """A score for every word of the vocabulary: (batch, seq, hidden) → (batch, seq, vocab), before any softmax.

    The decoder's weight is the word embeddings (tied by the model, which knows both); its bias is this head's own.
    The bias has two names, `bias` and `decoder.bias`, and is one parameter: checkpoints hold it under either.
    """

    def __init__(self, config: BertConfig):
        super().__init__()
        self.transform = BertPredictionHeadTransform(config)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.decoder.bias = self.bias

    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.decoder(self.transform(hidden_states))

    def set_decoder(self, decoder: nn.Linear) -> None:
        """Put another decoder in place; the head's bias is its bias. One without a bias is given the head's."""
        if decoder.bias is None:
            decoder.bias = self.bias  # type: ignore[unreachable]
        self.decoder = decoder
        self.bias = decoder.bias


class BertOnlyMLMHead(nn.Module):
    """The word predictor alone."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.predictions = BertLMPredictionHead(config)

    def forward(self, sequence_output: Tensor) -> Tensor:
        return self.predictions(sequence_output)


class BertOnlyNSPHead(nn.Module):
    """The next-sentence predictor alone: (batch, hidden) → (batch, 2), column 0 for "B follows A"."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.seq_relationship = nn.Linear(config.hidden_size, 2)

    def forward(self, pooled_output: Tensor) -> Tensor:
        return self.seq_relationship(pooled_output)


class BertPreTrainingHeads(nn.Module):
    """Both predictors: word scores (batch, seq, vocab) and next-sentence scores (batch, 2)."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.predictions = BertLMPredictionHead(config)
        self.seq_relationship = nn.Linear(config.hidden_size, 2)

    def forward(self, sequence_output: Tensor, pooled_output: Tensor) -> tuple[Tensor, Tensor]:
        return self.predictions(sequence_output), self.seq_relationship(pooled_output)


class BertWordPredictor(BertPreTrainedModel):
    """Base of the models that predict words: their decoder is what `tie_weights` ties to the word embeddings."""

    cls: BertOnlyMLMHead | BertPreTrainingHeads

    def get_output_embeddings(self) -> nn.Linear:
        """The decoder, whose weight is the word embeddings."""
        return self.cls.predictions.decoder

    def set_output_embeddings(self, new_embeddings: nn.Linear) -> None:
        """Replace the decoder; its bias becomes the head's."""
        self.cls.predictions.set_decoder(new_embeddings)
