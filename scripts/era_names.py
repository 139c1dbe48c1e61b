"""List the names and arguments of a library's BERT: python scripts/era_names.py transformers tests/fixtures/era_names.json

Run with the Python of `.venv-old`, it writes what transformers 4.12.5 has; `tests/unit/docs/test_differences.py` lists minibert's with the
same functions and demands a row in docs/differences.md for each name and argument that minibert has not.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

Names = dict[str, "list[str] | None"]
"""Name → its arguments; None for what is not called. "()" is the class itself, called."""

MODELS = ("BertModel", "BertForPreTraining", "BertForMaskedLM", "BertLMHeadModel", "BertForNextSentencePrediction")
MODELS += ("BertForSequenceClassification", "BertForMultipleChoice", "BertForTokenClassification")
MODELS += ("BertForQuestionAnswering", "EncoderDecoderModel")
CONFIGS = ("BertConfig", "EncoderDecoderConfig")
AUTO = ("AutoConfig", "AutoTokenizer", "AutoModel", "AutoModelForPreTraining", "AutoModelForMaskedLM")
OTHERS = ("BertTokenizer", "BertTokenizerFast", "BatchEncoding", "BasicTokenizer", "WordpieceTokenizer", "AdamW")
FUNCTIONS = ("get_scheduler", "get_constant_schedule", "get_constant_schedule_with_warmup")
FUNCTIONS += ("get_linear_schedule_with_warmup", "get_cosine_schedule_with_warmup")
FUNCTIONS += ("get_polynomial_decay_schedule_with_warmup", "get_cosine_with_hard_restarts_schedule_with_warmup")
FUNCTIONS += ("default_data_collator", "DataCollatorWithPadding", "DataCollatorForTokenClassification", "set_seed")
FUNCTIONS += ("DataCollatorForLanguageModeling", "DataCollatorForWholeWordMask", "top_k_top_p_filtering")

# Of the top level, what is about BERT or any model: not the other architectures, frameworks and kinds of data.
MODULES = ("configuration_utils", "data", "data.data_collator", "data.datasets", "file_utils", "generation_beam_search")
MODULES += ("generation_logits_process", "generation_stopping_criteria", "generation_utils", "hf_argparser")
MODULES += ("modeling_utils", "models.auto", "models.bert", "models.encoder_decoder", "optimization", "pipelines")
MODULES += ("tokenization_utils", "tokenization_utils_base", "tokenization_utils_fast", "trainer", "trainer_callback")
MODULES += ("trainer_seq2seq", "trainer_utils", "training_args", "training_args_seq2seq", "utils")


def arguments(function: Any) -> list[str] | None:
    """The names of a function's arguments, those that it takes out of its `**kwargs` too; None where it has no signature."""
    try:
        parameters = inspect.signature(function).parameters
        source = inspect.getsource(inspect.unwrap(function))
    except (TypeError, ValueError, OSError):
        return None
    named = [name for name, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    taken = re.findall(r"kwargs\.(?:pop|get)\(\s*\"(\w+)\"", source)
    return [name for name in dict.fromkeys([*named, *taken]) if name not in ("self", "cls") and name[0] != "_"]


def names_of(kind: type, instance: Any = None) -> Names:
    """The public names of a class, and of an instance, that are not of a base class from elsewhere."""
    own = [base for base in kind.__mro__ if base.__module__.split(".")[0] in ("transformers", "minibert")]
    from_elsewhere = {name for base in kind.__mro__ if base not in own for name in dir(base)}
    found: Names = {"()": arguments(kind.__init__)}  # type: ignore[misc]
    for name in dir(kind):
        redefined = any(name in vars(base) for base in own)
        if name[0] != "_" and (redefined or name not in from_elsewhere):
            value = inspect.getattr_static(kind, name)
            function = getattr(value, "__func__", value)
            found[name] = arguments(function) if inspect.isfunction(function) else None
    for name in vars(instance) if instance is not None else ():
        if name[0] != "_" and name not in found and name not in ("training", "hook"):
            found[name] = None
    return found


def all_names(library: Any, top_level: list[str]) -> dict[str, Names]:
    """Class or function → its names; "top level" → the library's own."""
    tiny = {"vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    config = library.BertConfig(**tiny)
    vocab = Path(tempfile.mkdtemp()) / "vocab.txt"
    vocab.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n", encoding="utf-8")
    instances = {"BertConfig": config, "BertTokenizer": library.BertTokenizer(str(vocab))}
    instances["BertModel"] = library.BertModel(config)
    found = {
        name: names_of(getattr(library, name), instances.get(name)) for name in (*CONFIGS, *MODELS, *AUTO, *OTHERS)
    }
    for name in {*MODELS} - {
        "BertModel",
        "BertLMHeadModel",
        "EncoderDecoderModel",
    }:  # what they do not share with the body
        found[name] = {each: has for each, has in found[name].items() if found["BertModel"].get(each, each) != has}
    found |= {name: {"()": arguments(getattr(library, name))} for name in FUNCTIONS if hasattr(library, name)}
    logging = library.logging
    functions = [name for name in dir(logging) if name[0] != "_" and inspect.isfunction(getattr(logging, name))]
    found["logging"] = dict.fromkeys(functions)
    return {**found, "top level": dict.fromkeys(name for name in top_level if hasattr(library, name))}


def main() -> None:
    library_name, out = sys.argv[1:]
    library = importlib.import_module(library_name)
    structure = library._import_structure
    top_level = sorted(
        {name for module in MODULES for name in structure[module] if not name.startswith(("TF", "Flax"))}
    )
    # Names of other kinds of models, and of what is no text.
    others = re.compile(
        r"Audio|Image|Speech|CTC|ObjectDet|Table|IMAGE|AUDIO|TABLE|OBJECT|FEATURE_EXTRACTOR|FeatureExtractor"
    )
    top_level = [name for name in top_level if not others.search(name)]
    found = all_names(library, top_level)
    rows = [f"{json.dumps(owner)}: {json.dumps(found[owner], sort_keys=True)}" for owner in found]
    Path(out).write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
