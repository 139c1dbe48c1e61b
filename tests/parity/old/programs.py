"""Programs that run unchanged on minibert and on the old reference, transformers 4.12.5.

Each takes the library (a module with BertConfig, the models, AdamW …), sets its own seed, and returns tensors by name.
What the two libraries return must be equal to the bit. This file imports neither.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

Program = Callable[[Any], dict[str, Tensor]]

TINY = {
    "vocab_size": 99,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 24,
}
BATCH, SEQ = 3, 9


def build(library: Any, class_name: str, **overrides: Any) -> Any:
    """A model with the weights of seed 0."""
    torch.manual_seed(0)
    return getattr(library, class_name)(library.BertConfig(**{**TINY, **overrides}))


def text_batch() -> dict[str, Tensor]:
    """Ids, segments and a mask with rows of different lengths."""
    generator = torch.Generator().manual_seed(1)
    mask = torch.ones(BATCH, SEQ, dtype=torch.long)
    mask[1, 6:] = 0
    mask[2, 1:] = 0
    return {
        "input_ids": torch.randint(1, TINY["vocab_size"], (BATCH, SEQ), generator=generator),
        "token_type_ids": torch.randint(0, 2, (BATCH, SEQ), generator=generator),
        "attention_mask": mask,
    }


def word_labels() -> Tensor:
    """Labels for about half of the words, −100 for the rest."""
    generator = torch.Generator().manual_seed(2)
    labels = torch.randint(0, TINY["vocab_size"], (BATCH, SEQ), generator=generator)
    labels[torch.rand(BATCH, SEQ, generator=generator) < 0.5] = -100
    labels[0, 0] = 7  # at least one counts
    return labels


def labels_for(class_name: str) -> dict[str, Tensor]:
    """Labels of the kind that the class takes; none for the bare model."""
    sentence = torch.tensor([0, 1, 0])
    return {
        "BertModel": {},
        "BertForPreTraining": {"labels": word_labels(), "next_sentence_label": sentence},
        "BertForMaskedLM": {"labels": word_labels()},
        "BertLMHeadModel": {"labels": word_labels()},
        "BertForNextSentencePrediction": {"labels": sentence},
        "BertForSequenceClassification": {"labels": sentence},
        "BertForMultipleChoice": {"labels": sentence},
        "BertForTokenClassification": {"labels": word_labels().clamp(max=1)},
        "BertForQuestionAnswering": {
            "start_positions": torch.tensor([1, 30, 0]),
            "end_positions": torch.tensor([4, 30, -5]),
        },
    }[class_name]


def inputs_for(class_name: str) -> dict[str, Tensor]:
    """The batch of texts, twice side by side where the class chooses between two."""
    batch = text_batch()
    if class_name == "BertForMultipleChoice":
        return {name: torch.stack([value, value.flip(0)], dim=1) for name, value in batch.items()}
    return batch


def flatten(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    """Every tensor inside nested tuples, with its place as its name."""
    if isinstance(value, Tensor):
        yield name, value.detach().clone()
    elif value is not None:
        for i, item in enumerate(value):
            yield from flatten(f"{name}.{i}", item)


def named(outputs: Any) -> dict[str, Tensor]:
    """The tensors of an output object by key, or of a tuple by position."""
    items = outputs.items() if hasattr(outputs, "items") else ((str(i), v) for i, v in enumerate(outputs))
    return {name: tensor for key, value in items for name, tensor in flatten(str(key), value)}


def gradients(model: Any) -> dict[str, Tensor]:
    """Every parameter's gradient."""
    return {f"grad {n}": p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def initial_weights(class_name: str, **overrides: Any) -> Program:
    """The weights a seed gives, and the state the random generator is left in."""

    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, class_name, **overrides)
        return {**model.state_dict(), "next random numbers": torch.rand(4)}

    return program


def forward_backward(class_name: str, training: bool, **overrides: Any) -> Program:
    """Outputs with all hidden states and attentions, as object and as tuple, the loss, and every gradient."""

    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, class_name, **overrides).train(training)
        inputs = {**inputs_for(class_name), **labels_for(class_name)}
        torch.manual_seed(3)
        outputs = model(**inputs, output_hidden_states=True, output_attentions=True)
        loss = outputs["loss"] if "loss" in outputs else outputs[0].square().sum() + outputs[1].sum()
        loss.backward()
        torch.manual_seed(3)
        as_tuple = model(**inputs, output_hidden_states=True, output_attentions=True, return_dict=False)
        results = {f"tuple {key}": value for key, value in named(as_tuple).items()}
        return {**named(outputs), **results, **gradients(model)}

    return program


def without_optional_inputs(class_name: str) -> Program:
    """Ids alone: no mask, no segments, no labels."""

    def program(library: Any) -> dict[str, Tensor]:
        return named(build(library, class_name).eval()(inputs_for(class_name)["input_ids"]))

    return program


def inputs_embeds(class_name: str) -> Program:
    """Word vectors in place of ids, and positions counted backwards."""

    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, class_name).eval()
        shape = inputs_for(class_name)["input_ids"].shape
        vectors = torch.randn(*shape, TINY["hidden_size"], generator=torch.Generator().manual_seed(4))
        positions = torch.arange(SEQ - 1, -1, -1).expand(shape)
        return named(model(inputs_embeds=vectors, position_ids=positions))

    return program


def one_row(**overrides: Any) -> Program:
    """Every gradient of a batch of one row, through large weights: what adds up in another order differs in its last bit here."""

    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, "BertForSequenceClassification", num_hidden_layers=3, initializer_range=0.3, **overrides)
        model.eval()(torch.arange(1, 9)[None], labels=torch.tensor([1])).loss.backward()
        return gradients(model)

    return program


def three_dimensional_mask(class_name: str, **overrides: Any) -> Program:
    """A mask of its own for every query, one row of which hides everything."""

    def program(library: Any) -> dict[str, Tensor]:
        mask = (torch.rand(BATCH, SEQ, SEQ, generator=torch.Generator().manual_seed(5)) < 0.7).long()
        mask[0, 0] = 0
        model = build(library, class_name, **overrides).eval()
        return named(model(text_batch()["input_ids"], attention_mask=mask))

    return program


def head_masks(training: bool) -> Program:
    """Some heads silenced, in every layer alike and in each on its own, with gradients."""

    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, "BertModel").train(training)
        results = {}
        for name, mask in (("1-D", [1.0, 0.0, 1.0, 0.5]), ("2-D", [[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0]])):
            model.zero_grad()
            torch.manual_seed(3)
            outputs = model(**text_batch(), head_mask=torch.tensor(mask), output_attentions=True)
            outputs[0].square().sum().backward()
            results |= {f"{name} {key}": value for key, value in {**named(outputs), **gradients(model)}.items()}
        return results

    return program


def pruned(from_config: bool) -> Program:
    """Heads cut out, by a call in two steps or by the config; then trained on."""

    def program(library: Any) -> dict[str, Tensor]:
        if from_config:
            model = build(library, "BertForPreTraining", pruned_heads={0: [1], 1: [0, 3]})
        else:
            model = build(library, "BertForPreTraining")
            model.prune_heads({1: [3]})
            model.prune_heads({0: [1], 1: [0, 3]})
        outputs = model.train()(**text_batch(), **labels_for("BertForPreTraining"), output_attentions=True)
        outputs[0].backward()
        return {**model.state_dict(), **named(outputs), **gradients(model)}

    return program


def resized(tie_word_embeddings: bool) -> Program:
    """A vocabulary grown and cut, with the decoder and its bias."""

    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, "BertForMaskedLM", tie_word_embeddings=tie_word_embeddings).eval()
        results = {}
        for size in (110, 90):
            torch.manual_seed(size)
            model.resize_token_embeddings(size)
            ids = text_batch()["input_ids"].clamp(max=89)
            ids[2, 1:] = 0  # padding, whose vector is trained from here on
            outputs = model(ids, labels=ids)
            model.zero_grad()
            outputs.loss.backward()
            results |= {f"{size} {key}": value for key, value in {**named(outputs), **gradients(model.bert)}.items()}
            results[f"{size} words"] = model.get_input_embeddings().weight.detach().clone()
            results[f"{size} bias"] = model.get_output_embeddings().bias.grad.clone()
            del outputs  # the reference cannot resize a bias that a graph still needs
        return results

    return program


def chunked_feed_forward(training: bool) -> Program:
    """The feed-forward network over three positions at a time."""
    return forward_backward("BertForMaskedLM", training, chunk_size_feed_forward=3)


def gradient_checkpointing(class_name: str) -> Program:
    """Layers computed again in the backward pass, dropout included."""

    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, class_name).train()
        model.gradient_checkpointing_enable()
        torch.manual_seed(3)
        outputs = model(**inputs_for(class_name), **labels_for(class_name))
        outputs[0].backward()
        return {**named(outputs), **gradients(model)}

    return program


def sequence_classification(training: bool, labels: Any, **overrides: Any) -> Program:
    """The losses of sequence classification: one class, several labels, one number, several numbers."""

    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, "BertForSequenceClassification", **overrides).train(training)
        outputs = model(**text_batch(), labels=torch.tensor(labels))
        outputs.loss.backward()
        return {**named(outputs), **gradients(model)}

    return program


def decoder(training: bool, cross_attention: bool, **overrides: Any) -> Program:
    """A decoder over a whole sequence, beside an encoder or alone, with loss and gradients."""

    def program(library: Any) -> dict[str, Tensor]:
        settings = {"is_decoder": True, "add_cross_attention": cross_attention, **overrides}
        model = build(library, "BertLMHeadModel", **settings).train(training)
        encoder = encoder_output() if cross_attention else {}
        torch.manual_seed(3)
        outputs = model(
            **text_batch(), **encoder, labels=word_labels(), output_hidden_states=True, output_attentions=True
        )
        outputs.loss.backward()
        results = {f"tuple {k}": v for k, v in named(model(**text_batch(), **encoder, return_dict=False)).items()}
        return {**named(outputs), **results, **gradients(model)}

    return program


def encoder_output() -> dict[str, Tensor]:
    """Hidden states of an encoder, with rows of different lengths.

    As many as the decoder has: between different numbers the reference's relative positions break.
    """
    mask = torch.ones(BATCH, SEQ, dtype=torch.long)
    mask[1, 3:] = 0
    states = torch.randn(BATCH, SEQ, TINY["hidden_size"], generator=torch.Generator().manual_seed(6))
    return {"encoder_hidden_states": states, "encoder_attention_mask": mask}


def cached(cross_attention: bool) -> Program:
    """Word by word over a cache: every step's scores, and the last cache."""

    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, "BertLMHeadModel", is_decoder=True, add_cross_attention=cross_attention).eval()
        encoder = encoder_output() if cross_attention else {}
        ids = text_batch()["input_ids"]
        past, results = None, {}
        for i in range(SEQ):
            outputs = model(ids[:, i : i + 1], past_key_values=past, use_cache=True, **encoder)
            past = outputs.past_key_values
            results[f"scores {i}"] = outputs.logits.detach().clone()
        reordered = model._reorder_cache(past, torch.tensor([2, 0, 0]))
        return {**results, **dict(flatten("cache", past)), **dict(flatten("reordered", reordered))}

    return program


def training_run(class_name: str, scheduler: str = "linear", **overrides: Any) -> Program:
    """A hundred steps with dropout, AdamW, no-decay groups and a schedule: every loss and the final parameters."""

    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, class_name, **overrides).train()
        no_decay = ("bias", "LayerNorm.weight")
        groups: list[dict[str, Any]] = [{"params": [], "weight_decay": 0.01}, {"params": [], "weight_decay": 0.0}]
        for name, parameter in model.named_parameters():
            groups[any(part in name for part in no_decay)]["params"].append(parameter)
        optimizer = library.AdamW(groups, lr=1e-3)
        schedule = library.get_scheduler(scheduler, optimizer, num_warmup_steps=10, num_training_steps=100)
        inputs = {**inputs_for(class_name), **labels_for(class_name)}
        torch.manual_seed(7)
        losses = []
        for _ in range(100):
            loss = model(**inputs)[0]
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            losses.append(loss.detach())
        return {"losses": torch.stack(losses), **model.state_dict()}

    return program


CLASSES = (
    "BertModel",
    "BertForPreTraining",
    "BertForMaskedLM",
    "BertLMHeadModel",
    "BertForNextSentencePrediction",
    "BertForSequenceClassification",
    "BertForMultipleChoice",
    "BertForTokenClassification",
    "BertForQuestionAnswering",
)
ACTIVATIONS = ("gelu", "relu", "gelu_new", "silu")
RARE_ACTIVATIONS = ("gelu_python", "gelu_fast", "quick_gelu", "mish", "tanh", "sigmoid", "linear", "swish")
POSITIONS = ("absolute", "relative_key", "relative_key_query")


def all_programs() -> dict[str, Program]:
    """Every program by name."""
    programs: dict[str, Program] = {}
    for class_name in CLASSES:
        programs[f"{class_name}: untied initial weights"] = initial_weights(class_name, tie_word_embeddings=False)
        programs[f"{class_name}: ids alone"] = without_optional_inputs(class_name)
        programs[f"{class_name}: inputs_embeds"] = inputs_embeds(class_name)
        for position in POSITIONS:
            settings = {"position_embedding_type": position}
            programs[f"{class_name}: initial weights, {position}"] = initial_weights(class_name, **settings)
            for act, training in itertools.product(ACTIVATIONS, (False, True)):
                name = f"{class_name}: {position}, {act}, {'train' if training else 'eval'}"
                programs[name] = forward_backward(class_name, training, hidden_act=act, **settings)
        if class_name != "BertModel":  # the one without a loss
            programs[f"{class_name}: gradient checkpointing"] = gradient_checkpointing(class_name)
            programs[f"{class_name}: 100 steps"] = training_run(class_name)
    for act, training in itertools.product(RARE_ACTIVATIONS, (False, True)):
        name = f"BertForPreTraining: {act}, {'train' if training else 'eval'}"
        programs[name] = forward_backward("BertForPreTraining", training, hidden_act=act)
    for schedule in ("constant", "constant_with_warmup", "cosine", "cosine_with_restarts", "polynomial"):
        programs[f"100 steps, {schedule}"] = training_run("BertForMaskedLM", schedule)
    for position in POSITIONS:
        programs[f"one row, {position}"] = one_row(position_embedding_type=position)
    for position in POSITIONS[1:]:
        programs[f"100 steps, {position}"] = training_run("BertForPreTraining", position_embedding_type=position)
    programs["100 steps, decoder"] = training_run("BertLMHeadModel", is_decoder=True)

    classification = {
        "one class of four": ([3, 0, 1], {"num_labels": 4}),
        "many labels": ([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0]], {"num_labels": 3}),
        "a number": ([0.5, -1.0, 2.0], {"num_labels": 1}),
        "three numbers": ([[0.5, 1.0, 2.0]] * 3, {"num_labels": 3, "problem_type": "regression"}),
        "its own dropout": ([1, 0, 1], {"classifier_dropout": 0.5}),
    }
    for training in (False, True):
        mode = "train" if training else "eval"
        programs[f"head masks, {mode}"] = head_masks(training)
        programs[f"chunked feed-forward, {mode}"] = chunked_feed_forward(training)
        for name, (labels, settings) in classification.items():
            programs[f"classification, {name}, {mode}"] = sequence_classification(training, labels, **settings)
        for cross_attention, position in itertools.product((False, True), POSITIONS):
            name = f"decoder, {'cross-attention, ' if cross_attention else ''}{position}, {mode}"
            programs[name] = decoder(training, cross_attention, position_embedding_type=position)
    programs["decoder, 3-D mask"] = three_dimensional_mask("BertLMHeadModel", is_decoder=True)
    programs["encoder, 3-D mask"] = three_dimensional_mask("BertModel")
    programs["cache"] = cached(cross_attention=False)
    programs["cache, cross-attention"] = cached(cross_attention=True)
    programs["pruned by a call"] = pruned(from_config=False)
    programs["pruned by the config"] = pruned(from_config=True)
    programs["resized, tied"] = resized(tie_word_embeddings=True)
    programs["resized, untied"] = resized(tie_word_embeddings=False)
    return programs
