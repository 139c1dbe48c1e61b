"""Run programs of this folder, and a larger model stage by stage: python stages.py LIBRARY NAMES OUT

NAMES is a file with the names of programs, one a line. `make bits` calls it under one setting of the processor's instructions after the other. The programs' models are too small to show all that a
setting changes: a batch of theirs is one thread's work. So there is one model more, large enough to be shared out, and every stage of
its forward is kept in the order in which it ran, then its gradients and what three steps of training leave. OUT gets digests of the programs'
results and the stages themselves. This file imports neither library. BITS_THREADS says on how many threads to run.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))
import run

LARGER = {
    "vocab_size": 2000,
    "hidden_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 1024,
    "max_position_embeddings": 64,
}
BATCH, SEQ, STEPS = 16, 64, 3


def stages(library: Any) -> dict[str, Tensor]:
    """What every stage of a forward gives, in order; the loss, the gradients from the last layer to the first, and trained weights."""
    torch.manual_seed(0)
    model = library.BertForPreTraining(library.BertConfig(**LARGER)).eval()
    batch = batch_of_texts()
    found: dict[str, Tensor] = {"initial weights": torch.cat([p.detach().flatten() for p in model.parameters()])}

    def keep(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            found[name] = first(output)

        return hook

    handles = [
        module.register_forward_hook(keep(name))
        for name, module in model.named_modules()
        if name.endswith("attention.self") or not (list(module.children()) or isinstance(module, nn.Dropout))
    ]
    outputs = model(**batch, output_attentions=True)
    for handle in handles:
        handle.remove()
    loss, attentions = outputs[0], outputs["attentions"]
    ordered = {}
    for name, tensor in found.items():
        if name.endswith("attention.self"):  # its probabilities come before its context
            ordered[f"{name}: softmax"] = attentions[int(name.split(".")[3])].detach().clone()
        ordered[name] = tensor
    ordered["loss"] = loss.detach().clone()
    loss.backward()
    for name, parameter in reversed(list(model.named_parameters())):
        ordered[f"gradient of {name}"] = parameter.grad.clone()
    optimizer = library.AdamW(model.train().parameters(), lr=1e-3)
    for _ in range(STEPS):
        optimizer.zero_grad()
        model(**batch)[0].backward()
        optimizer.step()
    ordered[f"weights after {STEPS} steps"] = torch.cat([p.detach().flatten() for p in model.parameters()])
    return ordered


def batch_of_texts() -> dict[str, Tensor]:
    """Texts of different lengths, with labels."""
    generator = torch.Generator().manual_seed(1)
    lengths = torch.randint(8, SEQ + 1, (BATCH, 1), generator=generator)
    ids = torch.randint(0, LARGER["vocab_size"], (BATCH, SEQ), generator=generator)
    hidden = torch.rand(BATCH, SEQ, generator=generator) < 0.15
    return {
        "input_ids": ids,
        "attention_mask": (torch.arange(SEQ) < lengths).long(),
        "labels": ids.masked_fill(~hidden, -100),
        "next_sentence_label": torch.randint(0, 2, (BATCH,), generator=generator),
    }


def first(output: Any) -> Tensor:
    """The tensor of a stage, the first where it gives several."""
    return (output[0] if isinstance(output, tuple) else output).detach().clone()


def digest(value: Any) -> str:
    """Of everything in a result: types, shapes and bits."""
    seen = hashlib.sha256()

    def add(part: Any) -> None:
        if isinstance(part, Tensor):
            seen.update(f"{part.dtype}{tuple(part.shape)}".encode())
            seen.update(
                part.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if part.numel() else b""
            )
        elif isinstance(part, dict):
            for key in part:
                seen.update(repr(key).encode())
                add(part[key])
        elif isinstance(part, (list, tuple)):
            seen.update(f"{type(part).__name__}{len(part)}".encode())
            for item in part:
                add(item)
        else:
            seen.update(repr(part).encode())

    add(value)
    return seen.hexdigest()


def main() -> None:
    library_name, listed, out = sys.argv[1:]
    library = importlib.import_module(library_name)
    threads, begin = int(os.environ.get("BITS_THREADS", "1")), time.process_time()
    names = Path(listed).read_text(encoding="utf-8").splitlines()
    results = run.run(library, names, threads=threads)
    programs = {name: results[name] if isinstance(results[name], str) else digest(results[name]) for name in names}
    torch.set_num_threads(threads)
    torch.save(
        {
            "programs": programs,
            "stages": stages(library),
            "torch": str(torch.__version__),
            "capability": torch.backends.cpu.get_cpu_capability(),
            "python": platform.python_version(),
            "seconds": time.process_time() - begin,
        },
        out,
    )


if __name__ == "__main__":
    main()
