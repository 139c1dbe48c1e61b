"""Does a text get the same bits in any batch? `python scripts/any_batch.py`: 10,000 random batches, on one thread and on two.

Texts are drawn, and each is run alone by the plain forward, on one thread. Then they stand in random batches, between other texts, padded left or
right by a random amount, and every number that `fast.same_in_any_batch` gives is compared with the one it has alone; the last tenth of the
batches are prompts that `generate` goes on with. The plain way is counted beside it. Each number of threads has a process of its own, and
what the processes found must be the same bits, too. `--price` measures what it costs, turn by turn.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from minibert import BertConfig, BertForMaskedLM, BertLMHeadModel, BertModel
from minibert.fast import same_in_any_batch

BATCHES, MODELS, TEXTS, LONGEST = 10_000, 40, 16, 32
SEARCHES: tuple[dict[str, Any], ...] = (
    {},
    {"use_cache": False},
    {"num_beams": 3},
    {"num_beams": 2, "use_cache": False},
)
OUTPUTS = {"output_hidden_states": True, "output_attentions": True}


class Count:
    """What was compared: numbers and texts, how many differ, and a digest of all numbers found."""

    def __init__(self) -> None:
        self.numbers = self.differing = self.texts = self.plain_texts = self.plain_differing = 0
        self.digest = hashlib.sha256()

    def compare(self, found: Tensor, expected: Tensor) -> None:
        self.digest.update(found.contiguous().numpy().tobytes())
        self.numbers += expected.numel()
        self.differing += int((found != expected).sum()) if found.shape == expected.shape else expected.numel()


class Whole:
    """One of the models, its texts, and what they give alone."""

    def __init__(self, seed: int, *, generates: bool):
        self.draw = torch.Generator().manual_seed(seed)
        if seed % 10 == 0:  # the bundled model: its size, and weights that were trained
            kind = BertLMHeadModel if generates else BertForMaskedLM
            self.model = kind.from_pretrained("novels-4l-256h", is_decoder=generates)
        else:
            self.model = random_model(self.draw, generates=generates)
        self.words = min(self.model.config.vocab_size, 1000)
        lengths = [self.number(1, 12 if generates else LONGEST) for _ in range(TEXTS)]
        self.texts = [torch.randint(2, self.words, (1, length), generator=self.draw) for length in lengths]
        self.search = SEARCHES[seed % len(SEARCHES)]
        torch.set_num_threads(1)
        self.alone = [self.generated(text) if generates else self.outputs(text) for text in self.texts]

    def number(self, least: int, most: int) -> int:
        return int(torch.randint(least, most + 1, (), generator=self.draw))

    def outputs(self, ids: Tensor, **inputs: Any) -> list[Tensor]:
        """The last stage's numbers, a middle stage's, and the first layer's attention."""
        output = self.model(ids, **inputs, **OUTPUTS)
        return [output[0], output.hidden_states[len(output.hidden_states) // 2], output.attentions[0]]

    def generated(self, ids: Tensor, **inputs: Any) -> Tensor:
        options = {"max_new_tokens": 6, "pad_token_id": 0, "eos_token_id": 1, **self.search}
        return self.model.generate(ids, positions_from_mask=True, **inputs, **options)

    def batch(self, *, left: bool) -> tuple[list[int], list[slice], dict[str, Tensor]]:
        """Which texts, where in their rows they are, and the batch."""
        chosen = torch.randint(0, TEXTS, (self.number(1, 5),), generator=self.draw).tolist()
        seq = max(self.texts[i].size(1) for i in chosen) + self.number(0, 8)
        ids = torch.randint(0, self.words, (len(chosen), seq), generator=self.draw)  # padding may be anything
        mask, positions, places = torch.zeros_like(ids), torch.zeros_like(ids), []
        for row, i in enumerate(chosen):
            length = self.texts[i].size(1)
            start = seq - length if left else 0
            places.append(slice(start, start + length))
            ids[row, places[-1]], mask[row, places[-1]] = self.texts[i][0], 1
            positions[row, places[-1]] = torch.arange(length)
        return chosen, places, {"input_ids": ids, "attention_mask": mask, "position_ids": positions}

    def forward_batch(self, count: Count, threads: int, *, also_plain: bool) -> None:
        chosen, places, batch = self.batch(left=self.number(0, 1) == 1)
        ids = batch.pop("input_ids")
        torch.set_num_threads(threads)
        with same_in_any_batch(self.model):
            found = self.outputs(ids, **batch)
        plain = self.outputs(ids, **batch) if also_plain else None
        for row, (i, place) in enumerate(zip(chosen, places, strict=True)):
            own = lambda outputs, row=row, place=place: [  # noqa: E731
                outputs[0][row, place],
                outputs[1][row, place],
                outputs[2][row, :, place, place],
            ]
            for one, expected in zip(own(found), self.alone[i], strict=True):
                count.compare(one, expected[0])
            count.texts += 1
            if plain is not None:
                count.plain_texts += 1
                count.plain_differing += not torch.equal(plain[0][row, place], self.alone[i][0][0])

    def generated_batch(self, count: Count, threads: int) -> None:
        chosen, places, batch = self.batch(left=True)
        torch.set_num_threads(threads)
        with same_in_any_batch(self.model):
            found = self.generated(batch["input_ids"], attention_mask=batch["attention_mask"])
        for row, (i, place) in enumerate(zip(chosen, places, strict=True)):
            expected = self.alone[i][0]
            own = found[row, place.start :]
            count.compare(own[: expected.size(0)], expected)
            count.differing += int((own[expected.size(0) :] != 0).sum())  # padding
            count.texts += 1


def random_model(draw: torch.Generator, *, generates: bool) -> Any:
    """A BERT of a random size, activation and kind of position, its weights all different."""
    choose = lambda *choices: choices[int(torch.randint(0, len(choices), (), generator=draw))]  # noqa: E731
    heads = choose(1, 2, 3, 4, 8)
    config = BertConfig(
        vocab_size=choose(50, 99, 1000),
        hidden_size=heads * choose(5, 8, 16, 20),
        num_hidden_layers=choose(1, 2, 3),
        num_attention_heads=heads,
        intermediate_size=choose(7, 64, 100, 256),
        max_position_embeddings=64,
        hidden_act=choose("gelu", "gelu_new", "relu", "silu"),
        position_embedding_type=choose("absolute", "absolute", "relative_key", "relative_key_query"),
        is_decoder=generates,
    )
    model = (BertLMHeadModel if generates else BertForMaskedLM)(config)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=draw) * 0.3 + (0.5 if parameter.dim() == 1 else 0.0)
    return model.eval()


@torch.no_grad()
def law(batches: int, threads: int) -> bool:
    """Run the batches in this process; print what was found. Whether no bit differs."""
    count, generating = Count(), batches // 10
    for start, number, generates in ((0, batches - generating, False), (MODELS, generating, True)):
        each = max(1, number // MODELS)
        for seed in range(start, start + MODELS):
            whole = Whole(seed, generates=generates)
            for i in range(each if seed < start + MODELS - 1 else number - each * (MODELS - 1)):
                if generates:
                    whole.generated_batch(count, threads)
                else:
                    whole.forward_batch(count, threads, also_plain=i % 10 == 0)
    print(
        f"{threads} thread{'s' if threads > 1 else ''}: {batches:,} batches ({generating:,} of them generated), {count.texts:,} texts, "
        f"{count.numbers:,} numbers: {count.differing:,} differ. The plain way changes {count.plain_differing:,} of "
        f"{count.plain_texts:,} texts. sha256 {count.digest.hexdigest()[:16]}",
        flush=True,
    )
    return count.differing == 0


@torch.no_grad()
def price(turns: int) -> None:
    """The time of a padded batch within `same_in_any_batch`, divided by the plain way's on as many threads, turn by turn."""
    base = {"num_hidden_layers": 4}
    small = {
        "vocab_size": 8192,
        "hidden_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 1024,
    }
    threads = torch.get_num_threads()
    print(
        f"| model | 16 texts of | text in the batch | time, {threads} thread{'s' if threads > 1 else ''} |\n|---|---|--:|--:|"
    )
    for name, sizes in (("4 layers of 256", small), ("4 layers of 768", base)):
        torch.manual_seed(0)
        model = BertModel(BertConfig(**sizes)).eval()
        for least, most in ((4, 16), (10, 64), (60, 64), (16, 128)):
            lengths = torch.linspace(least, most, 16).round().long()
            mask = (torch.arange(most) < lengths[:, None]).long()
            ids = torch.randint(5, 1000, mask.shape)
            run = lambda model=model, ids=ids, mask=mask: model(ids, attention_mask=mask)  # noqa: E731
            ratios = [ratio(model, run) for _ in range(turns)]
            print(
                f"| {name} | {least} to {most} tokens | {float(mask.float().mean()):.0%} | {statistics.median(ratios):.1f}× |",
                flush=True,
            )
    model = BertLMHeadModel(BertConfig(**small, is_decoder=True)).eval()
    ids = torch.randint(5, 1000, (8, 16))
    for name, options in (
        ("greedy, cached", {}),
        ("greedy, uncached", {"use_cache": False}),
        ("4 beams, cached", {"num_beams": 4}),
    ):
        run = lambda options=options: model.generate(ids, max_new_tokens=16, **options)  # noqa: E731
        ratios = [ratio(model, run) for _ in range(turns)]
        print(
            f"| 4 layers of 256, `generate`: {name} | 8 prompts of 16 | 100% | {statistics.median(ratios):.1f}× |",
            flush=True,
        )


def ratio(model: Any, run: Callable[[], Any]) -> float:
    """One turn: the plain way, then within `same_in_any_batch`."""
    seconds = []
    for within in (False, True):
        begin = time.perf_counter()
        if within:
            with same_in_any_batch(model):
                run()
        else:
            run()
        seconds.append(time.perf_counter() - begin)
    return seconds[1] / seconds[0]


def main() -> int:
    """Run each number of threads in a process of its own; 0 if no bit differs, and all processes found the same."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--batches", type=int, default=BATCHES)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--price", type=int, metavar="TURNS", help="measure the time instead, so many turns")
    parser.add_argument("--here", action="store_true", help="in this process")
    asked = parser.parse_args()
    if asked.here:
        if asked.price:
            price(asked.price)
            return 0
        return int(not law(asked.batches, asked.threads[0]))
    quiet = {
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONWARNINGS": "ignore",
    }  # threads that wait leave the processor to others
    digests, holds = set(), True
    for threads in asked.threads:
        command = [sys.executable, __file__, "--here", "--threads", str(threads), "--batches", str(asked.batches)]
        command += ["--price", str(asked.price)] if asked.price else []
        done = subprocess.run(  # noqa: S603  # this script again
            command,
            env={**os.environ, **quiet, "OMP_NUM_THREADS": str(threads)},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(done.stdout, end="", flush=True)
        holds &= done.returncode == 0
        digests.add(done.stdout.rpartition(" ")[2])
    if not asked.price:
        print("The processes found the same bits." if len(digests) == 1 else "The processes found DIFFERENT bits.")
        holds &= len(digests) == 1
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
