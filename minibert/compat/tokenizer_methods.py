"""What programs of the era ask a tokenizer and an encoding for.

Reference: `PreTrainedTokenizerBase`, `PreTrainedTokenizer`, `BertTokenizer` and `BatchEncoding`.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_LOWER_CASED = {
    **dict.fromkeys(("bert-base-uncased", "bert-large-uncased", "bert-base-multilingual-uncased"), True),
    **dict.fromkeys(("bert-base-cased", "bert-large-cased", "bert-base-multilingual-cased"), False),
    **dict.fromkeys(("bert-base-chinese", "bert-base-german-cased", "bert-base-german-dbmdz-cased"), False),
    **dict.fromkeys(("bert-large-cased-whole-word-masking", "bert-base-cased-finetuned-mrpc"), False),
    **dict.fromkeys(("bert-large-uncased-whole-word-masking", "bert-base-german-dbmdz-uncased"), True),
    "bert-large-uncased-whole-word-masking-finetuned-squad": True,
    "bert-large-cased-whole-word-masking-finetuned-squad": False,
    "TurkuNLP/bert-base-finnish-cased-v1": False,
    "TurkuNLP/bert-base-finnish-uncased-v1": True,
    "wietsedv/bert-base-dutch-cased": False,
}
"""The BERTs that the reference knows by name, and whether their vocabularies are lower-cased. All read 512 tokens."""


def prepare_for_tokenization(
    self: Any,  # noqa: ARG001
    text: str,
    is_split_into_words: bool = False,  # noqa: ARG001
    **others: Any,
) -> tuple[str, dict[str, Any]]:
    """The text and the other arguments as they are: BERT's text needs no preparation."""
    return text, others


@contextmanager
def as_target_tokenizer(self: Any) -> Iterator[None]:  # noqa: ARG001
    """`with tokenizer.as_target_tokenizer():` changes nothing: a BERT reads and writes with one vocabulary."""
    yield


def words(self: Any, batch_index: int = 0) -> list[int | None]:
    """`word_ids`, under the name that the reference had retired."""
    warnings.warn("encoding.words() is now encoding.word_ids().", FutureWarning, stacklevel=2)
    return self.word_ids(batch_index)


OF_TOKENIZERS: dict[str, Any] = {
    "init_inputs": (),
    "max_model_input_sizes": dict.fromkeys(_LOWER_CASED, 512),
    "pretrained_init_configuration": {name: {"do_lower_case": lower} for name, lower in _LOWER_CASED.items()},
    "pretrained_vocab_files_map": {
        "vocab_file": {name: f"https://huggingface.co/{name}/resolve/main/vocab.txt" for name in _LOWER_CASED}
    },
    "slow_tokenizer_class": None,
    "prepare_for_tokenization": prepare_for_tokenization,
    "as_target_tokenizer": as_target_tokenizer,
}
OF_ENCODINGS: dict[str, Any] = {"words": words}
