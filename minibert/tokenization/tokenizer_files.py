"""The files of a tokenizer: what is read from a folder, and what is written to one.

    vocab.txt                 the pieces
    tokenizer_config.json     the arguments of `BertTokenizer`
    special_tokens_map.json   which token has which role; wins over the arguments above
    added_tokens.json         token → id of what was added later
    tokenizer.json            all of this in one file, as transformers 5 and the Rust library write it

Any of the last four may be missing; so may the first if the last is there.
"""

import json
import logging
import os
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ..checkpoints import (
    CONFIG_FILE,
    CheckpointError,
    check_upload,
    locate,
    read_json,
    write_json,
    write_text_atomically,
)
from ..checkpoints.changes import changing, read_together
from ..visible import visible
from .added_tokens import flags_of_added_tokens, read_added_tokens, restore_added_tokens
from .tokenizer_json import read_whole
from .vocabulary import AddedToken, Vocabulary
from .wordpiece import TextTokenizer

if TYPE_CHECKING:
    from typing import Self

logger = logging.getLogger(__name__)

VOCAB, WHOLE = "vocab.txt", "tokenizer.json"
SMALL_FILES = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
ALL = (VOCAB, *SMALL_FILES, WHOLE, CONFIG_FILE)

# The checkpoints published with the paper and after it: their position embeddings end at 512.
GOOGLE_MODELS = re.compile(
    "bert-((base|large)-(un)?cased|base-(multilingual-(un)?cased|chinese|cased-finetuned-mrpc|german-(dbmdz-(un)?)?cased)|"
    "large-(un)?cased-whole-word-masking(-finetuned-squad)?)"
)

# Arguments of `BertTokenizer` that say how words are found, and all that a configuration may give.
OF_WORDS = ["do_lower_case", "do_basic_tokenize", "never_split", "tokenize_chinese_chars", "strip_accents"]
OF_WORDS += ["clean_text", "max_input_chars_per_word"]
SETTINGS = {"model_max_length", "max_len", "padding_side", "model_input_names", *OF_WORDS}
SETTINGS |= set(Vocabulary.SPECIAL_TOKENS_ATTRIBUTES)
LISTS = ("never_split", "model_input_names", "additional_special_tokens")
# Names under which a tokenizer is saved that say nothing of its kind, so its files decide.
ANY_TOKENIZER = ("PreTrainedTokenizerFast", "TokenizersBackend")
HUB = ("revision", "cache_dir", "token", "local_files_only", "force_download")  # arguments of `locate`
# Arguments of the reference that have no effect here.
IGNORED = (
    *("resume_download", "proxies", "mirror", "trust_remote_code"),
    *("use_auth_token", "use_fast", "from_slow", "from_tf", "from_flax", "_fast_init"),
)

PathLike: TypeAlias = str | os.PathLike[str]
Added: TypeAlias = dict[str, dict[str, Any]]  # token → its id, and whether it is special, normalized
Files: TypeAlias = tuple[Path | dict[str, int], dict[str, Any], Added]  # vocabulary, arguments, added tokens


def read_folder(folder: Path) -> Files:
    """Read the tokenizer in `folder`. Raises CheckpointError when a file is damaged or none holds a vocabulary."""
    config, special, added, whole, model = (
        read_json(folder / name) if (folder / name).exists() else {} for name in (*SMALL_FILES, WHOLE, CONFIG_FILE)
    )
    vocab: Path | dict[str, int] = folder / VOCAB
    has_vocab, settings = (folder / VOCAB).exists(), dict[str, Any]()
    if not has_vocab and not whole:
        raise CheckpointError(f"{folder}: holds no vocabulary: neither {VOCAB} nor {WHOLE} is there")
    if whole and not (has_vocab and config):  # with both of them, it says nothing new
        pieces, settings = read_whole(whole, folder / WHOLE)
        vocab = vocab if has_vocab else pieces
    if "extra_special_tokens" in config:  # what transformers 5 calls them
        config.setdefault("additional_special_tokens", config["extra_special_tokens"])
    settings["tokenizer_class"] = config.get("tokenizer_class") or model.get("tokenizer_class")
    settings.update({name: as_token(value) for name, value in config.items() if name in SETTINGS})
    settings.update({role: as_token(token) for role, token in special.items() if token and role in SETTINGS})
    for name in (*LISTS, *Vocabulary.ROLES):
        value = settings.get(name)
        texts = [getattr(each, "content", each) for each in (value if isinstance(value, list) else [value])]
        fits = isinstance(value, list) == (name in LISTS) and all(isinstance(text, str) for text in texts)
        if value is not None and not fits:
            raise CheckpointError(
                f"{folder}: {name} is {value!r:.80}, and should be {'a list of' if name in LISTS else 'a'} text"
            )
    if wrong := [token for token, index in added.items() if type(index) is not int]:
        raise CheckpointError(f"{folder / SMALL_FILES[2]}: the id of {wrong[0]!r:.80} must be a whole number")
    tokens: Added = {token: {"id": index} for token, index in added.items()}
    if described := config.get("added_tokens_decoder") or (not added and whole.get("added_tokens")):
        tokens = read_added_tokens(described, tokens, path=folder)
    return vocab, settings, tokens


def read_tokenizer_json(path: Path) -> Files:
    """Read a tokenizer.json that stands alone. Raises CheckpointError when it describes no BERT tokenizer."""
    whole = read_json(path)
    return *read_whole(whole, path), read_added_tokens(whole.get("added_tokens", []), path=path)


def as_token(value: Any) -> Any:
    """A token as JSON holds it → `AddedToken` where it has settings, in lists too."""
    if isinstance(value, dict) and "content" in value:
        return AddedToken(**{name: value[name] for name in AddedToken.__dataclass_fields__ if name in value})
    return [as_token(each) for each in value] if isinstance(value, list) else value


def as_json(token: Any, typed: bool) -> Any:
    """A token as JSON holds it: `AddedToken` as an object, with its type in tokenizer_config.json."""
    if isinstance(token, AddedToken):
        fields = {name: getattr(token, name) for name in ("content", "single_word", "lstrip", "rstrip", "normalized")}
        return {**fields, "__type": "AddedToken"} if typed else fields
    return [as_json(each, typed) for each in token] if isinstance(token, (list, tuple, set)) else token


def load_vocab(vocab_file: PathLike) -> dict[str, int]:
    """Piece → id, in the order of the file.

    As in the reference: line ends may be LF, CRLF or CR, a blank line is the empty piece, and a piece that stands
    on two lines has the id of the last.

    Raises ValueError when the file is missing, is not UTF-8, or begins with a byte-order mark, which would become part
    of the first piece, usually `[PAD]`.
    """
    path = Path(vocab_file)
    if not path.is_file():
        advice = "Give the path of a vocab.txt, or load a folder or a published model with from_pretrained"
        raise ValueError(f"There is no vocabulary file at '{path}'. {advice}.")
    try:
        with path.open(encoding="utf-8") as lines:
            vocab = {line.rstrip("\n"): index for index, line in enumerate(lines)}
    except UnicodeDecodeError as error:
        raise ValueError(f"The vocabulary file '{path}' is not UTF-8 ({error.reason}): save it as UTF-8.") from error
    if next(iter(vocab), "").startswith("\ufeff"):
        raise ValueError(f"The vocabulary file '{path}' begins with a byte-order mark. Save it again without one.")
    return vocab


class PretrainedFiles(Vocabulary):
    """Load a tokenizer from files, and save one."""

    init_kwargs: dict[str, Any]
    name_or_path: str
    model_max_length: int
    padding_side: str
    model_input_names: list[str]
    saved_as = "BertTokenizer"  # the class that its files name
    vocab_files_names = {"vocab_file": VOCAB}  # noqa: RUF012
    steps: Callable[[], TextTokenizer]

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: PathLike, *, subfolder: str | None = None, **settings: Any
    ) -> "Self":
        """Load a tokenizer that was saved, comes with minibert, or is published on the hub.

        pretrained_model_name_or_path: a folder, a vocab.txt, a bundled name such as "novels-4l-256h", or a name on the hub.
        settings: arguments of `BertTokenizer` that win over the files'; and those of `minibert.checkpoints.locate`
            (revision, cache_dir, token or use_auth_token, local_files_only, force_download).

        Special tokens that the vocabulary lacks are added to it. Raises CheckpointError when there is nothing to load.
        """
        name, path = pretrained_model_name_or_path, Path(pretrained_model_name_or_path) / (subfolder or "")
        return read_together(path, lambda: cls._from_files(name, path, settings), is_read=ALL.__contains__)

    @classmethod
    def _from_files(cls, name_or_path: PathLike, path: Path, settings: dict[str, Any]) -> "Self":
        settings = {**settings}
        hub = {name: settings.pop(name) for name in HUB if name in settings}
        hub["token"] = hub["token"] if hub.get("token") is not None else settings.get("use_auth_token")
        settings = {name: value for name, value in settings.items() if name not in IGNORED}
        files: Files = read_tokenizer_json(path) if path.is_file() and path.suffix == ".json" else (path, {}, {})
        if not path.is_file():
            source = path if path != Path(name_or_path) or path.is_dir() else name_or_path
            files = read_folder(locate(source, filenames=ALL, **hub))
        vocab, given, added_tokens = files
        if not cls.is_fast and (words := [token for token, entry in added_tokens.items() if entry.get("single_word")]):
            wrong = f"the added token {words[0]!r} has single_word=true, which this class finds inside words too"
            raise CheckpointError(f"{path}: {wrong}. Set it to false, or open it with BertTokenizerFast")
        made_for, own = given.pop("tokenizer_class", None), {each.__name__.removesuffix("Fast") for each in cls.__mro__}
        if made_for not in (None, *ANY_TOKENIZER) and str(made_for).removesuffix("Fast") not in own:
            found = f"The files of {name_or_path} are those of a {made_for}, and are opened as a {cls.__name__}"
            logger.warning("%s: text may be cut into other tokens than the model was trained with.", visible(found))
        if GOOGLE_MODELS.fullmatch(str(name_or_path)):
            given["model_max_length"] = min(given.get("model_max_length", 512), 512)
        if (max_len := settings.pop("max_len", None)) is not None:
            settings.setdefault("model_max_length", max_len)
        arguments = {"name_or_path": str(name_or_path), **given, **settings}
        tokenizer = cls(vocab, **arguments)  # type: ignore[arg-type]  # the class that is built on this one
        restore_added_tokens(tokenizer, added_tokens)
        if tokenizer.sanitize_special_tokens():
            logger.warning("Special tokens were added to the vocabulary: train their embeddings before using them.")
        tokenizer.steps()  # so that the first call does nothing that the second does not
        return tokenizer

    def save_pretrained(
        self,
        save_directory: PathLike,
        legacy_format: bool | None = None,
        filename_prefix: str | None = None,
        push_to_hub: bool = False,
        **upload: Any,
    ) -> tuple[str, ...]:
        """Write the files that `from_pretrained` reads, here and in transformers, to a folder. Returns their paths.

        Raises ValueError for an upload, and for `legacy_format=False`, a tokenizer.json alone.
        """
        check_upload(push_to_hub, legacy_format, **upload)
        folder = Path(save_directory)
        if folder.is_file():
            raise ValueError(f"'{folder}' is a file. Give the folder to save the tokenizer in.")
        prefix = f"{filename_prefix}-" if filename_prefix else ""
        config, special, added = (folder / (prefix + name) for name in SMALL_FILES)
        roles = self.special_tokens_map_extended
        settings = {
            **{name: self.init_kwargs[name] for name in OF_WORDS},
            **{role: as_json(token, typed=True) for role, token in roles.items()},
            "model_max_length": self.model_max_length,
            "padding_side": self.padding_side,
            "name_or_path": self.name_or_path,
            "tokenizer_class": self.saved_as,
            **flags_of_added_tokens(self),
        }
        if self.model_input_names != type(self).model_input_names:
            settings["model_input_names"] = self.model_input_names
        files = {config: settings, special: {role: as_json(token, typed=False) for role, token in roles.items()}}
        if self.added_tokens_encoder:
            files[added] = self.added_tokens_encoder
        with changing(folder, replaced=added.name.__eq__) as draft:  # left from an earlier save, it would be read
            for path, content in files.items():
                write_json(draft / path.name, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
            (vocab,) = self.save_vocabulary(draft, filename_prefix)
        if (folder / WHOLE).exists():
            logger.warning("'%s' is not updated. transformers 5 will read it: remove it.", folder / WHOLE)
        return tuple(os.path.join(save_directory, Path(path).name) for path in (config, special, vocab, added))

    def save_vocabulary(self, save_directory: PathLike, filename_prefix: str | None = None) -> tuple[str]:
        """Write vocab.txt, a piece a line, to a folder, or to the file named. Returns its path.

        An id that no piece has, as where a piece stood on two lines, gets the line of the next one's: of a piece's lines the last counts.
        In place of a piece with a line break, which no text has, stands another that none has. Warns of it, and of ids that no lines can give.
        """
        path = Path(save_directory)
        name, folder = (VOCAB, path) if path.is_dir() else (path.name, path.parent)
        vocab_file = folder / (f"{filename_prefix}-{name}" if filename_prefix else name)
        pieces = sorted(self.vocab, key=self.vocab.__getitem__)
        if broken := [piece for piece in pieces if "\n" in piece or "\r" in piece]:
            logger.warning("The piece %r has a line break, and is not saved: no text has it.", broken[0])
        lines = [f"[unusable {self.vocab[piece]}]" if piece in broken else piece for piece in pieces]
        by_id = {self.vocab[piece]: line for piece, line in zip(pieces, lines, strict=True)}
        end = max(by_id, default=-1) + 1
        if len(by_id) < len(pieces) or min(by_id, default=0) < 0 or end > 2 * len(pieces) + 1000:
            logger.warning("Ids are not 0, 1, 2, … without a gap: read back from '%s', they will differ.", vocab_file)
        else:
            below = [-1, *sorted(by_id)]
            lines = [by_id[index] for before, index in pairwise(below) for _ in range(index - before)]
        write_text_atomically(vocab_file, "".join(f"{piece}\n" for piece in lines))
        return (os.path.join(save_directory if path.is_dir() else os.path.dirname(save_directory), vocab_file.name),)
