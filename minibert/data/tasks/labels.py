"""The labels of a task: found in the training data, numbered in an order that does not depend on its lines, saved in the config."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SHOWN = 10


@dataclass(frozen=True)
class Labels:
    """Label names; a label's place in the tuple is its id, which is the model's output column.

    labels = Labels.found_in(["yes", "no", "yes"])          # ("no", "yes")
    config = BertConfig(id2label=labels.id2label, label2id=labels.label2id)
    """

    names: tuple[str, ...]

    @classmethod
    def found_in(cls, names: Iterable[str]) -> Labels:
        """Every name once: whole numbers by size, so that label "2" gets id 2 where 0 and 1 are there, others by letter.

        Raises ValueError if there is none.
        """
        found = set(names)
        if not found:
            raise ValueError("There are no labels in the data. Which column they stand in may be named wrongly.")
        numbers = all(name.isascii() and name.isdigit() for name in found)
        return cls(tuple(sorted(found, key=lambda name: (int(name) if numbers else 0, name))))

    @classmethod
    def of_config(cls, id2label: dict[int, str]) -> Labels:
        """The labels of a saved model."""
        return cls(tuple(id2label[index] for index in range(len(id2label))))

    def __len__(self) -> int:
        return len(self.names)

    @property
    def id2label(self) -> dict[int, str]:
        """Id → name, as `BertConfig` takes it."""
        return dict(enumerate(self.names))

    @property
    def label2id(self) -> dict[str, int]:
        """Name → id, as `BertConfig` takes it."""
        return {name: index for index, name in enumerate(self.names)}

    def ids(self, names: Iterable[str], place: str) -> list[int]:
        """The ids of names. Raises ValueError, saying at which place, for one that is not among the labels."""
        label2id = self.label2id
        ids = []
        for name in names:
            if name not in label2id:
                known = ", ".join(map(repr, self.names[:SHOWN])) + (", …" if len(self) > SHOWN else "")
                raise ValueError(
                    f"{place}: the label {name!r} is missing from the training data, which has {len(self)}: {known}."
                )
            ids.append(label2id[name])
        return ids
