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

WRITTEN = [
    (
        "modern_name",
        "return name.replace('LayerNorm.gamma', 'LayerNorm.weight').replace('LayerNorm.beta', 'LayerNorm.bias')",
        "behind LayerNorm or not",
    ),
    (
        "modern_name",
        """
        if name.endswith('gamma'):
            return name[:-5] + 'weight'
        return name[:-4] + 'bias' if name.endswith('beta') else name
        """,
        "",
    ),
    (
        "into_model",
        """
        strip = {n.removeprefix('bert.'): n for n in file_names}
        return {n: strip[n.removeprefix('bert.')] for n in model_names if n.removeprefix('bert.') in strip}
        """,
        "",
    ),
    (
        "into_model",
        """
        found = {}
        for file in file_names:
            for name in (file, 'bert.' + file, file.removeprefix('bert.')):
                if name in model_names and name not in found:
                    found[name] = file
        return found
        """,
        "",
    ),
    (
        "into_model",
        """
        left = list(file_names)
        found = {}
        for name in model_names:
            for other in (name, name.removeprefix('bert.') if name.startswith('bert.') else 'bert.' + name):
                if other in left:
                    found[name] = other
                    left.remove(other)
                    break
        return found
        """,
        "may go to two places",
    ),
    (
        "into_model",
        """
        found = {}
        for name in model_names:
            other = name.removeprefix('bert.') if name.startswith('bert.') else 'bert.' + name
            if name in file_names or other in file_names:
                found[name] = file_names.pop(file_names.index(name if name in file_names else other))
        return found
        """,
        "`file_names` itself was changed",
    ),
    (
        "account",
        """
        for name in file_names:
            tied.pop(name, None)
        read = set(file_names) & set(model_names)
        missing = set(model_names) - read
        shared = {n for n in missing if tied.get(n) in read}
        return {'read': sorted(read), 'tied': sorted(shared), 'new': sorted(missing - shared), 'left over': sorted(set(file_names) - read)}
        """,
        "`tied` itself was changed",
    ),
    (
        "account",
        """
        read = set(file_names) & set(model_names)
        missing = set(model_names) - read
        shared = {n for n in missing if tied.get(n) in read}
        return {'read': [n for n in file_names if n in read], 'tied': sorted(shared), 'new': sorted(missing - shared), 'left over': [n for n in file_names if n not in read]}
        """,
        "sorted list",
    ),
]

RIGHT = [
    (
        "modern_name",
        """
        parts = name.split('.')
        if parts[-1] == 'gamma':
            parts[-1] = 'weight'
        elif parts[-1] == 'beta':
            parts[-1] = 'bias'
        return '.'.join(parts)
        """,
    ),
    (
        "modern_name",
        r"""
        import re
        return re.sub(r'(^|\.)beta$', r'\1bias', re.sub(r'(^|\.)gamma$', r'\1weight', name))
        """,
    ),
    (
        "into_model",
        """
        there = set(file_names)
        other = lambda name: name[5:] if name.startswith('bert.') else 'bert.' + name
        return {name: name if name in there else other(name) for name in model_names if name in there or other(name) in there}
        """,
    ),
    (
        "account",
        """
        result = {'read': [], 'tied': [], 'new': [], 'left over': []}
        for name in sorted({*file_names, *model_names}):
            if name in file_names:
                kind = 'read' if name in model_names else 'left over'
            else:
                other = tied.get(name)
                kind = 'tied' if other in file_names and other in model_names else 'new'
            result[kind].append(name)
        return result
        """,
    ),
]
