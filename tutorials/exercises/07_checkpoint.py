"""Exercises of chapter 7, opening a published checkpoint. Check them with `minibert check 7`."""


def modern_name(name: str) -> str:
    """The name a parameter has today. Old files call LayerNorm's weight `gamma` and its bias `beta`.

    embeddings.LayerNorm.gamma → embeddings.LayerNorm.weight. Only the last part of a name, after the last dot, is
    changed; all other names stay as they are.

    5 minutes, easy.
    """
    raise NotImplementedError


def into_model(file_names: list[str], model_names: list[str]) -> dict[str, str]:
    """Which tensor of a file goes where: name in the model → name in the file, in the model's order.

    A file may hold the body alone (`embeddings…`) while the model has it under `bert.` (`bert.embeddings…`), or the other
    way round. A name that fits as it is goes first; then the one with `bert.` put in front or taken away.
    A tensor of the file may go to two places of the model. Names without a partner are left out.

    15 minutes, medium.
    """
    raise NotImplementedError


def account(file_names: list[str], model_names: list[str], tied: dict[str, str]) -> dict[str, list[str]]:
    """What loading did with every name: {"read": […], "tied": […], "new": […], "left over": […]}, each list sorted.

    read: in both. left over: only in the file. Of the names only in the model, one that is tied to a name that was read
    is tied, and any other is new. tied: name → the name whose tensor it shares. Names are compared as they are.

    15 minutes, medium.
    """
    raise NotImplementedError
