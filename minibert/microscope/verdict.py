"""What is said of the stage at fault. No reference class: ours."""

from collections.abc import Iterable
from dataclasses import dataclass

from .distance import Distance, short
from .equations import Source


@dataclass(frozen=True)
class Divergence:
    """A stage whose outputs differ although its inputs agree: the difference arises in it.

    backward: whether only gradients differ. inputs: how far apart its inputs are; apart: its outputs, or the gradient.
    fed_by: the stage that made each input. inside: what diverges first inside it. parameters: its own that differ
    already. settings: what differs in how its module describes itself. code: of its forward in a and in b. argument, output:
    which of several inputs (of the stage named by `inside`) and outputs it is. told: the first sentence, where it is special.
    mistakes: what gives the same numbers, each completing "It is what you get if …". unpaired: whether it holds parameters of b
    that are none of a's, and the other way round, so that it must differ. guessed: whether some of
    its parameters are paired by shape and place alone, and no mistake is named.
    """

    path: str
    call: int
    backward: bool
    inputs: Distance | None
    apart: Distance
    fed_by: dict[str, str]
    inside: str | None
    parameters: dict[str, Distance]
    settings: tuple[str, str] | None
    code: tuple[Source | None, Source | None]
    argument: str = ""
    output: str = ""
    told: str = ""
    mistakes: tuple[str, ...] = ()
    unpaired: bool = False
    guessed: bool = False

    @property
    def name(self) -> str:
        return self.path or "the model's own forward"

    def __str__(self) -> str:
        going = "All outputs agree. Going backward, " if self.backward else ""
        by = f": {self.apart}" if self.apart.why else f", by {self.apart}"
        which = f" Of its outputs, it is {self.output}." if self.output and not self.output[0].isdigit() else ""
        lines = [self.told or f"{going}{self.name} is the first stage that diverges{by}.{which}"]
        if not self.backward and self.inputs is not None and not self.told:
            fed = ", ".join(f"{name} from {stage}" for name, stage in self.fed_by.items())
            why = "far less." if self.mistakes else "less, but this may be rounding that grew."
            grown = f"differ by {self.inputs}: {why}"
            agree = grown if self.inputs.absolute else "agree to the bit: the cause is in this stage."
            if self.unpaired:
                agree = "agree, but parameters in it could not be paired with a's: that alone makes it differ."
            lines.append(f"Its inputs{f' ({fed})' if fed else ''} {agree}")
            if self.guessed:
                lines.append(
                    "Its parameters were paired by shapes and places. If they mean something else in b, that is the cause."
                )
        if self.mistakes:
            lines.append(it_is(self.mistakes))
        if self.inside is None and self.argument:
            lines.append(f"Inside it, the last to agree: {self.argument}. The cause comes after it.")
        if self.inside is not None:
            lines.append(
                f"The first to diverge inside it: {self.inside}{f' ({self.argument})' if self.argument else ''}."
            )
        if self.parameters:
            differences = ", ".join(f"{name} by {short(d.absolute)}" for name, d in self.parameters.items())
            lines.append(f"Its parameters differ: {differences}.")
        if self.settings is not None:
            lines.append(f"Its settings differ: {self.settings[0]} in a, {self.settings[1]} in b.")
        lines.append(f"Its forward: {self.code[0] or 'in no file'} in a, {self.code[1] or 'in no file'} in b.")
        return "\n".join(lines)


def it_is(mistakes: Iterable[str]) -> str:
    """The sentence that names one mistake, or several that come to the same."""
    return f"It is what you get if {', or if '.join(mistakes)}."
