"""第 7 章的练习，打开别人发布的检查点。用 `minibert check 7` 检查。"""


def modern_name(name: str) -> str:
    """一个参数今天的名字。旧文件把 LayerNorm 的权重叫 `gamma`，偏置叫 `beta`。

    embeddings.LayerNorm.gamma → embeddings.LayerNorm.weight。只改名字的最后一部分，即最后一个点之后；
    其他名字都不变。

    5 分钟，容易。
    """
    front, dot, last = name.rpartition(".")
    return front + dot + {"gamma": "weight", "beta": "bias"}.get(last, last)


def into_model(file_names: list[str], model_names: list[str]) -> dict[str, str]:
    """文件的哪个张量放到哪里：模型里的名字 → 文件里的名字，按模型的次序。

    文件可能只有主体（`embeddings…`），而模型把它放在 `bert.` 之下（`bert.embeddings…`），也可能反过来。
    照原样对得上的名字优先；其次是前面加上或去掉 `bert.` 的。
    文件的一个张量可以放到模型的两个地方。没有对应的名字略去。

    15 分钟，中等。
    """
    found = {}
    for name in model_names:
        other = name.removeprefix("bert.") if name.startswith("bert.") else f"bert.{name}"
        if name in file_names:
            found[name] = name
        elif other in file_names:
            found[name] = other
    return found


def account(file_names: list[str], model_names: list[str], tied: dict[str, str]) -> dict[str, list[str]]:
    """加载时对每个名字做了什么：{"read": […], "tied": […], "new": […], "left over": […]}，各列表排好序。

    read：两边都有。left over：只在文件里。只在模型里的名字，若与某个已读入的名字绑定，则是 tied，否则是 new。
    tied：名字 → 与它共用张量的名字。名字照原样比较。

    15 分钟，中等。
    """
    read = set(file_names) & set(model_names)
    missing = set(model_names) - read
    shared = {name for name in missing if tied.get(name) in read}
    return {
        "read": sorted(read),
        "tied": sorted(shared),
        "new": sorted(missing - shared),
        "left over": sorted(set(file_names) - read),
    }


# en: module=54bb6b07 modern_name=b1676f2f into_model=b8678318 account=d4362d73
