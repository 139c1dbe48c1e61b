"""What programs of the era call on a config. Reference: `PretrainedConfig`."""

import os
from typing import Any

from ..checkpoints import locate_config, read_json
from ..config_files import HUB_OPTIONS, ConfigFiles

_WORDS = {**dict.fromkeys(("true", "1", "y", "yes"), True), **dict.fromkeys(("false", "0", "n", "no"), False)}


def update_from_string(self: ConfigFiles, update_str: str) -> None:
    """Set fields as `--config_overrides` gives them: "hidden_act=relu,hidden_dropout_prob=0.2,use_cache=no".

    Only fields that hold a bool, a number or text. Raises ValueError for others, and for values out of range.
    """
    fields: dict[str, Any] = {}
    for setting in update_str.split(","):
        field, equals, text = setting.partition("=")
        if not equals or "=" in text:
            raise ValueError(f"{setting!r} is no setting: write field=value, with commas between.")
        if not hasattr(self, field):
            raise ValueError(f"{field!r} is no field of this {type(self).__name__}.")
        kind = type(getattr(self, field))
        if kind not in (bool, int, float, str):
            raise ValueError(
                f"{field} holds a {kind.__name__}: only a bool, a number or text can be set from a string."
            )
        if kind is bool and text.lower() not in _WORDS:
            raise ValueError(f"{field}={text} says neither true nor false.")
        fields[field] = _WORDS[text.lower()] if kind is bool else kind(text)
    self.update(fields)


@classmethod  # type: ignore[misc]
def get_config_dict(
    cls: type[ConfigFiles],  # noqa: ARG001
    pretrained_model_name_or_path: str | os.PathLike[str],
    **settings: Any,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the checkpoint's `config.json` holds, and those of the settings that are not for a download."""
    ignored = ("resume_download", "proxies", "_from_auto", "_from_pipeline")
    hub = {name: settings.pop(name) for name in HUB_OPTIONS if name in settings}
    hub["token"] = hub.get("token", settings.pop("use_auth_token", None))
    path = locate_config(pretrained_model_name_or_path, **hub)
    return read_json(path), {name: value for name, value in settings.items() if name not in ignored}


def set_under_own_name(self: Any, name: str, value: Any) -> None:
    """Set a field; a name in the class's `attribute_map` stands for another."""
    object.__setattr__(self, self.attribute_map.get(name, name), value)


def get_under_own_name(self: Any, name: str) -> Any:
    """What is not there under its name may be in the class's `attribute_map`."""
    own_name = type(self).attribute_map.get(name)
    if own_name is None:
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
    return getattr(self, own_name)


OF_CONFIGS: dict[str, Any] = {
    "update_from_string": update_from_string,
    "get_config_dict": get_config_dict,
    "is_composition": False,
    "attribute_map": {},
    "__setattr__": set_under_own_name,
    "__getattr__": get_under_own_name,
}
