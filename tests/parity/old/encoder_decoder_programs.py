"""Programs with a pair of BERTs, an encoder and a decoder, that run unchanged on minibert and on transformers 4.12.5.

Of the same shape as those of `programs.py`: each takes the library and returns tensors by name.
"""

from __future__ import annotations

import tempfile
import warnings
from typing import Any

import torch
from programs import BATCH, POSITIONS, TINY, Program, flatten, gradients, named, text_batch, word_labels
from torch import Tensor

WRITTEN = 6  # tokens of the decoder's text


def build(library: Any, tied: bool = False, encoder: dict[str, Any] | None = None, **overrides: Any) -> Any:
    """A pair with the weights of seed 0; `overrides` change both configs, `encoder` only one."""
    torch.manual_seed(0)
    config = library.EncoderDecoderConfig.from_encoder_decoder_configs(
        library.BertConfig(**{**TINY, **overrides, **(encoder or {})}),
        library.BertConfig(**{**TINY, **overrides}),
        tie_encoder_decoder=tied,
        decoder_start_token_id=2,
        pad_token_id=0,
    )
    return library.EncoderDecoderModel(config=config)


def labels() -> Tensor:
    """(batch, 6): the text to write, with some words that do not count."""
    return word_labels()[:, :WRITTEN].contiguous()


def run(model: Any, **inputs: Any) -> Any:
    """A forward without the reference's note that it once computed another loss."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return model(**inputs)


def initial_weights(tied: bool, **overrides: Any) -> Program:
    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, tied, **overrides)
        counts = torch.tensor([len(list(model.parameters())), sum(p.numel() for p in model.parameters())])
        return {**model.state_dict(), "parameters": counts, "next random numbers": torch.rand(4)}

    return program


def forward_backward(tied: bool, training: bool, **overrides: Any) -> Program:
    """From labels alone: loss, logits, all hidden states and attentions, every gradient."""

    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, tied, **overrides).train(training)
        torch.manual_seed(3)
        outputs = run(model, **text_batch(), labels=labels(), output_hidden_states=True, output_attentions=True)
        outputs.loss.backward()
        return {**named(outputs), **gradients(model)}

    return program


def every_argument(library: Any) -> dict[str, Tensor]:
    """Both sides' own ids, masks, segments, positions and head masks, with labels that are not moved; then as a tuple."""
    model = build(library).train()
    batch = text_batch()
    ids = torch.randint(1, TINY["vocab_size"], (BATCH, WRITTEN), generator=torch.Generator().manual_seed(8))
    inputs = {
        **batch,
        "position_ids": torch.arange(8, -1, -1).expand(BATCH, -1),
        "head_mask": torch.tensor([1.0, 0.0, 1.0, 1.0]),
        "decoder_input_ids": ids,
        "decoder_attention_mask": (ids > 20).long().index_fill(1, torch.tensor([0]), 1),
        "decoder_token_type_ids": (ids > 50).long(),
        "decoder_position_ids": torch.arange(2, 2 + WRITTEN).expand(BATCH, -1),
        "decoder_head_mask": torch.tensor([[1.0, 1.0, 0.5, 1.0], [0.0, 1.0, 1.0, 1.0]]),
    }
    torch.manual_seed(3)
    results = named(run(model, **inputs, labels=labels()))
    for flag in (False, True):
        more = {"return_dict": False, "output_hidden_states": flag, "output_attentions": flag, "use_cache": flag}
        torch.manual_seed(3)
        results |= {f"tuple {flag} {key}": value for key, value in named(run(model, **inputs, **more)).items()}
    return results


def vectors_in_place_of_ids(library: Any) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(4)
    model = build(library).eval()
    read, written = (torch.randn(BATCH, seq, TINY["hidden_size"], generator=generator) for seq in (9, WRITTEN))
    return named(run(model, inputs_embeds=read, decoder_inputs_embeds=written, labels=labels()))


def word_by_word(library: Any) -> dict[str, Tensor]:
    """The encoder once, then the decoder over a cache, with the arguments that generation would prepare."""
    model = build(library).eval()
    batch = text_batch()
    encoder_outputs = model.get_encoder()(**batch)
    ids, past, results = torch.full((BATCH, 1), 2), None, {}
    for step in range(5):
        inputs = model.prepare_inputs_for_generation(
            ids, past=past, attention_mask=batch["attention_mask"], use_cache=True, encoder_outputs=encoder_outputs
        )
        outputs = run(model, **inputs, return_dict=True)
        past = model._reorder_cache(outputs.past_key_values, torch.tensor([1, 1, 2]))
        ids = torch.cat([ids[[1, 1, 2]], outputs.logits[:, -1].argmax(-1, keepdim=True)], dim=1)
        results |= {f"step {step} {key}": value for key, value in named(outputs).items()}
    return {**results, "ids": ids, **dict(flatten("cache", past))}


def from_two_checkpoints(tied: bool) -> Program:
    """Two pre-training checkpoints made a pair: new cross-attention from a seed, then a step, saved and opened again."""

    def program(library: Any) -> dict[str, Tensor]:
        with tempfile.TemporaryDirectory() as folder:
            for seed, side in enumerate(("encoder", "decoder")):
                torch.manual_seed(seed)
                library.BertForPreTraining(library.BertConfig(**TINY)).save_pretrained(f"{folder}/{side}")
            torch.manual_seed(5)
            model = library.EncoderDecoderModel.from_encoder_decoder_pretrained(
                f"{folder}/encoder", f"{folder}/decoder", tie_encoder_decoder=tied
            )
            model.config.decoder_start_token_id, model.config.pad_token_id = 2, 0
            results = {name: value.clone() for name, value in model.state_dict().items()}
            results["next random numbers"] = torch.rand(4)
            optimizer = library.AdamW(model.parameters(), lr=1e-2)
            run(model, **text_batch(), labels=labels()).loss.backward()
            optimizer.step()
            model.save_pretrained(f"{folder}/pair")
            opened = library.EncoderDecoderModel.from_pretrained(f"{folder}/pair")
            outputs = run(opened, **text_batch(), labels=labels())
            results |= {f"opened {name}": value for name, value in opened.state_dict().items()}
            return {**results, **named(outputs)}

    return program


def training_run(tied: bool) -> Program:
    """A hundred steps with dropout, AdamW and a schedule."""

    def program(library: Any) -> dict[str, Tensor]:
        model = build(library, tied).train()
        optimizer = library.AdamW(model.parameters(), lr=1e-3)
        schedule = library.get_linear_schedule_with_warmup(optimizer, 10, 100)
        torch.manual_seed(7)
        losses = []
        for _ in range(100):
            loss = run(model, **text_batch(), labels=labels()).loss
            loss.backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            losses.append(loss.detach())
        return {"losses": torch.stack(losses), **model.state_dict()}

    return program


def all_programs() -> dict[str, Program]:
    """Every program by name."""
    programs: dict[str, Program] = {
        "pair: every argument": every_argument,
        "pair: vectors in place of ids": vectors_in_place_of_ids,
        "pair: word by word": word_by_word,
    }
    for tied in (False, True):
        kind = "tied" if tied else "untied"
        programs[f"pair, {kind}: from two checkpoints"] = from_two_checkpoints(tied)
        programs[f"pair, {kind}: 100 steps"] = training_run(tied)
        for position in POSITIONS:
            settings = {"position_embedding_type": position}
            programs[f"pair, {kind}: initial weights, {position}"] = initial_weights(tied, **settings)
        for training in (False, True):
            programs[f"pair, {kind}: {'train' if training else 'eval'}"] = forward_backward(tied, training)
    more_layers = {"num_hidden_layers": 3}
    programs["pair, tied: an encoder of more layers"] = forward_backward(True, True, encoder=more_layers)
    return programs
