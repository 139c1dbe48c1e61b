"""As fast again as a batch is padded (BERT-base on 32 texts: 1.7 times at 58% text, 3.8 at 28%): leave the padding out.

    (batch, seq, hidden)  — pack →  (1, tokens, hidden)  — layers →  (1, tokens, hidden)  — unpack →  (batch, seq, hidden)

Everything in a layer but attention works on each token alone, so a batch can be laid end to end in one row; attention
then runs over texts of one length, in PyTorch's fused kernel, or with dropout over those of about one length, by hand;
on a GPU over texts of any lengths in one call. Real tokens get the numbers they would have had, up to the order of
additions; where there was padding the result is 0.
(`BertForQuestionAnswering` scores padding, too: its loss then is another.)

    with packed(model):                              or for good:
        model(**batch)                               model.set_attn_implementation("packed")

Source: the "effective transformer" (ByteDance 2020) and variable-length attention (Dao 2022). No reference class: ours.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from itertools import accumulate, groupby
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..model.attention import BertSelfAttention, eager_attention
from ..model.bert import BertModel
from ..model.checks import values_unknown
from ..model.encoder import BertEncoder
from ..model.layer import BertLayer
from ..model.pretrained import BertPreTrainedModel

MUCH = 0.8  # of a batch is text: with less padding, taking it out costs what it saves
MANY = 1 << 14  # positions of a batch on a GPU
SHORT = 64  # positions: texts up to here are attended to together, whatever their padding
LONG = 256  # positions: PyTorch's kernel takes several times as long for the gradients of shorter texts in bfloat16 as in float32


def packed_if_padded(model: BertPreTrainedModel, batch: Mapping[str, Tensor]) -> AbstractContextManager[None]:
    """`packed(model)` where a batch has much padding. A GPU, which must be waited for, has few positions done sooner."""
    mask = batch.get("attention_mask")
    large = mask is not None and (mask.device.type == "cpu" or mask.numel() >= MANY)
    return packed(model) if mask is not None and large and float(mask.float().mean()) < MUCH else nullcontext()


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

    A model with an encoder, layer or attention of another class or with another forward, a student's own, keeps them: nothing is packed.
    """
    encoder: Any = body.encoder
    stages = [encoder, *encoder.layer, *(layer.attention.self for layer in encoder.layer)]
    usual = {*map(type, stages)} <= {BertEncoder, BertLayer, BertSelfAttention}
    if usual and not any("forward" in vars(stage) for stage in stages):
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
    indices: (tokens,), their positions in the flattened batch, the shortest text first. lengths: of the texts in this order, empty rows left out.
    offsets: (texts + 1,), where each of them begins, and where the last ends. The mask is on the CPU; what the layers use, on `device`.
    """

    def __init__(self, attention_mask: Tensor, device: torch.device | str = "cpu"):
        self.shape = attention_mask.shape
        self.is_hidden = attention_mask == 0
        lengths, rows = attention_mask.sum(dim=1).sort(stable=True)
        row, position = attention_mask[rows].nonzero(as_tuple=True)
        self.indices = (rows[row] * attention_mask.size(1) + position).to(device)
        self.lengths: list[int] = lengths[lengths > 0].tolist()
        self.offsets = torch.tensor([0, *accumulate(self.lengths)], dtype=torch.int32, device=device)

    def pack(self, padded: Tensor) -> Tensor:
        """(batch, seq, hidden) → (1, tokens, hidden)"""
        return padded.flatten(0, 1).index_select(0, self.indices)[None]

    def unpack(self, packed: Tensor) -> Tensor:
        """(1, tokens, hidden) → (batch, seq, hidden), 0 where there is padding."""
        batch_size, seq_length = self.shape
        padded = packed.new_zeros(batch_size * seq_length, packed.size(-1))
        return padded.index_copy(0, self.indices, packed[0]).view(batch_size, seq_length, -1)

    @cached_property
    def runs(self) -> list[tuple[int, int]]:
        """(count, length) of the texts that are equally long, which are attended to in one call."""
        return [(len(list(texts)), length) for length, texts in groupby(self.lengths)]

    @cached_property
    def groups(self) -> list["Packing"]:
        """Texts at most twice as long as one another, and all that are short, each as a small batch of its own."""
        by_size = groupby(self.lengths, key=lambda length: (max(length, SHORT) - 1).bit_length())
        batches = (torch.tensor(list(lengths), device="cpu")[:, None] for _, lengths in by_size)
        return [Packing(torch.arange(int(ends.max()), device="cpu") < ends) for ends in batches]


class PackedEncoder(BertEncoder):
    """The stack, run over the real tokens only."""

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None, **asked: Any) -> Any:  # type: ignore[override]
        """As `BertEncoder.forward`. What cannot be packed is run as it is. A GPU is waited for once, for the mask."""
        given = attention_mask
        if attention_mask is not None and not values_unknown(attention_mask):
            attention_mask = attention_mask.cpu()
        if attention_mask is None or not self.can_pack(attention_mask, **asked):
            return super().forward(hidden_states, attention_mask=given, **asked)
        mask = (attention_mask[:, 0, 0] == 0).expand(hidden_states.shape[:2])
        packing = Packing(mask, hidden_states.device)
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


def has_kernel(query: Tensor, size: int) -> bool:
    """Whether a GPU has a kernel for heads of this size in texts laid end to end. PyTorch's names begin with an underscore, so they may go."""
    if not query.is_cuda or size % 8 != 0 or size > 256:
        return False
    if query.dtype == torch.float32:
        return hasattr(torch.ops.aten, "_efficient_attention_forward")
    halves = query.dtype in (torch.float16, torch.bfloat16) and torch.backends.cuda.is_flash_attention_available()
    return halves and hasattr(torch.ops.aten, "_flash_attention_forward")


class PackedSelfAttention(BertSelfAttention):
    """Attention within each text of a packed row."""

    def forward(  # type: ignore[override]
        self, hidden_states: Tensor, attention_mask: Tensor | Packing | None = None, **asked: Any
    ) -> tuple[Tensor, Tensor | None, tuple[Tensor, Tensor]]:
        """(1, tokens, hidden) → context of the same shape, no probabilities, and the keys and values."""
        if not isinstance(attention_mask, Packing):
            return super().forward(hidden_states, attention_mask=attention_mask, **asked)
        query, key, value = (project(hidden_states) for project in (self.query, self.key, self.value))
        if has_kernel(query, self.attention_head_size):
            attend = self.in_one_call
        elif query.device.type == "cpu" and self.dropout.training and self.dropout.p > 0:
            attend = self.in_groups
        else:
            attend = self.by_length
        return attend(query, key, value=value, packing=attention_mask), None, (key, value)

    def by_length(self, query: Tensor, key: Tensor, *, value: Tensor, packing: Packing) -> Tensor:
        """The context by PyTorch's kernel, one call for texts of one length: each argument and the result (1, tokens, heads · d)."""
        dropout_p, contexts = self.dropout.p if self.dropout.training else 0.0, []
        # Split and not sliced: the gradients of all runs are then joined once, and not each added to zeros of the whole.
        parts = (x[0].split([count * length for count, length in packing.runs]) for x in (query, key, value))
        for run, *of_run in zip(packing.runs, *parts, strict=True):
            q, k, v = (self.transpose_for_scores(x.unflatten(0, run)) for x in of_run)  # each (count, heads, length, d)
            if q.dtype == torch.bfloat16 and q.requires_grad and run[1] < LONG:
                q, k, v = q.float(), k.float(), v.float()
            with torch.autocast(q.device.type, enabled=False):
                context = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout_p)
            contexts.append(context.transpose(1, 2).flatten(2).flatten(0, 1).to(query.dtype))
        return torch.cat(contexts)[None]

    def in_one_call(self, query: Tensor, key: Tensor, *, value: Tensor, packing: Packing) -> Tensor:
        """The same on a GPU, whose kernels take texts of any lengths, end to end."""
        heads = (self.num_attention_heads, self.attention_head_size)
        q, k, v = (x.unflatten(-1, heads) for x in (query, key, value))  # each (1, tokens, heads, d)
        ends: Any = packing.offsets
        longest: Any = packing.lengths[-1]
        dropout_p = self.dropout.p if self.dropout.training else 0.0
        if q.dtype == torch.float32:
            texts = {"cu_seqlens_q": ends, "cu_seqlens_k": ends, "max_seqlen_q": longest, "max_seqlen_k": longest}
            texts |= {"bias": None, "custom_mask_type": 0, "compute_log_sumexp": torch.is_grad_enabled()}
            return torch.ops.aten._efficient_attention_forward(q, k, v, dropout_p=dropout_p, **texts)[0].flatten(2)
        texts = {"cum_seq_q": ends, "cum_seq_k": ends, "max_q": longest, "max_k": longest}
        texts |= {"is_causal": False, "return_debug_mask": False}
        context = torch.ops.aten._flash_attention_forward(q[0], k[0], v[0], dropout_p=dropout_p, **texts)[0]
        return context.flatten(1)[None]

    def in_groups(self, query: Tensor, key: Tensor, *, value: Tensor, packing: Packing) -> Tensor:
        """The same by hand, in few calls, for some padding: on a CPU the kernel knows no dropout, and PyTorch's own way round it is slow."""
        contexts = []
        parts = (x[0].split([len(group.indices) for group in packing.groups]) for x in (query, key, value))
        for group, *of_group in zip(packing.groups, *parts, strict=True):
            q, k, v = (self.transpose_for_scores(group.unpack(x[None])) for x in of_group)
            mask = q.new_zeros(group.shape).masked_fill(group.is_hidden, -10000.0)[:, None, None]
            context, _ = eager_attention(
                q, k, v, attention_mask=mask, relative=None, dropout=self.dropout, head_mask=None
            )
            contexts.append(group.pack(context.transpose(1, 2).flatten(2)))
        return torch.cat(contexts, dim=1)
