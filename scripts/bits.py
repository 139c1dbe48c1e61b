"""Where do bits change? Run the parity programs under other instructions, threads and PyTorchs: `make bits`, the table of docs/bits.md.

Each setting is asked two things. Are minibert's results those of transformers 4.12.5 to the bit, both run in that setting? And are they those of the
first row; if not, which stage of a larger model is the first that gives something else, and by how much? Differences are counted in units in
the last place (ulp) of the stage's largest number. `--resume` keeps what build/bits has of an earlier run.
"""

from __future__ import annotations

import importlib
import math
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "parity" / "old"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.machine import processor
from scripts.translations import put_in_both

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "bits.md"
WORK = ROOT / "build" / "bits"
BEGIN, END = "<!-- the table: make bits -->\n", "<!-- its end -->\n"
# Those that compute with a network, and of these every third, so that a setting takes a minute. `make parity` runs all.
FILES = ("programs", "generation_programs", "encoder_decoder_programs", "era_generation_programs", "optim_programs")
EVERY = 3
ENVIRONMENTS = {"newest": (".venv", ".venv-old"), "oldest": (".venv-oldest", ".venv-old-oldest")}
NAMES = ("ATEN_CPU_CAPABILITY", "MKL_CBWR", "ONEDNN_MAX_CPU_ISA")


class Setting(NamedTuple):
    """One row: which PyTorch, which instructions its own kernels, MKL's and oneDNN's may use, and how many threads."""

    torch: str = "newest"
    aten: str = ""
    mkl: str = ""
    onednn: str = ""
    threads: int = 1

    @property
    def variables(self) -> dict[str, str]:
        return {name: value for name, value in zip(NAMES, (self.aten, self.mkl, self.onednn), strict=True) if value}

    def __str__(self) -> str:
        return "-".join([self.torch, *map("=".join, self.variables.items()), f"{self.threads}t"])


SETTINGS = (
    Setting(),
    Setting(threads=2),
    Setting(aten="avx2"),
    Setting(aten="avx2", threads=2),
    Setting(aten="default"),
    Setting(mkl="COMPATIBLE"),
    Setting(mkl="COMPATIBLE", threads=2),
    Setting(mkl="AVX2"),
    Setting(mkl="AVX512"),
    Setting(onednn="AVX2"),
    Setting(aten="default", mkl="COMPATIBLE", onednn="SSE41"),
    Setting("oldest"),
    Setting("oldest", threads=2),
    Setting("oldest", aten="avx2"),
    Setting("oldest", aten="default"),
    Setting("oldest", aten="default", mkl="COMPATIBLE", onednn="SSE41", threads=2),
)


def run(setting: Setting, *, resume: bool) -> dict[str, dict[str, Any]]:
    """What both libraries give in one setting, side by side."""
    listed, sides, running = WORK / "names", {}, []
    listed.write_text("\n".join(names()), encoding="utf-8")
    for library, environment in zip(("minibert", "transformers"), ENVIRONMENTS[setting.torch], strict=True):
        sides[library] = WORK / f"{setting}-{library}.pt"
        if resume and sides[library].exists():
            continue
        python = ROOT / environment / ("Scripts" if os.name == "nt" else "bin") / "python"
        program = ROOT / "tests" / "parity" / "old" / "stages.py"
        command = [str(python), "-W", "ignore", str(program), library, str(listed), str(sides[library])]
        inherited = {name: value for name, value in os.environ.items() if name not in NAMES}
        own = {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "BITS_THREADS": str(setting.threads)}
        own |= {"OMP_NUM_THREADS": str(setting.threads), "OMP_WAIT_POLICY": "PASSIVE"}
        with (WORK / f"{setting}-{library}.log").open("w", encoding="utf-8") as log:
            running.append(
                subprocess.Popen(command, env={**inherited, **own, **setting.variables}, stdout=log, stderr=log)  # noqa: S603
            )
    if any([process.wait() != 0 for process in running]):  # noqa: C419  # wait for all
        raise SystemExit(f"{setting} failed: see {WORK}/{setting}-*.log")
    return {library: torch.load(path) for library, path in sides.items()}


def names() -> list[str]:
    """The programs that are run, in their order."""
    return [name for file in FILES for name in importlib.import_module(file).all_programs()][::EVERY]


def failed(result: str) -> bool:
    """Whether a program has a traceback where others have a digest."""
    return result.startswith("failed with")


def equal_programs(found: dict[str, Any], expected: dict[str, Any]) -> int:
    """How many programs gave the same bits on both sides."""
    pairs = ((found["programs"][name], expected["programs"][name]) for name in names())
    return sum(one == other and not failed(one) for one, other in pairs)


def units(found: Tensor, expected: Tensor) -> float:
    """The largest difference, in units in the last place of the largest number."""
    largest = float(expected.abs().max())
    ulp = 2.0 ** (math.floor(math.log2(largest)) - 23) if largest else 1.0
    return float((found.double() - expected.double()).abs().max()) / ulp


def first_apart(found: dict[str, Tensor], expected: dict[str, Tensor]) -> tuple[int, str] | None:
    """The first stage whose bits differ, and how many came before it."""
    for i, name in enumerate(expected):
        if not torch.equal(found[name], expected[name]):
            return i, name
    return None


def counted(number: float) -> str:
    """3 units, 1 unit, 0.5 units."""
    text = f"{number:.1f}" if number < 9.95 else f"{number:.0f}"
    return f"{text.removesuffix('.0')} unit{'' if text == '1.0' else 's'}"


def table(results: dict[Setting, dict[str, dict[str, Any]]]) -> str:
    """Rows, then a sentence for each that diverges from the first, or whose two libraries do."""
    base = results[SETTINGS[0]]["minibert"]
    versions = {of.torch: sides["minibert"]["torch"].partition("+")[0] for of, sides in results.items()}
    total, lines, sentences = len(names()), [], []
    lines += ["| | torch | setting | threads | minibert beside 4.12.5 | beside row 1 |", "|--:|---|---|--:|---|---|"]
    for number, (setting, sides) in enumerate(results.items(), start=1):
        ours, theirs = sides["minibert"], sides["transformers"]
        equal = equal_programs(ours, theirs)
        whole = equal == total and first_apart(ours["stages"], theirs["stages"]) is None
        beside = "the same bits" if whole else f"{equal} of {total} the same"
        kept, apart = equal_programs(ours, base), first_apart(ours["stages"], base["stages"])
        shown = " ".join(f"`{name}={value}`" for name, value in setting.variables.items()) or "—"
        if apart is None and kept == total:
            cell = "the same bits" if number > 1 else "—"
        elif apart is None:
            cell = f"the larger model is the same, {total - kept} of the programs are not"
            sentences.append(
                f"- **Row {number}.** Every stage of the larger model keeps its bits; of the programs {kept} in {total} do."
            )
        else:
            at, name = apart
            off, scores = (units(ours["stages"][s], base["stages"][s]) for s in (name, "cls.predictions.decoder"))
            cell = f"diverges at `{name}`: {counted(off)}"
            before = (
                f"{at} stages keep their bits; `{name}` is the first that does not, by"
                if at
                else f"Already the `{name}` are others, by"
            )
            words = f"end {counted(scores)} away" if scores else "keep theirs"
            sentences.append(
                f"- **Row {number}.** {before} {counted(off)} in the last place. The scores of words {words}; of the programs {kept} in {total} keep all of theirs."
            )
        lines.append(f"| {number} | {versions[setting.torch]} | {shown} | {setting.threads} | {beside} | {cell} |")
    about = (
        f"{time.strftime('%Y-%m-%d')}: {processor()}, {platform.system()}, Python {base['python']}; PyTorch calls what it can do here "
        f"{base['capability']}. Each row is every third program of the parity tests that computes with a network, {total} in all, and {len(base['stages'])} stages of a model with 4 layers of 256."
    )
    return "\n".join(["", about, "", *lines, "", *sentences, "", ""])


CHINESE = (
    (
        r"(\d{4}-\d\d-\d\d): (.*), (\w+), Python (.*); PyTorch calls what it can do here (\w+)\.",
        r"\1：\2，\3，Python \4；PyTorch 把这里的能力叫做 \5。",
    ),
    (
        r" Each row is every third program .* network, (\d+) in all, and (\d+) stages .*\.",
        r"每一行是一致性测试里用网络计算的程序，每三个取一个，共 \1 个，以及一个 4 层、宽 256 的模型的 \2 级。",
    ),
    (
        r"\| setting \| threads \| minibert beside 4.12.5 \| beside row 1 \|",
        "| 设置 | 线程 | minibert 与 4.12.5 相比 | 与第 1 行相比 |",
    ),
    (r"the same bits", "比特相同"),
    (r"(\d+) of (\d+) the same", r"\2 个里有 \1 个相同"),
    (r"the larger model is the same, (\d+) of the programs are not", r"大一些的模型相同，程序里有 \1 个不同"),
    (r"diverges at (`[^`]*`): ([\d.]+) units?", r"从 \1 起不同：\2 个单位"),
    (r"- \*\*Row (\d+)\.\*\* ", r"- **第 \1 行。**"),
    (
        r"Every stage of the larger model keeps its bits; of the programs (\d+) in (\d+) do\.",
        r"大一些的模型每一级的比特都不变；\2 个程序里有 \1 个不变。",
    ),
    (
        r"(\d+) stages keep their bits; (`[^`]*`) is the first that does not, by ([\d.]+) units? in the last place\. ",
        r"有 \1 级的比特不变；\2 是最先不同的一级，差末位的 \3 个单位。",
    ),
    (
        r"Already the `initial weights` are others, by ([\d.]+) units? in the last place\. ",
        r"初始权重（`initial weights`）就已经不同，差末位的 \1 个单位。",
    ),
    (r"The scores of words end ([\d.]+) units? away; ", r"词的分数最后差 \1 个单位；"),
    (r"The scores of words keep theirs; ", "词的分数不变；"),
    (r"of the programs (\d+) in (\d+) keep all of theirs\.", r"\2 个程序里有 \1 个全部不变。"),
)


def in_chinese(text: str) -> str:
    """The table's twin, each paragraph below a mark for the hash of its English."""
    for pattern, translation in CHINESE:
        text = re.sub(pattern, translation, text)
    mark = "<!-- en: 00000000 -->\n"
    return "\n" + "".join(f"{mark}{part.strip()}\n\n" for part in text.split("\n\n") if part.strip()) + mark


def main() -> None:
    """Run all settings, one after the other; write the table into the page and its twin, and print it."""
    WORK.mkdir(parents=True, exist_ok=True)
    results = {}
    for setting in SETTINGS:
        results[setting] = run(setting, resume="--resume" in sys.argv)
        print(f"{setting}: done", file=sys.stderr, flush=True)
    written = table(results)
    put_in_both(PAGE, written, in_chinese(written), marks=(BEGIN, END))
    print(written)


if __name__ == "__main__":
    main()
