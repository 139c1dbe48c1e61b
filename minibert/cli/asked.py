"""The texts that `minibert predict` is given, as examples of the model's task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..tasks import Examples, Task

_HOW = {
    "classify": "TEXT (with --second for a pair), or --file",
    "tag": "TEXT, or --file",
    "qa": "--question and --context, or --file",
    "choose": "TEXT with two or more --choice, or --file",
    "nsp": "TEXT and --second, or --file",
}


@dataclass(frozen=True)
class Asked:
    """The texts and options of `minibert predict`."""

    texts: tuple[str, ...] = ()
    second: str | None = None
    question: str | None = None
    context: str | None = None
    choices: tuple[str, ...] = ()
    file: Path | None = None

    def examples(self, task: Task) -> Examples:
        """Examples without labels. Raises ValueError where the options do not fit the task."""
        from ..tasks import Examples, Report
        from ..tasks.task_files import read_lines

        if task.name not in _HOW:
            raise ValueError("This model fills in hidden words. Ask it with: minibert fill-mask TEXT --model NAME.")
        given, asked, source = self._given(), self, "the command line"
        if self.file is not None:
            if given != {"file"}:
                raise ValueError("--file brings all there is to ask: leave out TEXT and the other options.")
            if self.file.suffix.lower() != ".txt" or task.name not in ("classify", "tag"):
                return task.read(self.file, labelled=False)
            lines = (line.strip() for _, line in read_lines(self.file))
            asked, source = replace(self, texts=tuple(filter(None, lines)), file=None), str(self.file)
        items = asked._items(task.name)
        return Examples(items, Report(source, found=len(items)))

    def _items(self, task: str) -> list[Any]:
        from ..tasks import ChoiceExample, Question, TaggedSentence, TextExample

        texts, given = self.texts, self._given()
        asked = (*texts, *self.choices, self.second, self.question, self.context)
        if not all(text.strip() for text in asked if text is not None):
            raise ValueError("A text is empty: the model needs at least a word.")
        if task == "qa" and given == {"question", "context"}:
            return [Question("0", str(self.question).strip(), str(self.context), location="the question")]
        if task == "choose" and given == {"texts", "choices"} and len(texts) == 1 and len(self.choices) > 1:
            return [ChoiceExample(texts[0], "", self.choices, location="the text")]
        if task in ("classify", "nsp") and given == {"texts", "second"} and len(texts) == 1:
            return [TextExample(texts[0], self.second, location="the pair")]
        if task == "classify" and given == {"texts"}:
            return [TextExample(text, location=f"text {number}") for number, text in enumerate(texts, start=1)]
        if task == "tag" and given == {"texts"}:
            return [TaggedSentence.of_text(text, f"text {number}") for number, text in enumerate(texts, start=1)]
        raise ValueError(f"This model was taught to {task}: give {_HOW[task]}.")

    def _given(self) -> set[str]:
        return {name for name, value in vars(self).items() if value not in (None, ())}
