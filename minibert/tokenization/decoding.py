"""From ids back to text. Reference: `PreTrainedTokenizer._decode` and `BertTokenizer.convert_tokens_to_string`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .added_vocabulary import AddedVocabulary
from .padding import to_python

# What English spelling joins and the tokenizer split, in the order in which it is put right.
SPACED = (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're")


class Decoding(AddedVocabulary):
    """Join pieces to words, and words to text."""

    def convert_tokens_to_string(self, tokens: Iterable[str]) -> str:
        """Tokens with spaces between them, `##` pieces joined to what stands before: un ##aff ##able → unaffable."""
        return " ".join(tokens).replace(" ##", "").strip()

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool = True,
        spaces_between_special_tokens: bool = True,
    ) -> str:
        """Text of `token_ids` (an id, a list, an array or a tensor of one sequence).

        skip_special_tokens: leave `[CLS]`, `[PAD]` and the like out.
        clean_up_tokenization_spaces: close the gaps before punctuation and English contractions: do n't → don't.
        spaces_between_special_tokens: a space on each side of an added token.
        """
        ids = to_python(token_ids)
        tokens = self.convert_ids_to_tokens([ids] if isinstance(ids, int) else ids, skip_special_tokens)
        parts: list[str] = []
        pieces: list[str] = []
        for token in tokens:
            if token in self.added_tokens_encoder:
                if pieces:
                    parts.append(self.convert_tokens_to_string(pieces))
                parts.append(token)
                pieces = []
            else:
                pieces.append(token)
        if pieces:
            parts.append(self.convert_tokens_to_string(pieces))
        text = (" " if spaces_between_special_tokens else "").join(parts)
        return self.clean_up_tokenization(text) if clean_up_tokenization_spaces else text

    def batch_decode(
        self,
        sequences: Sequence[Any],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool = True,
        spaces_between_special_tokens: bool = True,
    ) -> list[str]:
        """Text of each sequence of a batch."""
        return [
            self.decode(sequence, skip_special_tokens, clean_up_tokenization_spaces, spaces_between_special_tokens)
            for sequence in sequences
        ]

    @staticmethod
    def clean_up_tokenization(out_string: str) -> str:
        """Close the gaps that tokens leave in English text."""
        for spaced in SPACED:
            out_string = out_string.replace(spaced, spaced.strip())
        return out_string
