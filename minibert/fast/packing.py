"""As fast again as a batch is padded (BERT-base on 32 texts: 1.7 times at 58% text, 3.8 at 28%): leave the padding out.

    (batch, seq, hidden)  — pack →  (1, tokens, hidden)  — layers →  (1, tokens, hidden)  — unpack →  (batch, seq, hidden)

Everything in a layer but attention works on each token alone, so a batch can be laid end to end in one row; attention
then runs over each text by itself, in PyTorch's fused kernel. Real tokens get the numbers they would have had, up to the
order of additions; where there was padding the result is 0. (`BertForQuestionAnswering` scores padding, too: its loss then is another.)

    with packed(model):                              or for good:
        model(**batch)                               model.set_attn_implementation("packed")

Source: the "effective transformer" (ByteDance 2020) and variable-length attention (Dao 2022). No reference class: ours.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import groupby
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..model.attention import BertSelfAttention
from ..model.bert import BertModel
from ..model.checks import values_unknown
from ..model.encoder import BertEncoder
from ..model.layer import BertLayer
from ..model.pretrained import BertPreTrainedModel

MUCH = 0.8  # of a batch is text: with less padding, taking it out costs what it saves


def packed_if_padded(model: BertPreTrainedModel, batch: Mapping[str, Tensor]) -> AbstractContextManager[None]:
    """`packed(model)` where a batch has much padding, on a CPU. (A GPU would wait for the lengths in every layer.)"""
    mask = batch.get("attention_mask")
    padded = mask is not None and mask.device.type == "cpu" and float(mask.float().mean()) < MUCH
    return packed(model) if padded else nullcontext()


@contextmanager
def packed(model: BertPreTrainedModel) -> Iterator[None]:
    """Within, the model leaves the padding of a batch out of all layers; then it attends as it did before."""
    before = model.config.attn_implementation
    model.set_attn_implementation("packed")
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def pack(body: BertModel) -> None:
    """Give the encoder and its attention the forwards of this file. The parameters stay what they are.

    A model with an encoder, layer or attention of another class, a student's own, keeps its forwards: nothing is packed.
    """
    encoder: Any = body.encoder
    stages = [type(encoder), *map(type, encoder.layer), *(type(layer.attention.self) for layer in encoder.layer)]
    if set(stages) <= {BertEncoder, BertLayer, BertSelfAttention}:
        encoder.__class__ = PackedEncoder
        for layer in encoder.layer:
            layer.attention.self.__class__ = PackedSelfAttention


def unpack(body: BertModel) -> None:
    """Give them the plain forwards back."""
    if isinstance(body.encoder, PackedEncoder):
        encoder: Any = body.encoder
        encoder.__class__ = BertEncoder
        for layer in encoder.layer:
            layer.attention.self.__class__ = BertSelfAttention


class Packing:
    """Where the real tokens of a padded batch are; in the place of a mask it says that each text sees itself.

    attention_mask: (batch, seq), 1 or True for text, 0 or False for padding.
    indices: (tokens,), their positions in the flattened batch. lengths: how many each row has, empty rows left out. runs: the same, as
    (count, length) of neighbours that have as many.
    """

    def __init__(self, attention_mask: Tensor):
        self.shape = attention_mask.shape
        self.indices = attention_mask.flatten().nonzero().flatten()
        self.lengths = [length for length in attention_mask.sum(dim=1).tolist() if length > 0]
        self.runs = [(len(list(run)), length) for length, run in groupby(self.lengths)]

    def pack(self, padded: Tensor) -> Tensor:
        """(batch, seq, hidden) → (1, tokens, hidden)"""
        return padded.flatten(0, 1).index_select(0, self.indices)[None]

    def unpack(self, packed: Tensor) -> Tensor:
        """(1, tokens, hidden) → (batch, seq, hidden), 0 where there is padding."""
        batch_size, seq_length = self.shape
        padded = packed.new_zeros(batch_size * seq_length, packed.size(-1))
        return padded.index_copy(0, self.indices, packed[0]).view(batch_size, seq_length, -1)


class PackedEncoder(BertEncoder):
    """The stack, run over the real tokens only."""

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None, **asked: Any) -> Any:  # type: ignore[override]
        """As `BertEncoder.forward`. What cannot be packed is run as it is."""
        if attention_mask is None or not self.can_pack(attention_mask, **asked):
            return super().forward(hidden_states, attention_mask=attention_mask, **asked)
        packing = Packing((attention_mask[:, 0, 0] == 0).expand(hidden_states.shape[:2]))
        # The layers hand the packing on, as they do with a mask, to PackedSelfAttention.
        outputs: Any = super().forward(packing.pack(hidden_states), attention_mask=packing, **asked)  # type: ignore[arg-type]
        outputs.last_hidden_state = packing.unpack(outputs.last_hidden_state)
        if outputs.hidden_states is not None:
            outputs.hidden_states = tuple(map(packing.unpack, outputs.hidden_states))
        return outputs

    def can_pack(self, attention_mask: Tensor, return_dict: bool = True, **asked: Any) -> bool:
        """Whether only padding is hidden, by −10000 from every query alike, and nothing but states was asked for."""
        config = self.config
        hidden = torch.tensor(-10000.0, dtype=attention_mask.dtype, device=attention_mask.device)
        return (
            return_dict
            and all(value is None or value is False for name, value in asked.items() if name != "output_hidden_states")
            and not config.is_decoder
            and config.position_embedding_type == "absolute"
            and config.chunk_size_feed_forward == 0
            and attention_mask.size(2) == 1
            and not values_unknown(attention_mask)
            and bool(((attention_mask == 0) | (attention_mask == hidden)).all())
            and bool((attention_mask == 0).any())
        )


class PackedSelfAttention(BertSelfAttention):
    """Attention within each text of a packed row."""

    def forward(  # type: ignore[override]
        self, hidden_states: Tensor, attention_mask: Tensor | Packing | None = None, **asked: Any
    ) -> tuple[Tensor, Tensor | None, tuple[Tensor, Tensor]]:
        """(1, tokens, hidden) → context of the same shape, no probabilities, and the keys and values."""
        if not isinstance(attention_mask, Packing):
            return super().forward(hidden_states, attention_mask=attention_mask, **asked)
        projections = (self.query, self.key, self.value)  # each to (1, heads, tokens, d)
        query, key, value = (self.transpose_for_scores(project(hidden_states)) for project in projections)
        dropout_p = self.dropout.p if self.dropout.training else 0.0
        runs, contexts = attention_mask.runs, []  # neighbours of one length are attended to in one call
        # Split and not sliced: the gradients of all runs are then joined once, and not each added to zeros of the whole.
        parts = (x[0].split([count * length for count, length in runs], dim=1) for x in (query, key, value))
        for run, *of_run in zip(runs, *parts, strict=True):
            q, k, v = (x.unflatten(1, run).transpose(0, 1) for x in of_run)  # each (count, heads, length, d)
            context = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout_p)
            contexts.append(context.transpose(1, 2).flatten(0, 1))
        return torch.cat(contexts).flatten(1)[None], None, (key, value)
