"""Mistakes that learners make in chapter 7."""

PLANTED = [
    ("modern_name", '"gamma": "weight", "beta": "bias"', '"gamma": "bias", "beta": "weight"', "swapped"),
    (
        "modern_name",
        'return front + dot + {"gamma": "weight", "beta": "bias"}.get(last, last)',
        'return name.replace("gamma", "weight").replace("beta", "bias")',
        "only as a whole",
    ),
    ("modern_name", "front + dot + ", "", "Only the last part is left"),
    ("into_model", "elif other in file_names", "elif False", "no others"),
    (
        "into_model",
        'name.removeprefix("bert.") if name.startswith("bert.") else f"bert.{name}"',
        'f"bert.{name}"',
        "only put in front",
    ),
    ("into_model", "found[name] = other", "found[other] = name", "wrong way round"),
    ("account", "missing - shared", "missing", "in one list only"),
    ("account", "tied.get(name) in read", "name in tied", "otherwise it is new"),
    ("account", "sorted(read)", "list(reversed(sorted(read)))", "sorted list"),
]

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
