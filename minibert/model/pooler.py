"""One vector for the whole sequence.

    pooled = tanh(W h_[CLS] + b)

Source: Devlin et al. 2019, §3 (the vector "C"). Reference class: `BertPooler`.
"""

from torch import Tensor, nn

from ..config import BertConfig


class BertPooler(nn.Module):
    """A dense layer and tanh over the first position: (batch, seq, hidden) → (batch, hidden)."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = nn.Tanh()

    def forward(self, hidden_states: Tensor) -> Tensor:
        cls_vector = hidden_states[:, 0]  # (batch, hidden)
        return self.activation(self.dense(cls_vector))
