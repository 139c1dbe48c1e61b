"""Classes that a reader types anew on the library's bases, run unchanged on minibert and on the old reference, transformers 4.12.5.

Each takes the library and returns plain data or tensors, the same from both. This file imports neither.

`python tests/parity/old/typed_anew_programs.py` with the old reference's Python writes what they return to RECORDED, for the default tests.
"""

from __future__ import annotations

import importlib
import json
import tempfile
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import torch

Program = Callable[[Any], Any]
RECORDED = Path(__file__).parents[1] / "recorded" / "typed_anew.json"
SIZES = {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 37}
LETTERS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdeABC "]


def letters_of(library: Any, framed: bool = False, words: bool = False) -> Any:
    """A tokenizer whose tokens are letters; framed: with `[CLS]` and `[SEP]`; words: as `BertTokenizer` cuts them."""

    class Letters(library.PreTrainedTokenizer):  # type: ignore[misc, name-defined]
        vocab_files_names = {"vocab_file": "vocab.txt"}  # noqa: RUF012
        model_input_names = ["input_ids", "token_type_ids", "attention_mask"]  # noqa: RUF012

        def __init__(self, vocab_file: Any, do_lower_case: bool = False, **others: Any):
            roles = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
            super().__init__(do_lower_case=do_lower_case, **{**roles, **others})
            text = Path(vocab_file).read_text(encoding="utf-8")
            self.letters = {letter: number for number, letter in enumerate(text.split("\n")[:-1])}
            self.numbers = {number: letter for letter, number in self.letters.items()}

        @property
        def vocab_size(self) -> int:
            return len(self.letters)

        def get_vocab(self) -> dict[str, int]:
            return {**self.letters, **self.added_tokens_encoder}

        def _tokenize(self, text: str) -> list[str]:
            return text.split() if words else list(text)

        def _convert_token_to_id(self, token: str) -> int:
            return self.letters.get(token, self.letters["[UNK]"])

        def _convert_id_to_token(self, index: int) -> str:
            return self.numbers.get(index, "[UNK]")

        def convert_tokens_to_string(self, tokens: list[str]) -> str:
            return "".join(tokens)

        def save_vocabulary(self, save_directory: str, filename_prefix: Any = None) -> tuple[str]:  # noqa: ARG002
            path = Path(save_directory) / "vocab.txt"
            path.write_text("".join(f"{letter}\n" for letter in self.letters), encoding="utf-8")
            return (str(path),)

        if framed:

            def build_inputs_with_special_tokens(self, first: list[int], second: list[int] | None = None) -> list[int]:
                ids = [self.cls_token_id, *first, self.sep_token_id]
                return ids if second is None else [*ids, *second, self.sep_token_id]

            def create_token_type_ids_from_sequences(self, first: list[int], second: Any = None) -> list[int]:
                return [0] * (len(first) + 2) + ([] if second is None else [1] * (len(second) + 1))

    folder = Path(tempfile.mkdtemp())
    (folder / "vocab.txt").write_text("".join(f"{letter}\n" for letter in LETTERS), encoding="utf-8")
    return Letters(str(folder / "vocab.txt"))


def tokenizer_typed_anew(**kind: Any) -> Program:
    """What it says of texts, before and after tokens were added and it was saved."""

    def program(library: Any) -> Any:
        tokenizer = letters_of(library, **kind)
        found: list[Any] = [tokenizer.special_tokens_map, tokenizer.all_special_ids, len(tokenizer)]
        for _ in range(2):
            rows = [dict(tokenizer("aB x")), dict(tokenizer("ab", "cd")), dict(tokenizer(["a", "bcd"], padding=True))]
            rows.append(dict(tokenizer("abcde", "abc", truncation=True, max_length=6)))
            tokens = tokenizer.tokenize("ab<new>c [UNK]"), tokenizer.convert_tokens_to_ids(["a", "z", "[SEP]"])
            texts = tokenizer.decode(tokenizer.encode("ab cd")), tokenizer.convert_ids_to_tokens([4, 99])
            counts = tokenizer.num_special_tokens_to_add(), tokenizer.num_special_tokens_to_add(pair=True)
            found += [rows, tokens, texts, counts, tokenizer.add_tokens(["<new>", "a"]), len(tokenizer)]
            found += [tokenizer.encode("a<new>b"), tokenizer.vocab_size]
            folder = tempfile.mkdtemp()
            tokenizer.save_pretrained(folder)
            saved = json.loads((Path(folder) / "tokenizer_config.json").read_text(encoding="utf-8"))
            found.append((saved["tokenizer_class"], saved["do_lower_case"], saved["unk_token"]))
            tokenizer = type(tokenizer).from_pretrained(folder)
        return found

    return program


def kinds_of_tokenizers(library: Any) -> Any:
    """Which tokenizers are `PreTrainedTokenizer`s."""
    base, own = library.PreTrainedTokenizer, letters_of(library)
    found = [isinstance(own, base), issubclass(library.BertTokenizer, base), isinstance(3, base), issubclass(int, base)]
    return [*found, isinstance(own, type(own)), issubclass(library.BertTokenizer, type(own))]


def incomplete_tokenizer(library: Any) -> Any:
    """A class without a vocabulary says so."""

    class Words(library.PreTrainedTokenizer):  # type: ignore[misc, name-defined]
        def _tokenize(self, text: str) -> list[str]:
            return text.split()

    tokenizer, found = Words(), []
    for ask in (
        tokenizer.get_vocab,
        lambda: tokenizer.vocab_size,
        lambda: tokenizer("a b"),
        lambda: tokenizer.decode([0]),
    ):
        try:
            found.append(ask())
        except NotImplementedError:
            found.append("not implemented")
    return [*found, tokenizer.tokenize("a b"), tokenizer.special_tokens_map]


def decoder_typed_anew(library: Any) -> Any:
    """A decoder typed anew after the two imports that a course begins with writes text."""
    typed: dict[str, Any] = {}
    for module in ("modeling_bert", "configuration_bert"):
        exec(f"from {library.__name__}.models.bert.{module} import *", typed)
    base, output = typed["BertPreTrainedModel"], typed["CausalLMOutputWithCrossAttentions"]

    class Decoder(base):  # type: ignore[misc, valid-type]
        def __init__(self, config: Any):
            super().__init__(config)
            self.bert = typed["BertModel"](config, add_pooling_layer=False)
            self.cls = typed["BertOnlyMLMHead"](config)
            self.init_weights()

        def get_output_embeddings(self) -> Any:
            return self.cls.predictions.decoder

        def forward(self, input_ids: Any, attention_mask: Any = None, **others: Any) -> Any:
            given = {name: others.get(name) for name in ("past_key_values", "use_cache")}
            read = self.bert(input_ids, attention_mask=attention_mask, **given)
            return output(logits=self.cls(read[0]), past_key_values=read.past_key_values)

        def prepare_inputs_for_generation(self, input_ids: Any, past: Any = None, **others: Any) -> dict[str, Any]:
            ids = input_ids if past is None else input_ids[:, -1:]
            return {"input_ids": ids, "attention_mask": others.get("attention_mask"), "past_key_values": past}

        def _reorder_cache(self, past: Any, beam_idx: Any) -> Any:
            return tuple(tuple(state.index_select(0, beam_idx) for state in layer) for layer in past)

    torch.manual_seed(0)
    model = Decoder(typed["BertConfig"](**SIZES, is_decoder=True)).eval()
    ids = torch.tensor([[5, 6, 7], [8, 9, 10]])
    written = [
        model.generate(ids, max_length=9),
        model.generate(ids, max_length=9, num_beams=3, num_return_sequences=2),
    ]
    names = ("dataclass", "Optional", "Tuple", "nn", "torch", "math", "os", "warnings", "logger", "CrossEntropyLoss")
    versions = typed["version"].parse("1.13.0") > typed["version"].parse("1.6.0")
    return {"greedy": written[0], "beams": written[1], "there": [name in typed for name in names], "later": versions}


def paths_of_saved_tokenizers(library: Any) -> Any:
    """`save_pretrained` and `save_vocabulary` return paths as the folder was spelled."""
    found: list[Any] = []
    tokenizer = library.BertTokenizer(str(letters_of(library).save_vocabulary(tempfile.mkdtemp())[0]))
    with chdir(tempfile.mkdtemp()):
        for folder in ("./saved/", "saved", ".", "a/b/"):
            found += [tokenizer.save_pretrained(folder), tokenizer.save_vocabulary(folder, "old")]
        found += [tokenizer.save_vocabulary("./some.txt"), tokenizer.save_vocabulary("some.txt")]
    return found


def size_after_resizing(library: Any) -> Any:
    """A resized model knows its size, as its config does."""
    torch.manual_seed(0)
    model = library.BertForMaskedLM(library.BertConfig(**SIZES))
    model.resize_token_embeddings(SIZES["vocab_size"] + 3)
    return model.vocab_size, model.config.vocab_size


def required_versions(library: Any) -> Any:
    """`require_version`, which files of the reference begin with."""
    require_version = importlib.import_module(f"{library.__name__}.utils.versions").require_version
    try:
        return require_version("torch>=1.5.0"), require_version("torch"), require_version("torch>=99")
    except ImportError:
        return ["an older torch is refused"]


def all_programs() -> dict[str, Program]:
    """Every program by name."""
    plain = (kinds_of_tokenizers, incomplete_tokenizer, decoder_typed_anew, paths_of_saved_tokenizers)
    plain += (size_after_resizing, required_versions)
    programs: dict[str, Program] = {f"typed anew: {each.__name__.replace('_', ' ')}": each for each in plain}
    for kind in ({}, {"framed": True}, {"framed": True, "words": True}):
        programs[f"typed anew: a tokenizer {', '.join(kind) or 'plain'}"] = tokenizer_typed_anew(**kind)
    return programs


def as_json(library: Any) -> dict[str, Any]:
    """What every program returns, as JSON holds it."""
    found = {name: program(library) for name, program in all_programs().items()}
    return json.loads(json.dumps(found, default=lambda tensor: tensor.tolist()))  # type: ignore[no-any-return]


if __name__ == "__main__":
    RECORDED.write_text(json.dumps(as_json(importlib.import_module("transformers"))) + "\n", encoding="utf-8")
