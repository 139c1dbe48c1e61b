"""Programs of the kind that a course on BERT's code of 2021 has, step by step: its tokenizer, its network, its heads and its optimizer.

They are ours, but call what such a course calls, private names included, by the paths it imports them from. `scripts/then_and_now.py` runs
them in three libraries and writes the table of docs/then_and_now.md; `make parity` demands the same bits of minibert as of 4.12.5.
Checkpoints are named as on the hub, and stand in the folder MINIBERT_CHAPTER: see `chapter_programs.py`.
"""

from __future__ import annotations

import importlib
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

Program = Callable[[Any], Any]
TEXT, PAIR = "The rain was cold in March.", ("She opened the window.", "Café tables!")
SECTIONS: dict[str, list[Program]] = {}


def section(title: str) -> Callable[[Program], Program]:
    """Put a program below a heading of the page, in the order in which they stand here."""

    def keep(program: Program) -> Program:
        SECTIONS.setdefault(title, []).append(program)
        return program

    return keep


def part(library: Any, path: str) -> Any:
    """A module of the library, as `from transformers.PATH import …` finds it."""
    return importlib.import_module(f"{library.__name__}.{path}")


def folder(name: str = "bert-base-uncased") -> str:
    return str(Path(os.environ["MINIBERT_CHAPTER"]) / name)


def tokenizer_of(library: Any) -> Any:
    return library.BertTokenizer.from_pretrained(folder())


def model_of(library: Any, name: str = "BertModel", **settings: Any) -> Any:
    return getattr(library, name).from_pretrained(folder(), **settings).eval()


def ids_of(library: Any, *texts: str) -> Any:
    return tokenizer_of(library)(*texts, return_tensors="pt")


def tensors(**named: Any) -> dict[str, Tensor]:
    """Tensors by name, without their graphs; those of a tuple numbered."""
    found: dict[str, Tensor] = {}
    for name, value in named.items():
        for i, each in enumerate(value if isinstance(value, (tuple, list)) else [value]):
            found[f"{name} {i}"] = each.detach()
    return found


# ------------------------------------------------------------------------------------------------------ the tokenizer
TOKENIZER = section("The tokenizer")
BASIC = section("BasicTokenizer and WordpieceTokenizer")


@TOKENIZER
def load_vocab(library: Any) -> Any:
    """`load_vocab(file)`: token → number"""
    return list(part(library, "models.bert.tokenization_bert").load_vocab(f"{folder()}/vocab.txt").items())


@TOKENIZER
def whitespace_tokenize(library: Any) -> Any:
    """`whitespace_tokenize(text)`"""
    return part(library, "models.bert.tokenization_bert").whitespace_tokenize("  the rain\twas \n cold ")


@TOKENIZER
def tokenizer_from_a_file(library: Any) -> Any:
    """`BertTokenizer(vocab_file, do_lower_case=…, never_split=…, strip_accents=…, …)`"""
    file = f"{folder('bert-base-cased')}/vocab.txt"
    found = []
    for options in (
        {},
        {"do_lower_case": False},
        {"do_basic_tokenize": False},
        {"never_split": ["Café"]},
        {"strip_accents": False},
    ):
        found.append(library.BertTokenizer(file, **options).tokenize("The Café tables, 雨"))
    return found


@TOKENIZER
def its_attributes(library: Any) -> Any:
    """`tokenizer.do_lower_case`, `.vocab_size`, `.get_vocab()`"""
    tokenizer = tokenizer_of(library)
    return tokenizer.do_lower_case, tokenizer.vocab_size, sorted(tokenizer.get_vocab().items())[:5]


@TOKENIZER
def private_tokenize(library: Any) -> Any:
    """`tokenizer._tokenize(text)`"""
    return tokenizer_of(library)._tokenize("The Café's tables")


@TOKENIZER
def private_conversions(library: Any) -> Any:
    """`tokenizer._convert_token_to_id(token)`, `._convert_id_to_token(id)`"""
    tokenizer = tokenizer_of(library)
    return [tokenizer._convert_token_to_id(each) for each in ("rain", "☂")], [
        tokenizer._convert_id_to_token(i) for i in (4, 999)
    ]


@TOKENIZER
def tokens_to_string(library: Any) -> Any:
    """`tokenizer.convert_tokens_to_string(tokens)`"""
    return [tokenizer_of(library).convert_tokens_to_string(["the", "caf", "##e", "##ys", "."])]


@TOKENIZER
def special_tokens_around(library: Any) -> Any:
    """`tokenizer.build_inputs_with_special_tokens(a, b)`"""
    tokenizer = tokenizer_of(library)
    return tokenizer.build_inputs_with_special_tokens([7, 8]), tokenizer.build_inputs_with_special_tokens([7, 8], [9])


@TOKENIZER
def special_tokens_mask(library: Any) -> Any:
    """`tokenizer.get_special_tokens_mask(a, b)`"""
    tokenizer = tokenizer_of(library)
    return tokenizer.get_special_tokens_mask([7, 8], [9]), tokenizer.get_special_tokens_mask(
        [2, 7, 3], already_has_special_tokens=True
    )


@TOKENIZER
def segments(library: Any) -> Any:
    """`tokenizer.create_token_type_ids_from_sequences(a, b)`"""
    return tokenizer_of(library).create_token_type_ids_from_sequences([7, 8], [9])


@TOKENIZER
def saved_vocabulary(library: Any) -> Any:
    """`tokenizer.save_vocabulary(folder)`"""
    with tempfile.TemporaryDirectory() as out:
        files = tokenizer_of(library).save_vocabulary(out)
        return [(Path(file).name, Path(file).read_text(encoding="utf-8")) for file in files]


@TOKENIZER
def the_call(library: Any) -> Any:
    """`tokenizer(text, pair)`: ids, segments, mask"""
    encoded = tokenizer_of(library)(*PAIR, padding="max_length", max_length=32, truncation=True, return_tensors="pt")
    return tensors(**{name: encoded[name] for name in ("input_ids", "token_type_ids", "attention_mask")})


@BASIC
def basic_tokenizer(library: Any) -> Any:
    """`BasicTokenizer().tokenize(text)`"""
    basic = part(library, "models.bert.tokenization_bert").BasicTokenizer
    texts = ("Déjà vu,\tHE SAID…", "春眠不觉晓", "don't\u0000 [MASK]!")
    return [
        basic(**each).tokenize(text)
        for text in texts
        for each in ({}, {"do_lower_case": False}, {"never_split": ["[MASK]!"]})
    ]


@BASIC
def strip_accents(library: Any) -> Any:
    """`._run_strip_accents(text)`"""
    return [part(library, "models.bert.tokenization_bert").BasicTokenizer()._run_strip_accents("déjà Ångström")]


@BASIC
def split_on_punctuation(library: Any) -> Any:
    """`._run_split_on_punc(text)`"""
    basic = part(library, "models.bert.tokenization_bert").BasicTokenizer()
    return [basic._run_split_on_punc(text) for text in ("don't!", "...a b", "", "x")], basic._run_split_on_punc(
        "a!", ["a!"]
    )


@BASIC
def chinese_characters(library: Any) -> Any:
    """`._tokenize_chinese_chars(text)`, `._is_chinese_char(code)`"""
    basic = part(library, "models.bert.tokenization_bert").BasicTokenizer()
    return basic._tokenize_chinese_chars("a春眠b"), [bool(basic._is_chinese_char(ord(char))) for char in "春aあ한"]


@BASIC
def clean_text(library: Any) -> Any:
    """`._clean_text(text)`"""
    return [
        part(library, "models.bert.tokenization_bert").BasicTokenizer()._clean_text("a\u0000b\tc\u200bd\u3000e\r\n")
    ]


@BASIC
def wordpiece_tokenizer(library: Any) -> Any:
    """`WordpieceTokenizer(vocab, unk_token, max_input_chars_per_word).tokenize(text)`"""
    vocab = {piece: i for i, piece in enumerate(["[UNK]", "a", "ab", "abc", "##b", "##c", "##d"])}
    wordpiece = part(library, "models.bert.tokenization_bert").WordpieceTokenizer
    return [
        wordpiece(vocab=vocab, unk_token="[UNK]", max_input_chars_per_word=longest).tokenize("abcd abx abcbcd")
        for longest in (100, 5)
    ]


# ------------------------------------------------------------------------------------------------------ the body
FORWARD = section("`BertModel.forward`, argument by argument")
BODY = section("`BertModel` and its stages")


@FORWARD
def input_ids(library: Any) -> Any:
    """`model(input_ids)`"""
    outputs = model_of(library)(ids_of(library, TEXT)["input_ids"])
    return tensors(last=outputs.last_hidden_state, pooled=outputs.pooler_output)


@FORWARD
def attention_mask(library: Any) -> Any:
    """`attention_mask=…`, (batch, seq) and (batch, seq, seq)"""
    ids = ids_of(library, TEXT)["input_ids"]
    mask = torch.ones_like(ids)
    mask[:, -2:] = 0
    each = mask[:, None, :].expand(-1, ids.size(1), -1)
    model = model_of(library)
    return tensors(two=model(ids, attention_mask=mask)[0], three=model(ids, attention_mask=each)[0])


@FORWARD
def token_type_ids(library: Any) -> Any:
    """`token_type_ids=…`"""
    return tensors(last=model_of(library)(**ids_of(library, *PAIR))[0])


@FORWARD
def position_ids(library: Any) -> Any:
    """`position_ids=…`"""
    ids = ids_of(library, TEXT)["input_ids"]
    return tensors(last=model_of(library)(ids, position_ids=torch.arange(ids.size(1)).flip(0)[None])[0])


@FORWARD
def head_mask(library: Any) -> Any:
    """`head_mask=…`: a head switched off, in one layer and in all"""
    inputs, model = ids_of(library, TEXT), model_of(library)
    mask = torch.ones(2, 4)
    mask[1, 2] = 0
    return tensors(
        one=model(**inputs, head_mask=mask)[0], all=model(**inputs, head_mask=mask[1])[0], none=model(**inputs)[0]
    )


@FORWARD
def inputs_embeds(library: Any) -> Any:
    """`inputs_embeds=…` in place of ids"""
    model = model_of(library)
    vectors = model.get_input_embeddings()(ids_of(library, TEXT)["input_ids"])
    return tensors(last=model(inputs_embeds=vectors)[0])


@FORWARD
def encoder_states(library: Any) -> Any:
    """`encoder_hidden_states=…`, `encoder_attention_mask=…`, of a decoder"""
    torch.manual_seed(0)
    decoder = model_of(library, is_decoder=True, add_cross_attention=True)
    for name, parameter in decoder.named_parameters():  # what the checkpoint lacks, the same in every library
        if "crossattention" in name:
            parameter.data = torch.linspace(-0.2, 0.2, parameter.numel()).view_as(parameter) + (
                "LayerNorm.weight" in name
            )
    states = torch.linspace(-1, 1, 3 * 32).view(1, 3, 32)
    outputs = decoder(
        **ids_of(library, TEXT),
        encoder_hidden_states=states,
        encoder_attention_mask=torch.tensor([[1, 1, 0]]),
        output_attentions=True,
    )
    return tensors(last=outputs.last_hidden_state, cross=outputs.cross_attentions)


@FORWARD
def past_key_values(library: Any) -> Any:
    """`use_cache=True`, `past_key_values=…`: a tuple of (key, value) for each layer"""
    decoder, ids = model_of(library, is_decoder=True), ids_of(library, TEXT)["input_ids"]
    first = decoder(ids[:, :4], use_cache=True)
    key, value = first.past_key_values[0]
    return tensors(key=key, value=value, rest=decoder(ids[:, 4:], past_key_values=first.past_key_values)[0])


@FORWARD
def output_attentions(library: Any) -> Any:
    """`output_attentions=True`"""
    return tensors(probabilities=model_of(library)(**ids_of(library, TEXT), output_attentions=True).attentions)


@FORWARD
def output_hidden_states(library: Any) -> Any:
    """`output_hidden_states=True`"""
    return tensors(states=model_of(library)(**ids_of(library, TEXT), output_hidden_states=True).hidden_states)


@FORWARD
def return_dict(library: Any) -> Any:
    """`return_dict=False`: a tuple; or an object with names"""
    inputs, model = ids_of(library, TEXT), model_of(library)
    last, pooled = model(**inputs, return_dict=False)
    outputs = model(**inputs)
    return {**tensors(last=last, pooled=pooled, object=outputs.to_tuple()), "names": list(outputs.keys())}


@BODY
def parts_of_the_body(library: Any) -> Any:
    """`BertModel(config, add_pooling_layer=False)` and its parts"""
    model = library.BertModel(library.BertConfig.from_pretrained(folder()), add_pooling_layer=False)
    return [name for name, _ in model.named_children()], model.pooler, [name for name, _ in model.named_parameters()]


@BODY
def input_embeddings(library: Any) -> Any:
    """`get_input_embeddings()`, `set_input_embeddings(table)`"""
    model = model_of(library)
    table = nn.Embedding.from_pretrained(model.get_input_embeddings().weight.detach().flip(0))
    model.set_input_embeddings(table)
    return {**tensors(last=model(**ids_of(library, TEXT))[0]), "same": model.embeddings.word_embeddings is table}


@BODY
def embeddings(library: Any) -> Any:
    """`BertEmbeddings`: three tables and a sum, by hand"""
    stage, inputs = model_of(library).embeddings, ids_of(library, *PAIR)
    places = torch.arange(inputs["input_ids"].size(1))
    total = stage.word_embeddings(inputs["input_ids"]) + stage.token_type_embeddings(inputs["token_type_ids"])
    by_hand = stage.LayerNorm(total + stage.position_embeddings(places))
    by_library = stage(inputs["input_ids"], token_type_ids=inputs["token_type_ids"])
    return {**tensors(by_library=by_library), "equal": torch.equal(by_hand, by_library)}


@BODY
def encoder(library: Any) -> Any:
    """`model.encoder(vectors)`, layer by layer by hand"""
    model, vectors = model_of(library), torch.linspace(-1, 1, 5 * 32).view(1, 5, 32)
    by_hand = vectors
    for layer in model.encoder.layer:
        by_hand = layer(by_hand)[0]
    by_library = model.encoder(vectors)[0]
    return {**tensors(by_library=by_library), "equal": torch.equal(by_hand, by_library)}


@BODY
def gradient_checkpointing(library: Any) -> Any:
    """`gradient_checkpointing_enable()`: computed twice, the same gradients"""
    model = model_of(library).train()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    inputs, found = ids_of(library, TEXT), {}
    for name in ("kept", "computed again"):
        model.zero_grad()
        model(**inputs)[0].square().sum().backward()
        found |= tensors(**{name: model.encoder.layer[0].attention.self.query.weight.grad.clone()})
        model.gradient_checkpointing_enable()
    return found


@BODY
def gradient_checkpointing_by_config(library: Any) -> Any:
    """`BertConfig(gradient_checkpointing=True)`, as 4.4 spelled it"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = library.BertConfig(
            **library.BertConfig.from_pretrained(folder()).to_dict(), gradient_checkpointing=True
        )
        model = library.BertModel.from_pretrained(folder(), config=config)
    return {**tensors(last=model.eval()(**ids_of(library, TEXT))[0]), "on": model.is_gradient_checkpointing}


@BODY
def prune_heads(library: Any) -> Any:
    """`model.prune_heads({layer: heads})`, `all_head_size` and the config after it"""
    model = model_of(library)
    model.prune_heads({0: [1], 1: [0, 3]})
    sizes = [
        (layer.attention.self.num_attention_heads, layer.attention.self.all_head_size) for layer in model.encoder.layer
    ]
    return {**tensors(last=model(**ids_of(library, TEXT))[0]), "sizes": sizes, "config": str(model.config.pruned_heads)}


@BODY
def private_prune_heads(library: Any) -> Any:
    """`model._prune_heads(…)`, `attention.prune_heads(heads)`"""
    model = model_of(library)
    model._prune_heads({0: {2}})
    model.encoder.layer[1].attention.prune_heads({1})
    return tensors(last=model(**ids_of(library, TEXT))[0])


@BODY
def what_pruning_uses(library: Any) -> Any:
    """`find_pruneable_heads_and_indices`, `prune_linear_layer`"""
    names = part(library, "models.bert.modeling_bert")
    heads, index = names.find_pruneable_heads_and_indices({1, 2}, 3, 2, {0})
    torch.manual_seed(0)
    layer = nn.Linear(6, 6)
    found = tensors(
        index=index,
        rows=names.prune_linear_layer(layer, index).weight,
        columns=names.prune_linear_layer(layer, index, dim=1).weight,
    )
    return {**found, "heads": sorted(heads)}


@BODY
def self_attention(library: Any) -> Any:
    """`BertSelfAttention`: query, key, value, `transpose_for_scores` and the formula by hand"""
    attention, x = model_of(library).encoder.layer[0].attention.self, torch.linspace(-1, 1, 5 * 32).view(1, 5, 32)
    query, key, value = (
        attention.transpose_for_scores(project(x)) for project in (attention.query, attention.key, attention.value)
    )
    probabilities = (query @ key.transpose(-1, -2) / attention.attention_head_size**0.5).softmax(-1)
    context = (probabilities @ value).permute(0, 2, 1, 3).reshape(1, 5, 32)
    its_context, its_probabilities = attention(x, output_attentions=True)[:2]
    equal = torch.equal(context, its_context) and torch.equal(probabilities, its_probabilities)
    return {**tensors(context=its_context, probabilities=its_probabilities), "equal": equal}


def relative(kind: str) -> Program:
    def program(library: Any) -> Any:
        config = library.BertConfig.from_pretrained(folder(), position_embedding_type=kind)
        model = library.BertModel.from_pretrained(folder(), config=config).eval()
        for layer in model.encoder.layer:  # the checkpoint has none
            table = layer.attention.self.distance_embedding.weight
            table.data = torch.linspace(-1, 1, table.numel()).view_as(table)
        return tensors(last=model(**ids_of(library, TEXT))[0])

    program.__doc__ = f'`position_embedding_type="{kind}"`'
    program.__name__ = kind
    return BODY(program)


relative("relative_key")
relative("relative_key_query")


@BODY
def masks_that_are_added(library: Any) -> Any:
    """`get_extended_attention_mask(mask, shape, device)`, `invert_attention_mask`, `get_head_mask`"""
    model, mask = model_of(library), torch.tensor([[1, 1, 0]])
    decoder = model_of(library, is_decoder=True)
    extended = [each.get_extended_attention_mask(mask, (1, 3), torch.device("cpu")) for each in (model, decoder)]
    return tensors(
        extended=extended, inverted=model.invert_attention_mask(mask), heads=model.get_head_mask(torch.ones(4), 2)
    )


@BODY
def attention_output(library: Any) -> Any:
    """`BertSelfOutput`: dense, dropout, residual connection, LayerNorm"""
    stage, x = model_of(library).encoder.layer[0].attention.output, torch.linspace(-1, 1, 2 * 32).view(1, 2, 32)
    return {
        **tensors(out=stage(x, x.flip(1))),
        "equal": torch.equal(stage(x, x.flip(1)), stage.LayerNorm(stage.dense(x) + x.flip(1))),
    }


@BODY
def feed_forward(library: Any) -> Any:
    """`BertIntermediate`, `BertOutput`, `ACT2FN["gelu"]`"""
    layer, x = model_of(library).encoder.layer[0], torch.linspace(-1, 1, 2 * 32).view(1, 2, 32)
    gelu = part(library, "activations").ACT2FN["gelu"]
    wide = layer.intermediate(x)
    return {
        **tensors(wide=wide, out=layer.output(wide, x)),
        "equal": torch.equal(wide, gelu(layer.intermediate.dense(x))),
    }


@BODY
def chunking(library: Any) -> Any:
    """`apply_chunking_to_forward(function, chunk_size, axis, x)`, from `modeling_utils`"""
    apply = part(library, "modeling_utils").apply_chunking_to_forward
    x = torch.linspace(-1, 1, 8).view(1, 4, 2)
    return tensors(whole=apply(lambda x: x.exp(), 0, 1, x), pieces=apply(lambda x: x.exp(), 2, 1, x))


@BODY
def chunked_feed_forward(library: Any) -> Any:
    """`config.chunk_size_feed_forward`, `layer.feed_forward_chunk(x)`"""
    model = model_of(library, chunk_size_feed_forward=4)
    x = torch.linspace(-1, 1, 8 * 32).view(1, 8, 32)
    return tensors(chunk=model.encoder.layer[0].feed_forward_chunk(x), whole=model.encoder(x)[0])


@BODY
def pooler(library: Any) -> Any:
    """`BertPooler`: the first token, dense, tanh"""
    pool, x = model_of(library).pooler, torch.linspace(-1, 1, 3 * 32).view(1, 3, 32)
    return {**tensors(out=pool(x)), "equal": torch.equal(pool(x), torch.tanh(pool.dense(x[:, 0])))}


@BODY
def counts(library: Any) -> Any:
    """37 dropouts, 25 LayerNorms and 109,482,240 parameters of BERT-base, counted"""
    with torch.device("meta"):
        modules = list((model := library.BertModel(library.BertConfig())).modules())
    counted = [sum(isinstance(module, kind) for module in modules) for kind in (nn.Dropout, nn.LayerNorm)]
    found = *counted, sum(parameter.numel() for parameter in model.parameters())
    assert found == (37, 25, 109_482_240), found
    return found


# ------------------------------------------------------------------------------------- heads, losses, optimizer
HEADS = section("Heads and losses")
OPTIMIZER = section("Optimizer and schedules")


@HEADS
def a_class_of_ones_own(library: Any) -> Any:
    """`from ….modeling_bert import *`, and `BertForPreTraining` typed anew from its parts"""
    names: dict[str, Any] = {}
    exec(f"from {library.__name__}.models.bert.modeling_bert import *", names)

    class Mine(names["BertPreTrainedModel"]):  # type: ignore[misc]
        def __init__(self, config: Any):
            super().__init__(config)
            self.bert = names["BertModel"](config)
            self.cls = names["BertPreTrainingHeads"](config)
            self.init_weights()

        def get_output_embeddings(self) -> Any:
            return self.cls.predictions.decoder

        def set_output_embeddings(self, new_embeddings: Any) -> None:
            self.cls.predictions.decoder = new_embeddings

        @names["add_start_docstrings_to_model_forward"](
            names["BERT_INPUTS_DOCSTRING"].format("batch_size, sequence_length")
        )
        def forward(self, input_ids: Tensor, labels: Tensor, next_sentence_label: Tensor) -> Any:
            sequence, pooled = self.bert(input_ids)[:2]
            words, follows = self.cls(sequence, pooled)
            loss = names["CrossEntropyLoss"]()
            total = loss(words.view(-1, self.config.vocab_size), labels.view(-1)) + loss(
                follows.view(-1, 2), next_sentence_label.view(-1)
            )
            return names["BertForPreTrainingOutput"](
                loss=total, prediction_logits=words, seq_relationship_logits=follows
            )

    ids = ids_of(library, TEXT)["input_ids"]
    mine = Mine.from_pretrained(folder()).eval()(ids, ids, torch.tensor([1]))
    theirs = model_of(library, "BertForPreTraining")(ids, labels=ids, next_sentence_label=torch.tensor([1]))
    return {**tensors(mine=mine.to_tuple()), "equal": torch.equal(mine.loss, theirs.loss)}


@HEADS
def tied_weights(library: Any) -> Any:
    """`tie_weights()`, `get_output_embeddings()`; `torchscript=True` copies in place of tying"""
    found = []
    for torchscript in (False, True):
        model = model_of(library, "BertForPreTraining", torchscript=torchscript)
        model.tie_weights()
        found.append(model.get_output_embeddings().weight is model.get_input_embeddings().weight)
    return found


@HEADS
def parts_of_the_heads(library: Any) -> Any:
    """`BertLMPredictionHead`, `BertPredictionHeadTransform`, `BertOnlyMLMHead`, `BertOnlyNSPHead`"""
    names, config = part(library, "models.bert.modeling_bert"), library.BertConfig.from_pretrained(folder())
    classes = (
        "BertLMPredictionHead",
        "BertPredictionHeadTransform",
        "BertOnlyMLMHead",
        "BertOnlyNSPHead",
        "BertPreTrainingHeads",
    )
    return [[(name, tuple(p.shape)) for name, p in getattr(names, each)(config).named_parameters()] for each in classes]


def losses(class_name: str, given: str, **labels: Any) -> None:
    def program(library: Any) -> Any:
        settings = {"is_decoder": True} if class_name == "BertLMHeadModel" else {}
        model = model_of(library, class_name, **settings)
        for name, parameter in model.named_parameters():  # heads that the checkpoint lacks, the same in every library
            if name.startswith(("classifier", "qa_outputs")):
                parameter.data = torch.linspace(-0.2, 0.2, parameter.numel()).view_as(parameter)
        ids = ids_of(library, TEXT)["input_ids"]
        shape = (1, 1, -1) if class_name == "BertForMultipleChoice" else (1, -1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outputs = model(
                ids.view(shape),
                **{name: ids if value == "ids" else torch.tensor(value) for name, value in labels.items()},
            )
        outputs.loss.backward()
        gradient = next(model.parameters()).grad
        return tensors(outputs=[each for each in outputs.to_tuple() if isinstance(each, Tensor)], gradient=gradient)

    program.__doc__ = f"`{class_name}(…, {given})`"
    program.__name__ = f"{class_name} {given}"
    HEADS(program)


losses("BertForPreTraining", "labels, next_sentence_label", labels="ids", next_sentence_label=[0])
losses("BertForMaskedLM", "labels", labels="ids")
losses("BertLMHeadModel", "labels", labels="ids")
losses("BertForNextSentencePrediction", "labels", labels=[1])
losses("BertForNextSentencePrediction", "next_sentence_label", next_sentence_label=[1])
losses("BertForSequenceClassification", "labels", labels=[1])
losses("BertForMultipleChoice", "labels", labels=[0])
losses("BertForTokenClassification", "labels", labels=[[0, 1, 1, 0, 0, 0, 1, 0, 0]])
losses("BertForQuestionAnswering", "start_positions, end_positions", start_positions=[2], end_positions=[5])


@HEADS
def written_text(library: Any) -> Any:
    """`BertLMHeadModel.generate(…)` with beams, `prepare_inputs_for_generation`, `_reorder_cache`"""
    model, ids = model_of(library, "BertLMHeadModel", is_decoder=True), ids_of(library, TEXT)["input_ids"][:, :-1]
    prepared = model.prepare_inputs_for_generation(ids, past=None, attention_mask=torch.ones_like(ids))
    cache = model._reorder_cache(model(ids.expand(2, -1), use_cache=True).past_key_values, torch.tensor([1, 0]))
    written = model.generate(ids, max_length=14, num_beams=2, eos_token_id=None, pad_token_id=0)
    return tensors(ids=prepared["input_ids"], cache=cache[0], written=written)


@OPTIMIZER
def adamw(library: Any) -> Any:
    """`AdamW` with `no_decay` groups, ten steps"""
    model = model_of(library, "BertForPreTraining")
    no_decay = ["bias", "LayerNorm.bias", "LayerNorm.weight"]
    parameters = list(model.named_parameters())
    groups = [
        {"params": [p for n, p in parameters if not any(each in n for each in no_decay)], "weight_decay": 0.01},
        {"params": [p for n, p in parameters if any(each in n for each in no_decay)], "weight_decay": 0.0},
    ]
    optimizer, inputs = library.AdamW(groups, lr=1e-3), ids_of(library, TEXT)
    schedule = library.get_linear_schedule_with_warmup(optimizer, num_warmup_steps=3, num_training_steps=10)
    for _ in range(10):
        loss = model(**inputs, labels=inputs["input_ids"], next_sentence_label=torch.tensor([0])).loss
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return tensors(loss=loss, word=model.get_input_embeddings().weight, norm=model.bert.embeddings.LayerNorm.weight)


@OPTIMIZER
def adamw_as_google_has_it(library: Any) -> Any:
    """`AdamW(correct_bias=False)`"""
    weight = nn.Parameter(torch.linspace(-1, 1, 6))
    optimizer = library.AdamW([weight], lr=0.1, weight_decay=0.1, correct_bias=False)
    for step in range(5):
        weight.grad = torch.linspace(1, -1, 6) * step
        optimizer.step()
    return tensors(weight=weight)


def schedules(name: str) -> None:
    def program(library: Any) -> Any:
        kinds = part(library, "optimization").TYPE_TO_SCHEDULER_FUNCTION
        assert part(library, "trainer_utils").SchedulerType(name) in kinds
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
        schedule = library.get_scheduler(name, optimizer, num_warmup_steps=3, num_training_steps=10)
        rates = []
        for _ in range(12):
            rates += schedule.get_last_lr()
            optimizer.step()
            schedule.step()
        return rates

    program.__doc__ = f'`get_scheduler("{name}", …)`'
    program.__name__ = f"schedule {name}"
    OPTIMIZER(program)


for kind in ("linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup"):
    schedules(kind)


def all_programs() -> dict[str, Program]:
    """Every program by name."""
    return {f"course: {program.__name__}": program for programs in SECTIONS.values() for program in programs}
