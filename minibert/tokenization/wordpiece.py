"""From a word to pieces of the vocabulary: the second half of BERT's tokenizer.

    unaffable → una ##ffa ##ble

Source: google-research/bert `tokenization.py`; Wu et al. 2016, section 4.1. Reference class: `WordpieceTokenizer`.
"""

from collections.abc import Container


class WordpieceTokenizer:
    """Cut each word greedily into the longest pieces of the vocabulary, from left to right.

    vocab: the pieces; one that continues a word begins with `##`.
    unk_token: what a word becomes when it cannot be cut into known pieces to its end, or is too long.
    max_input_chars_per_word: longer words are unknown at once, which bounds the work (quadratic in a word's length).
    """

    def __init__(self, vocab: Container[str], unk_token: str, max_input_chars_per_word: int = 100):
        self.vocab = vocab
        self.unk_token = unk_token
        self.max_input_chars_per_word = max_input_chars_per_word

    def tokenize(self, text: str) -> list[str]:
        """Pieces of all words of `text`, which is split on whitespace."""
        pieces: list[str] = []
        for word in text.split():
            known = len(word) <= self.max_input_chars_per_word
            of_word: list[str] = []
            start = 0
            while known and start < len(word):
                prefix = "##" if start else ""
                for end in range(len(word), start, -1):  # the longest piece first
                    if prefix + word[start:end] in self.vocab:
                        of_word.append(prefix + word[start:end])
                        start = end
                        break
                else:
                    known = False
            pieces += of_word if known else [self.unk_token]
        return pieces
