"""Small programs that call names of the era, run unchanged on minibert and on the old reference, transformers 4.12.5.

Each takes the library and returns plain data or tensors, the same from both. This file imports neither.
"""

from __future__ import annotations

import copy
import importlib
import io
import json
import pickle
import random
import tempfile
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from programs import TINY, build, named

Program = Callable[[Any], Any]

PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "the",
    "cat",
    "sat",
    "on",
    "mat",
    "a",
    "dog",
    "##s",
    "##ed",
    "##ing",
    "bark",
    "run",
    ",",
    ".",
    "we",
    "saw",
    "it",
]
TEXTS = ("the cats sat on the mat.", "a dog barked", "we saw it running, a cat sat on it")


def folder_with_vocabulary() -> Path:
    folder = Path(tempfile.mkdtemp())
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in PIECES), encoding="utf-8")
    return folder


def new_tokenizer(library: Any, **settings: Any) -> Any:
    return library.BertTokenizer(str(folder_with_vocabulary() / "vocab.txt"), **settings)


def module_of_outputs(library: Any) -> Any:
    """Where the era's programs import output classes from; here they are at the top level, too."""
    old = library.__name__ == "transformers"
    return importlib.import_module("transformers.modeling_outputs") if old else library


def model_output(library: Any) -> Any:
    old = library.__name__ == "transformers"
    return (importlib.import_module("transformers.file_utils") if old else library).ModelOutput


def what_is_raised(function: Callable[[], Any], *kinds: type[BaseException]) -> str:
    """The first of these kinds that an error is; "nothing" where none is raised."""
    try:
        function()
    except kinds as error:
        return next(kind.__name__ for kind in kinds if isinstance(error, kind))
    except Exception as error:  # for the message of a test that fails
        return f"another: {type(error).__name__}: {error}"
    return "nothing"


# --------------------------------------------------------------------------------------------------------------- configs


def update_from_string(text: str) -> Program:
    """What a string changes, or that it is refused."""

    def program(library: Any) -> Any:
        config = library.BertConfig(**TINY)
        before = config.to_dict()
        try:
            config.update_from_string(text)
        except ValueError:
            return ["ValueError"]
        return {field: value for field, value in config.to_dict().items() if before[field] != value}

    return program


def config_files(library: Any) -> Any:
    """The dictionary of a file, and what is left of the arguments."""
    folder = tempfile.mkdtemp()
    library.BertConfig(**TINY, id2label={0: "no", 1: "yes", 2: "maybe"}).save_pretrained(folder)
    values, rest = library.BertConfig.get_config_dict(folder, colour="red", cache_dir=None, force_download=False)
    return {field: values[field] for field in (*TINY, "id2label", "model_type")}, rest


def config_classes(library: Any) -> Any:
    """What the classes say of themselves; a field under two names."""

    class Own(library.BertConfig):  # type: ignore[misc, name-defined]
        model_type = "own"
        attribute_map = {"width": "hidden_size", "depth": "num_hidden_layers"}  # noqa: RUF012

    own = Own(**TINY)
    own.width, own.depth = 64, 3
    pair = library.EncoderDecoderConfig
    composition = library.BertConfig.is_composition, pair.is_composition, library.BertConfig.attribute_map
    fields = own.hidden_size, own.width, own.num_hidden_layers, "width" in own.to_dict(), own.to_dict()["model_type"]
    return composition, fields, issubclass(library.BertConfig, library.PretrainedConfig)


def waiting_configs(library: Any) -> Any:
    """Configs of which no model could be made, made."""
    fields: list[dict[str, Any]] = [
        {"hidden_size": 37},
        {"vocab_size": 0, "hidden_size": 0},
        {"add_cross_attention": True},
    ]
    fields += [{"pruned_heads": {"a": 1}}, {"num_attention_heads": 0}, {"type_vocab_size": 0}, {"pad_token_id": 99}]
    return [{name: getattr(library.BertConfig(**each), name) for name in each} for each in fields]


def pair_config(library: Any) -> Any:
    """The config of a pair through every way in and out."""
    sides = [library.BertConfig(**TINY) for _ in range(2)]
    config = library.EncoderDecoderConfig.from_encoder_decoder_configs(*sides)
    config.update({"decoder_start_token_id": 2, "num_beams": 3})
    path = Path(tempfile.mkdtemp()) / "config.json"
    config.to_json_file(str(path))
    again = [
        library.EncoderDecoderConfig.from_json_file(str(path)),
        library.EncoderDecoderConfig.from_dict(config.to_dict()),
    ]
    fields = ("decoder_start_token_id", "num_beams", "is_encoder_decoder")
    found = [[getattr(each, field) for field in fields] + [each.decoder.add_cross_attention] for each in again]
    return found, sorted(k for k in config.to_diff_dict() if k in ("encoder", "decoder", *fields))


# ---------------------------------------------------------------------------------------------------------------- models


def attributes_of_models(library: Any) -> Any:
    """What every class says of itself, and the operations of a batch."""
    found: dict[str, Any] = {}
    for name in ("BertModel", "BertForPreTraining", "BertForSequenceClassification", "BertLMHeadModel"):
        model = build(library, name)
        inputs = {"input_ids": torch.ones(2, 7), "attention_mask": torch.ones(2, 7)}
        found[f"{name} says"] = model.framework, model.supports_gradient_checkpointing, model.is_parallelizable
        found[f"{name} counts"] = model.estimate_tokens(inputs), model.floating_point_ops(inputs)
        found[f"{name} counts all"] = model.floating_point_ops(inputs, exclude_embeddings=False)
        found[f"{name} counts vectors"] = model.estimate_tokens({"inputs_embeds": torch.ones(2, 7, 4)})
        found[f"{name} is"] = isinstance(model, library.PreTrainedModel), model.get_head_mask(None, 3)
        found[f"{name} forward"] = named(model.eval()(**model.dummy_inputs, return_dict=True))
        found[f"{name} refuses"] = what_is_raised(model.get_position_embeddings, NotImplementedError)
    return flat(found)


def flat(found: dict[str, Any]) -> dict[str, Any]:
    """Tensors inside a dictionary's dictionaries under names of their own."""
    inner = {
        f"{key}: {name}": value for key, each in found.items() if isinstance(each, dict) for name, value in each.items()
    }
    return {key: value for key, value in found.items() if not isinstance(value, dict)} | inner


def pruned_from_the_end(how: str) -> Program:
    """Heads of the last layer cut out, named as layer −1."""

    def program(library: Any) -> Any:
        if how == "config":
            model = build(library, "BertModel", pruned_heads={0: [1, 2], -1: [0]})
        else:
            model = build(library, "BertModel")
            model.prune_heads({0: [1, 2], -1: [0]})
        outputs = model.eval()(torch.arange(1, 9)[None], output_attentions=True)
        return {**named(outputs), "next random numbers": torch.rand(3)}

    return program


def pair_methods(library: Any) -> Any:
    """What a pair can do as every model can, and the encoder's output handed over."""
    torch.manual_seed(0)
    config = library.EncoderDecoderConfig.from_encoder_decoder_configs(*(library.BertConfig(**TINY) for _ in range(2)))
    model = library.EncoderDecoderModel(config).eval()
    ids, mask = torch.arange(1, 9).view(2, 4), torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
    encoded = module_of_outputs(library).BaseModelOutput(last_hidden_state=torch.randn(2, 4, TINY["hidden_size"]))
    found = {
        "counts": (model.num_parameters(), model.num_parameters(exclude_embeddings=True), model.floating_point_ops({"input_ids": ids})),
        "is its own body": model.base_model is model,
        "mask": model.get_extended_attention_mask(mask, (2, 4), torch.device("cpu")) + 0.0,
        "inverted": model.invert_attention_mask(mask) + 0.0,
        "heads": model.get_head_mask(None, 2),
        "says": (model.framework, model.is_parallelizable, isinstance(model, library.PreTrainedModel)),
    }  # fmt: skip
    outputs = model(encoder_outputs=encoded, decoder_input_ids=ids, attention_mask=mask)
    return flat({**found, "outputs": {"logits": outputs.logits}})


def checkpoint(library: Any, without: tuple[str, ...] = (), class_name: str = "BertForPreTraining") -> str:
    """A checkpoint in the one form that both open, as Google's converted ones are: without the decoder's own bias."""
    model = build(library, class_name)
    folder = Path(tempfile.mkdtemp())
    model.config.save_pretrained(folder)
    state = {name: t for name, t in model.state_dict().items() if not any(part in name for part in without)}
    torch.save(state, folder / "pytorch_model.bin")
    return str(folder)


OPENED = ("BertModel", "BertForPreTraining", "BertForMaskedLM", "BertLMHeadModel", "BertForNextSentencePrediction")
OPENED += (
    "BertForSequenceClassification",
    "BertForTokenClassification",
    "BertForQuestionAnswering",
    "BertForMultipleChoice",
)


def loading_info(class_name: str, saved: str = "BertForPreTraining", **settings: Any) -> Program:
    """The report of loading, from a file with and without the decoder's own bias."""

    def program(library: Any) -> Any:
        found: dict[str, Any] = {}
        for without in ((), ("decoder.bias",), ("decoder.bias", "position_ids")):
            folder = checkpoint(library, without, saved)
            _, info = getattr(library, class_name).from_pretrained(folder, output_loading_info=True, **settings)
            shapes = [(name, tuple(a), tuple(b)) for name, a, b in info["mismatched_keys"]]
            found[str(without)] = {
                **{key: sorted(keys) for key, keys in info.items()},
                "mismatched_keys": sorted(shapes),
            }
        return {f"{key}: {name}": value for key, each in found.items() for name, value in each.items()}

    return program


def what_is_saved_is_found(library: Any) -> Any:
    """Nothing is missing, unexpected or of another shape in a model's own files."""
    found = {}
    for name in OPENED:
        folder = tempfile.mkdtemp()
        build(library, name).save_pretrained(folder)
        _, found[name] = getattr(library, name).from_pretrained(folder, output_loading_info=True)
    return found


def kinds_of_errors(library: Any) -> Any:
    """What `except` catches."""
    old = library.__name__ == "transformers"
    activations = importlib.import_module("transformers.activations" if old else "minibert.model.activations")
    folder, tokenizer = checkpoint(library), new_tokenizer(library)
    small = library.BertConfig(**{**TINY, "vocab_size": 50})
    several: dict[str, Any] = {"additional_special_tokens": "x"}
    return {
        "another shape": what_is_raised(lambda: library.BertModel.from_pretrained(folder, config=small), RuntimeError),
        "activation": what_is_raised(lambda: activations.get_activation("bogus"), KeyError),
        "no activation": what_is_raised(lambda: activations.get_activation(None), KeyError),
        "dtype": what_is_raised(lambda: library.AutoModel.from_config(small, torch_dtype=torch.int64), ValueError),
        "tokens": what_is_raised(lambda: tokenizer.add_special_tokens(several), AssertionError),
        "role": what_is_raised(lambda: tokenizer.add_special_tokens({"boss_token": "x"}), AssertionError),
        "no token": what_is_raised(lambda: tokenizer.add_special_tokens({"cls_token": 3}), AssertionError),
    }


def outputs_of_items(library: Any) -> Any:
    """An output made from a dictionary, from pairs, from what `zip` gives, and from values."""
    kind = module_of_outputs(library).MaskedLMOutput
    x, y = torch.tensor(1.0), torch.ones(2, 3)
    found = [kind({"loss": x, "logits": y}), kind([("loss", x), ("logits", y)]), kind(zip(("loss", "logits"), (x, y)))]  # noqa: B905
    found += [kind((("logits", y),)), kind([("loss", None), ("logits", y)]), kind(x), kind(loss=None, logits=y), kind()]
    found += [kind(x, y), kind({}), copy.copy(kind(x, y)), pickle.loads(pickle.dumps(kind(x, y)))]
    values = {f"{i} {key}": value for i, each in enumerate(found) for key, value in each.items()}
    is_one = [isinstance(each, model_output(library)) for each in found]
    return {**values, "keys": [list(each) for each in found], "is one": is_one}


# ------------------------------------------------------------------------------------------------------------ tokenizers


def attributes_of_tokenizers(library: Any) -> Any:
    """What the classes say, and what one says of itself."""
    tokenizer, kinds = new_tokenizer(library), (library.BertTokenizer, library.BertTokenizerFast)
    found = [tokenizer.init_inputs, tokenizer.prepare_for_tokenization("a b", is_split_into_words=False, colour=1)]
    for kind in kinds:
        found += [kind.max_model_input_sizes, kind.pretrained_vocab_files_map["vocab_file"]]
        found += [kind.pretrained_init_configuration, kind.padding_side, list(kind.model_input_names)]
    with tokenizer.as_target_tokenizer():
        found.append(tokenizer("the cat")["input_ids"])
    slow = library.BertTokenizerFast.slow_tokenizer_class is library.BertTokenizer
    is_one = isinstance(tokenizer, library.PreTrainedTokenizer), isinstance(tokenizer, library.PreTrainedTokenizerBase)
    fast = isinstance(tokenizer, library.PreTrainedTokenizerFast), issubclass(kinds[1], library.PreTrainedTokenizerFast)
    return [*found, slow, is_one, fast]


def sides_of_a_class(library: Any) -> Any:
    """A class with defaults of its own."""

    class Own(library.BertTokenizer):  # type: ignore[misc, name-defined]
        padding_side = "left"
        model_input_names = ["input_ids", "attention_mask"]  # noqa: RUF012

    tokenizer = Own(str(folder_with_vocabulary() / "vocab.txt"))
    return dict(tokenizer(list(TEXTS), padding=True)), tokenizer.padding_side, Own.padding_side


def opened_by_keyword(library: Any) -> Any:
    """`pretrained_model_name_or_path=` wherever something is opened."""
    folder = checkpoint(library)
    (Path(folder) / "vocab.txt").write_text("".join(f"{piece}\n" for piece in PIECES), encoding="utf-8")
    kinds = ("BertConfig", "AutoConfig", "BertTokenizer", "BertModel", "AutoModel", "AutoModelForMaskedLM")
    found = [
        type(getattr(library, kind).from_pretrained(pretrained_model_name_or_path=folder)).__name__ for kind in kinds
    ]
    by_type = library.AutoTokenizer.from_pretrained(folder, tokenizer_type="bert", use_fast=False)
    wrong = what_is_raised(lambda: library.AutoTokenizer.from_pretrained(folder, tokenizer_type="xxx"), ValueError)
    return [*found, type(by_type).__name__, wrong]


def prepared(library: Any) -> Any:
    """`prepare_for_model` with everything that can be asked for."""
    tokenizer = new_tokenizer(library)
    asked = {"return_offsets_mapping": True, "return_special_tokens_mask": True, "return_length": True}
    found = [dict(tokenizer.prepare_for_model([5, 6], [7], **asked))]
    found.append(
        dict(tokenizer.prepare_for_model([5, 6], add_special_tokens=False, padding="max_length", max_length=6))
    )
    made = library.BatchEncoding({"a": [1, 2]}, encoding=None)
    return found, dict(made), made.n_sequences, library.BatchEncoding({"a": [1]}, None, None, False, 2).n_sequences


def config_questions(library: Any) -> Any:
    """Every shared field given, a dtype as text, and what the base class holds and answers."""
    fields: dict[str, Any] = {"torch_dtype": "float16", "use_bfloat16": True, "pruned_heads": {"a": 1}, "prefix": "p"}
    fields |= {"cross_attention_hidden_size": 128, "is_decoder": True, "add_cross_attention": True, "num_beams": 3}
    fields |= {"bad_words_ids": [1, 2, 3], "id2label": {0: "label"}, "label2id": {"label": "0"}, "pad_token_id": 7}
    config, base = library.BertConfig(**TINY, **fields), library.PretrainedConfig(num_labels=3, torch_dtype="bfloat16")
    kept = {name: str(getattr(config, name)) for name in fields}
    written = config.to_dict()["torch_dtype"], json.loads(config.to_json_string())["torch_dtype"]
    held = [name for name in vars(base) if name in ("is_encoder_decoder", "_name_or_path", "transformers_version")]
    labels = base.id2label, base.label2id, base.num_labels, str(base.torch_dtype), base.name_or_path, base.pad_token_id
    folder = tempfile.mkdtemp()
    library.BertConfig(**TINY, torch_dtype=torch.float16).save_pretrained(folder)
    again = library.BertConfig.from_pretrained(folder)
    pair = library.EncoderDecoderConfig.from_encoder_decoder_configs(again, again)
    base.name_or_path, pair.num_labels = 3, 4
    return kept, written, held, labels, str(again.torch_dtype), base.name_or_path, list(pair.id2label.items())


def sizes_that_differ(library: Any) -> Any:
    """What a handler at the reference's own logger hears."""
    folder, heard = checkpoint(library, class_name="BertForSequenceClassification"), io.StringIO()
    handler = importlib.import_module("logging").StreamHandler(heard)
    logger = library.logging.get_logger("transformers.modeling_utils")
    logger.addHandler(handler)
    for kind, change in (("BertForSequenceClassification", {"num_labels": 42}), ("BertModel", {"vocab_size": 10})):
        getattr(library, kind).from_pretrained(folder, ignore_mismatched_sizes=True, **change)
    logger.removeHandler(handler)
    return heard.getvalue().count("the shapes did not match")


WRITTEN_BY_A_READER_OF_BOTH_SIDES: dict[str, dict[str, Any]] = {
    "greedy": {},
    "cache asked for": {"use_cache": True},
    "beams": {"num_beams": 3, "num_return_sequences": 2, "length_penalty": 2.0},
    "sampled": {"do_sample": True, "top_k": 10, "top_p": 0.7, "temperature": 0.7, "num_return_sequences": 3},
    "sampled beams": {"do_sample": True, "num_beams": 2, "top_k": 10, "num_return_sequences": 2},
    "rules": {"min_length": 6, "bad_words_ids": [[1, 0]], "no_repeat_ngram_size": 2, "repetition_penalty": 1.2},
    "shown": {"return_dict_in_generate": True, "output_scores": True, "output_attentions": True},
    "shown beams": {
        "num_beams": 2,
        "return_dict_in_generate": True,
        "output_scores": True,
        "output_hidden_states": True,
    },
}


def written_by_a_reader_of_both_sides(options: dict[str, Any]) -> Program:
    """What a model without `is_decoder` generates."""

    def program(library: Any) -> Any:
        model = build(library, "BertLMHeadModel").eval()
        torch.manual_seed(3)
        output = model.generate(torch.tensor([[7, 9, 11], [12, 5, 8]]), max_length=8, **options)
        if isinstance(output, torch.Tensor):
            return output
        shown = {k: v for k, v in output.items() if k in ("attentions", "hidden_states")}
        words = {f"{k} {i} {j}": t for k, v in shown.items() for i, each in enumerate(v) for j, t in enumerate(each)}
        return {"ids": output.sequences, **{f"scores {i}": each for i, each in enumerate(output.scores)}, **words}

    return program


def finished_beams(library: Any) -> Any:
    """What a prompt's finished texts hold when its settings are changed."""
    beams = importlib.import_module(f"{library.__name__}.generation_beam_search")
    scorer = beams.BeamSearchScorer(2, num_beams=4, device="cpu", length_penalty=2.0, do_early_stopping=True)
    first, second = scorer._beam_hyps
    first.length_penalty, first.early_stopping, first.num_beams = 1.0, False, 2
    found: list[Any] = []
    for each in (first, second):
        for i in range(5):
            each.add(torch.arange(10), -10.0 + i)
        found += [sorted(score for score, *_ in each.beams), each.worst_score, len(each), each.num_beams]
        found += [each.is_done(score, 10) for score in (-1.0, -7.5, -100.0)]
    return found


def questions_to_a_tokenizer(library: Any) -> Any:
    """Its arguments, kept; those that it does not know, of each its own."""
    names = ("do_lower_case", "do_basic_tokenize", "never_split", "tokenize_chinese_chars", "strip_accents")
    names += ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
    folder = folder_with_vocabulary()
    opened = library.BertTokenizer.from_pretrained(str(folder), random_argument=True, from_slow=True)
    other = library.BertTokenizer.from_pretrained(str(folder), random_argument=False, strip_accents=True)
    kept = [[each.init_kwargs.get(name) for name in ("random_argument", "strip_accents")] for each in (opened, other)]
    opened.save_pretrained(str(folder))
    return kept, all(name in new_tokenizer(library).init_kwargs for name in names), opened.tokenize("we saw it")


def settings_in_a_file(library: Any) -> Any:
    """tokenizer_config.json, read as it is."""
    old = library.__name__ == "transformers"
    read = (
        importlib.import_module("transformers.models.auto.tokenization_auto") if old else library
    ).get_tokenizer_config
    folder = str(folder_with_vocabulary())
    nothing = read(folder)
    library.BertTokenizer.from_pretrained(folder, do_lower_case=False).save_pretrained(folder)
    found = read(folder)
    return nothing, found["tokenizer_class"], found["do_lower_case"], found["name_or_path"] == folder


def sources_and_targets(library: Any) -> Any:
    """`prepare_seq2seq_batch`, with and without targets and lengths."""
    tokenizer, texts = new_tokenizer(library), list(TEXTS)
    calls: list[dict[str, Any]] = [{}, {"tgt_texts": texts[::-1]}, {"max_length": 4}, {"padding": "max_length"}]
    calls += [{"tgt_texts": texts, "max_length": 3, "max_target_length": 6, "src_lang": "en_XX", "tgt_lang": "ro_RO"}]
    calls += [{"tgt_texts": texts, "max_length": 5, "return_tensors": "pt", "padding": "longest"}]
    tokenizer.model_max_length = 9
    found = [tokenizer.prepare_seq2seq_batch(texts, **call) for call in calls]
    return {f"{i} {name}": column for i, each in enumerate(found) for name, column in each.items()}


def copies_of_encodings(library: Any) -> Any:
    """Of the Python class: not fast, no rows, and the same again from a pickle."""
    tokenizer, found = new_tokenizer(library), []
    for kind in (None, "pt", library.TensorType.NUMPY, library.TensorType.PYTORCH):
        encoding = tokenizer(list(TEXTS), padding=True, return_tensors=kind)
        again = pickle.loads(pickle.dumps(encoding))
        found.append([encoding.is_fast, encoding.encodings, again.is_fast, again.encodings])
        found[-1] += [type(again["input_ids"]).__name__, [list(map(int, row)) for row in again["input_ids"]]]
    return found


def vocabulary_without_unknown(library: Any) -> Any:
    """It opens, and encodes what it can spell."""
    folder = Path(tempfile.mkdtemp())
    (folder / "vocab.txt").write_text("[PAD]\n[SEP]\n[MASK]\n[CLS]\nthe\ncat\n##s\n", encoding="utf-8")
    tokenizer = library.AutoTokenizer.from_pretrained(str(folder), tokenizer_type="bert", use_fast=False)
    found = type(tokenizer).__name__, tokenizer("the cats")["input_ids"], tokenizer.unk_token_id, tokenizer.cls_token_id
    return *found, len(tokenizer), tokenizer.convert_ids_to_tokens([5, 6]), tokenizer.decode([4, 5, 6])


def prefix_tree(library: Any) -> Any:
    """The tree of added tokens, and cuts that go back."""
    old = library.__name__ == "transformers"
    place = "transformers.tokenization_utils" if old else "minibert.tokenization.wordpiece"
    trie, shown = importlib.import_module(place).Trie(), []
    for token in ("Hello 友達", "Hello", "A", "AB", "", "[CLS]"):
        trie.add(token)
        shown.append(copy.deepcopy(trie.data))
    texts = ("ABC", "Hello 友達 Hello[CLS]A", "", "[CL")
    cuts = [trie.cut_text("ABC", offsets) for offsets in ([0, 0, 2, 1, 2, 3], [1], [], [3, 3])]
    return shown, [trie.split(text) for text in texts], cuts


def registered(library: Any) -> Any:
    """Classes of one's own, opened by the Auto classes; what is refused."""

    class OwnConfig(library.BertConfig):  # type: ignore[misc, name-defined]
        model_type = "own-model"

    class OwnModel(library.BertModel):  # type: ignore[misc, name-defined]
        config_class = OwnConfig

    class OwnTokenizer(library.BertTokenizer):  # type: ignore[misc, name-defined]
        pass

    class OwnTokenizerFast(library.BertTokenizerFast):  # type: ignore[misc, name-defined]
        slow_tokenizer_class = OwnTokenizer

    auto, kind = library.AutoModelForMaskedLM, ValueError
    try:
        library.AutoConfig.register("own-model", OwnConfig)
        library.AutoModel.register(OwnConfig, OwnModel)
        library.AutoTokenizer.register(OwnConfig, slow_tokenizer_class=OwnTokenizer)
        folder = tempfile.mkdtemp()
        model = library.AutoModel.from_config(OwnConfig(**library.BertConfig(**TINY).to_dict()))
        model.save_pretrained(folder)
        OwnTokenizer(str(folder_with_vocabulary() / "vocab.txt")).save_pretrained(folder)
        opened = [
            each.from_pretrained(folder) for each in (library.AutoConfig, library.AutoModel, library.AutoTokenizer)
        ]
        mapping = library.TOKENIZER_MAPPING
        found: list[Any] = [type(each).__name__ for each in (model, *opened)]
        found.append([each and each.__name__ for each in mapping[OwnConfig]])
        library.AutoTokenizer.register(OwnConfig, fast_tokenizer_class=OwnTokenizerFast)
        found.append([each.__name__ for each in mapping[OwnConfig]])
        found.append(type(library.AutoTokenizer.from_pretrained(folder, use_fast=False)).__name__)
        found.append(library.AutoConfig.for_model("own-model", hidden_size=24, num_attention_heads=4).hidden_size)
        found.append(type(library.AutoModel.from_config(library.BertConfig(**TINY))).__name__)
        wrong = [
            lambda: library.AutoConfig.register("other", OwnConfig),
            lambda: library.AutoConfig.register("bert", library.BertConfig),
        ]
        wrong += [
            lambda: auto.register(library.BertConfig, OwnModel),
            lambda: auto.register(library.BertConfig, library.BertModel),
        ]
        wrong += [
            lambda: library.AutoTokenizer.register(library.BertConfig, slow_tokenizer_class=library.BertTokenizer)
        ]
        wrong += [
            lambda: library.AutoTokenizer.register(OwnConfig),
            lambda: library.AutoTokenizer.register(OwnConfig, OwnTokenizerFast),
        ]
        wrong += [lambda: library.AutoTokenizer.register(OwnConfig, None, OwnTokenizer)]
        return found, [what_is_raised(each, kind) for each in wrong]
    finally:
        for each in (library.CONFIG_MAPPING, library.MODEL_MAPPING, library.TOKENIZER_MAPPING):
            for key in ("own-model", OwnConfig):
                each._extra_content.pop(key, None)  # fmt: skip


def mappings(library: Any) -> Any:
    """The tables of what is made of what, as far as they are BERT's."""
    names = ("", "FOR_PRETRAINING_", "WITH_LM_HEAD_", "FOR_CAUSAL_LM_", "FOR_MASKED_LM_", "FOR_MULTIPLE_CHOICE_")
    names += (
        "FOR_NEXT_SENTENCE_PREDICTION_",
        "FOR_QUESTION_ANSWERING_",
        "FOR_SEQUENCE_CLASSIFICATION_",
        "FOR_TOKEN_CLASSIFICATION_",
    )
    found = [getattr(library, f"MODEL_{name}MAPPING")[library.BertConfig].__name__ for name in names]
    return found, library.CONFIG_MAPPING["bert"].__name__, library.TOKENIZER_MAPPING[library.BertConfig][0].__name__


# ------------------------------------------------------------------------------------------------------------- collators


def plain(batch: Any) -> dict[str, Any]:
    return dict(sorted(batch.items()))


def default_collator(library: Any) -> Any:
    """Dictionaries and objects, labels of every kind."""
    collate, ids = library.default_data_collator, [[1, 2], [3, 4]]
    labels: list[tuple[str, list[Any]]] = [("label", [0, 1]), ("label", [0.5, 1.0]), ("label_ids", [[0, 1], [1, 0]])]
    labels += [
        ("label", [torch.tensor(0), torch.tensor(2)]),
        ("label_ids", [torch.tensor([1, 2]), torch.tensor([3, 4])]),
    ]
    labels += [("label_ids", [[0.5], [1.0]]), ("label", [None, None]), ("text", ["a", "b"]), ("other", [[0.5], [1.5]])]
    found = {}
    for i, (name, (first, second)) in enumerate(labels):
        rows = [{"input_ids": ids[0], name: first}, {"input_ids": ids[1], name: second}]
        for kind, examples in (("dict", rows), ("object", [SimpleNamespace(**row) for row in rows])):
            found |= {f"{i} {kind} {key}": value for key, value in plain(collate(examples)).items()}
    both = [{"label": 1, "label_ids": [7], "x": torch.ones(2)}, {"label": 0, "label_ids": [8], "x": torch.zeros(2)}]
    return {**found, **{f"both {key}": value for key, value in plain(collate(both)).items()}}


def padding_collators(side: str, **settings: Any) -> Program:
    """Encodings padded together, with labels of texts or of tokens."""

    def program(library: Any) -> Any:
        tokenizer = new_tokenizer(library, padding_side=side)
        encodings = [tokenizer(text) for text in TEXTS]
        texts = [{**row, name: i} for i, row in enumerate(encodings) for name in (("label", "label_ids")[i == 9],)]
        found = {f"text {k}": v for k, v in library.DataCollatorWithPadding(tokenizer, **settings)(texts).items()}
        tokens = [{**row, "labels": list(range(len(row["input_ids"])))} for row in encodings]
        collate = library.DataCollatorForTokenClassification(tokenizer, **settings)
        found |= {f"token {key}": value for key, value in collate(tokens).items()}
        single = library.DataCollatorForTokenClassification(tokenizer, label_pad_token_id=-1, **settings)
        found |= {f"label {k}": v for k, v in single([{"input_ids": r["input_ids"], "label": r["label"]} for r in [
            {**row, "label": [1] * len(row["input_ids"])} for row in encodings]]).items()}  # fmt: skip
        return found | {f"unlabelled {key}": value for key, value in collate([dict(row) for row in encodings]).items()}

    return program


def masking_collator(kind: str, **settings: Any) -> Program:
    """Words hidden under a seed: of encodings, of lists and of tensors."""

    def program(library: Any) -> Any:
        tokenizer = new_tokenizer(library)
        collate = getattr(library, kind)(tokenizer, **settings)
        encodings = [tokenizer(text) for text in (*TEXTS, " ".join(TEXTS))]
        marked = [tokenizer(text, return_special_tokens_mask=True) for text in TEXTS]
        reference = [{"input_ids": row["input_ids"], "chinese_ref": [2, 3, 5]} for row in encodings]
        rows = {
            "encodings": encodings,
            "lists": [row["input_ids"] for row in encodings],
            "tensors": [torch.tensor(row["input_ids"]) for row in encodings],
            "one length": [torch.tensor(encodings[0]["input_ids"])] * 5,
        }
        rows |= {"chinese": reference} if "Whole" in kind else {"marked": marked}
        found = {}
        for name, examples in rows.items():
            torch.manual_seed(1)
            random.seed(1)
            found |= {f"{name} {key}": value for key, value in collate(examples).items()}
            found[f"{name} next"] = torch.rand(2)
        return found

    return program


# ----------------------------------------------------------------------------------------------------------------- others


def seeds(library: Any) -> Any:
    """The first numbers after a seed."""
    library.set_seed(7)
    return random.random(), torch.rand(3).tolist(), importlib.import_module("numpy").random.rand(2).tolist()


def verbosity(library: Any) -> Any:
    """Levels, and what is shown at each: once, whoever else listens."""
    logging, shown = library.logging, io.StringIO()
    with redirect_stderr(shown):
        logging.set_verbosity_warning()
    levels = []
    for name in ("debug", "info", "warning", "error"):
        getattr(logging, f"set_verbosity_{name}")()
        levels.append((logging.get_verbosity(), logging.get_logger(library.__name__).level))
    logging.set_verbosity(logging.CRITICAL)
    levels.append((logging.get_verbosity(), logging.get_logger().level))
    handler = importlib.import_module("logging").StreamHandler(shown)
    logging.add_handler(handler)
    logging.disable_default_handler()
    logging.set_verbosity_info()
    logger = logging.get_logger(f"{library.__name__}.era")
    logger.info("told")
    logger.debug("not told")
    logging.enable_explicit_format()
    logger.warning("with level")
    logging.reset_format()
    logger.error("alone")
    logger.parent.removeHandler(handler)  # the reference's own remove_handler refuses a handler that is there
    logging.enable_propagation()
    propagates = importlib.import_module("logging").getLogger(library.__name__).propagate
    logging.disable_propagation()
    logging.enable_default_handler()
    logging.set_verbosity_warning()
    lines = [line.split(" ")[0].split("|")[0] + " " + line.split(">> ")[-1] for line in shown.getvalue().splitlines()]
    return levels, lines, propagates, importlib.import_module("logging").getLogger(library.__name__).propagate


def constants(library: Any) -> Any:
    """Values that programs import."""
    tensor = library.TensorType
    available = library.is_torch_available(), library.is_tf_available(), library.is_flax_available()
    return library.WEIGHTS_NAME, library.CONFIG_NAME, tensor("pt").value, tensor.NUMPY.value, available


def all_programs() -> dict[str, Program]:
    """Every program by name."""
    programs: dict[str, Program] = {
        f"era: config from {text!r}": update_from_string(text)
        for text in (
            *("use_cache=no,num_hidden_layers=5,hidden_dropout_prob=1e-1,hidden_act=relu", "num_labels=7", "top_p=1"),
            *("use_cache=maybe", "nope=1", "classifier_dropout=0.1", "num_hidden_layers=x", "a", "hidden_act=a=b"),
            *("use_cache=TRUE,is_decoder=1", "id2label=x", ""),
        )
    }
    plain_programs = (config_files, config_classes, waiting_configs, pair_config, attributes_of_models, pair_methods)
    plain_programs += (what_is_saved_is_found, kinds_of_errors, outputs_of_items, attributes_of_tokenizers)
    plain_programs += (sides_of_a_class, opened_by_keyword, prepared, registered, mappings, default_collator)
    plain_programs += (seeds, verbosity, constants)
    plain_programs += (config_questions, sizes_that_differ, finished_beams, questions_to_a_tokenizer)
    plain_programs += (settings_in_a_file, sources_and_targets, copies_of_encodings, vocabulary_without_unknown)
    plain_programs += (prefix_tree,)
    for name, options in WRITTEN_BY_A_READER_OF_BOTH_SIDES.items():
        programs[f"era: written by a reader of both sides, {name}"] = quietly(
            written_by_a_reader_of_both_sides(options)
        )
    programs |= {f"era: {program.__name__.replace('_', ' ')}": quietly(program) for program in plain_programs}
    for how in ("config", "call"):
        programs[f"era: heads of the last layer, by {how}"] = pruned_from_the_end(how)
    for name in OPENED:
        programs[f"era: loading info of {name}"] = loading_info(name)
        programs[f"era: loading info of {name} from a bare body"] = loading_info(name, saved="BertModel")
    programs["era: loading info, from a classifier"] = loading_info("BertForPreTraining", "BertForTokenClassification")
    other_size = {"num_labels": 5, "ignore_mismatched_sizes": True}
    programs["era: loading info, another number of labels"] = loading_info(
        "BertForTokenClassification", "BertForTokenClassification", **other_size
    )
    for side in ("right", "left"):
        programs[f"era: padding collators, {side}"] = padding_collators(side)
        programs[f"era: padding collators, {side}, multiple of 8"] = padding_collators(side, pad_to_multiple_of=8)
        programs[f"era: padding collators, {side}, to a length"] = padding_collators(
            side, padding="max_length", max_length=20
        )
    for kind in ("DataCollatorForLanguageModeling", "DataCollatorForWholeWordMask"):
        for settings in ({}, {"mlm_probability": 0.5}, {"pad_to_multiple_of": 8}, {"mlm": False}):
            if settings != {"mlm": False} or "Whole" not in kind:
                programs[f"era: {kind}({settings})"] = masking_collator(kind, **settings)  # type: ignore[arg-type]
    return programs


def quietly(program: Program) -> Program:
    """Without the warnings that the reference has for some of these."""

    def run(library: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return program(library)

    return run
