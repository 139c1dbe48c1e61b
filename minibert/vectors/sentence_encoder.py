"""A BERT that gives one vector a text: any checkpoint with a pooling, or a folder of sentence-transformers as it says.

    text → pieces, at most max_length → BertModel → (batch, seq, hidden) — pool → (batch, dim) — normalized? → vectors

Source: Reimers & Gurevych 2019. Equals `SentenceTransformer.encode` of sentence-transformers within 1e-5.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .. import __version__
from ..checkpoints.find import at_one_commit
from ..fast.inference import in_less_time
from ..model import BertModel
from ..tasks import Labels, Report, TextExample, encode_texts, evaluation_batches
from ..tokenization import BertTokenizer
from .pooling import check_pooling, pool
from .sentence_folder import PathName, Settings, read_settings

logger = logging.getLogger("minibert")


@dataclass(eq=False)
class SentenceEncoder:
    """A model with its tokenizer and settings. max_length: pieces of a text. fast: the same numbers in less time, up to rounding."""

    model: BertModel
    tokenizer: BertTokenizer
    settings: Settings
    max_length: int
    fast: bool = False

    @classmethod
    def open(cls, name: PathName, pooling: str | None = None, *, fast: bool = False) -> "SentenceEncoder":
        """A folder, a bundled checkpoint or a hub id. pooling: one of POOLINGS; None: as the folder says, else "mean".

        Raises CheckpointError for a folder of sentence-transformers that asks what is not known here, ValueError for another pooling.
        """
        if pooling is not None:
            check_pooling(pooling)
        options: dict[str, Any] = at_one_commit(name, {})
        settings = read_settings(name, **options)
        if pooling is not None:
            settings = settings._replace(poolings=(pooling,))
        options = options if settings.body == name else {}
        model: BertModel = BertModel.from_pretrained(settings.body, add_pooling_layer=False, **options)
        tokenizer = BertTokenizer.from_pretrained(settings.body, padding_side="right", **options)
        longest = min(settings.max_length or tokenizer.model_max_length, model.config.max_position_embeddings)
        return cls(model.float().eval(), tokenizer, settings, max_length=longest, fast=fast)

    @property
    def dim(self) -> int:
        """Numbers of a vector."""
        return self.model.config.hidden_size * len(self.settings.poolings)

    def encode(self, texts: Sequence[str], batch_size: int = 32, report: Report | None = None) -> NDArray[np.float32]:
        """(texts, dim), in their order. report: gets the texts that were cut to max_length; without one, they are warned of."""
        if isinstance(texts, str):
            raise ValueError("Give a list of texts, also for one: encode([text]).")
        said = report or Report("the texts", found=len(texts))
        lowers = self.settings.lower_case and not self.tokenizer.do_lower_case
        given = [self.settings.prompt + text for text in texts]
        given = [text.lower() for text in given] if lowers else given
        examples = [TextExample(text, location=f"text {n}") for n, text in enumerate(given, start=1)]
        rows = encode_texts(examples, self.tokenizer, Labels(()), max_length=self.max_length, report=said)
        vectors = np.empty((len(rows), self.dim), dtype=np.float32)
        for numbers in evaluation_batches([len(row["input_ids"]) for row in rows], batch_size):
            batch = dict(self.tokenizer.pad([rows[number] for number in numbers], return_tensors="pt"))
            vectors[numbers] = self.vectors(batch).numpy()
        if said.changed and report is None:
            logger.warning("%s", said)
        return vectors

    @torch.no_grad()
    def vectors(self, batch: dict[str, Tensor]) -> Tensor:
        """(batch, dim) for input_ids, attention_mask and perhaps token_type_ids of (batch, seq)."""
        with in_less_time(self.model, batch) if self.fast else nullcontext():
            states = self.model(**batch, return_dict=True).last_hidden_state  # (batch, seq, hidden)
        pooled = [pool(states, batch["attention_mask"], mode) for mode in self.settings.poolings]
        joined = torch.cat(pooled, dim=-1)
        return F.normalize(joined, dim=-1) if self.settings.normalize else joined

    def fingerprint(self) -> str:
        """A hash of all that a vector depends on: weights, vocabulary, settings, and minibert's version."""
        tokenizer = {**self.tokenizer.init_kwargs, "name_or_path": ""}  # where it is does not matter
        said: list[Any] = [__version__, self.model.config.to_dict(), tokenizer, self.tokenizer.get_vocab()]
        said += [self.settings._replace(body=""), self.max_length]
        digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode())
        for name, tensor in self.model.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.numpy().tobytes())
        return digest.hexdigest()
