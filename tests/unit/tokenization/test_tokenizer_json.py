"""A tokenizer.json alone: each of its settings is read, or refused by name."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from minibert.checkpoints import CheckpointError
from minibert.tokenization import BertTokenizer, BertTokenizerFast
from tests.unit.tokenization.conftest import PIECES

MORE = ["[", "]", "É", "é", "Dog", "中文", "中", "文", "[unused1]"]
VOCAB = {piece: index for index, piece in enumerate([*PIECES, *(p for p in MORE if p not in PIECES)])}


def part(kind: str, name: str, segment: int) -> dict[str, Any]:
    return {kind: {"id": name, "type_id": segment}}


FRAME = [part("SpecialToken", "[CLS]", 0), part("Sequence", "A", 0), part("SpecialToken", "[SEP]", 0)]
WHOLE: dict[str, Any] = {
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": True,
    },
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {
        "type": "TemplateProcessing",
        "single": FRAME,
        "pair": [*FRAME, part("Sequence", "B", 1), part("SpecialToken", "[SEP]", 1)],
        "special_tokens": {},
    },
    "model": {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": VOCAB,
    },
}


def write(folder: Path, **changes: Any) -> Path:
    """A tokenizer.json with some settings changed, written as PART__SETTING=value."""
    whole = copy.deepcopy(WHOLE)
    for name, value in changes.items():
        part, _, setting = name.partition("__")
        if setting:
            whole[part][setting] = value
        else:
            whole[part] = value
    (folder / "tokenizer.json").write_text(json.dumps(whole))
    return folder


def added(token: str, index: int, **flags: bool) -> dict[str, Any]:
    usual = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "special": False}
    return {"id": index, "content": token, **usual, **flags}


@pytest.mark.parametrize(
    ("changes", "text", "expected"),
    [
        ({}, "Dog É dogs", ["dog", "e", "dog", "##s"]),
        ({"normalizer__lowercase": False}, "Dog", ["Dog"]),
        ({"normalizer__strip_accents": False}, "É", ["é"]),
        ({"normalizer__lowercase": False, "normalizer__strip_accents": False}, "É", ["É"]),
        ({"normalizer__handle_chinese_chars": True}, "中文", ["中", "文"]),
        ({"normalizer__handle_chinese_chars": False}, "中文", ["中文"]),
        ({"normalizer__clean_text": True}, "do\u200bg", ["dog"]),
        ({"normalizer__clean_text": False}, "do\u200bg", ["[UNK]"]),
        ({"normalizer": None}, "Dog É 中文 dog", ["Dog", "É", "中文", "dog"]),
        ({"model__max_input_chars_per_word": 3}, "dog dogs", ["dog", "[UNK]"]),
        ({"model__unk_token": "[MASK]"}, "dog ξ", ["dog", "[MASK]"]),
        ({"added_tokens": [added("newword", len(VOCAB))]}, "NEWWORD.", ["newword", "."]),
        (
            {"added_tokens": [added("NEW", len(VOCAB), special=True, normalized=False)]},
            "NEW new",
            ["NEW", "n", "##e", "##w"],
        ),
        ({"added_tokens": [added("NEW", len(VOCAB), normalized=False)]}, "NEW new", ["NEW", "n", "##e", "##w"]),
        (
            {"added_tokens": [added("[unused1]", VOCAB["[unused1]"], special=True)]},
            "a[unused1]",
            ["a", "[unused1]"],
        ),
    ],
)
def test_a_setting_is_read_and_survives_saving(
    tmp_path: Path, changes: dict[str, Any], text: str, expected: list[str]
) -> None:
    tokenizer = BertTokenizer.from_pretrained(write(tmp_path, **changes))
    assert tokenizer.tokenize(text) == expected
    tokenizer.save_pretrained(tmp_path / "saved")
    assert BertTokenizer.from_pretrained(tmp_path / "saved").tokenize(text) == expected


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"model__continuing_subword_prefix": "@@"}, r"model\.continuing_subword_prefix is '@@'"),
        ({"model__type": "BPE"}, r"model\.type is 'BPE'"),
        ({"model": None}, "describes no BERT tokenizer"),
        ({"model__vocab": {"[UNK]": "0"}}, r"model\.vocab"),
        ({"normalizer": {"type": "Sequence", "normalizers": []}}, r"normalizer\.type is 'Sequence'"),
        ({"normalizer": {"type": "Lowercase"}}, r"normalizer\.type is 'Lowercase'"),
        ({"pre_tokenizer": {"type": "Whitespace"}}, r"pre_tokenizer\.type is 'Whitespace'"),
        ({"pre_tokenizer": None}, r"pre_tokenizer\.type is None"),
        ({"decoder": {"type": "BPEDecoder", "suffix": "</w>"}}, r"decoder\.type is 'BPEDecoder'"),
        ({"decoder": {"type": "WordPiece", "prefix": "@@", "cleanup": True}}, r"decoder\.prefix is '@@'"),
        ({"decoder": {"type": "WordPiece", "prefix": "##", "cleanup": False}}, r"decoder\.cleanup is False"),
        ({"truncation": {"max_length": 8, "direction": "Left"}}, r"truncation\.direction is 'Left'"),
        ({"truncation": {"direction": "Right"}}, "describes no BERT tokenizer.*max_length"),
        (
            {"padding": {"pad_token": "[PAD]", "pad_id": 3, "pad_type_id": 0, "direction": "Right"}},
            r"padding\.pad_id is 3",
        ),
        (
            {"padding": {"pad_token": "[PAD]", "pad_id": 0, "pad_type_id": 1, "direction": "Right"}},
            r"padding\.pad_type_id is 1",
        ),
        ({"post_processor__pair": FRAME}, "post_processor is"),
        ({"post_processor__single": FRAME[1:]}, "post_processor is"),
        (
            {"post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0]}},
            "post_processor is .*Roberta",
        ),
        ({"added_tokens": [added("new", len(VOCAB), single_word=True)]}, "'new' has single_word=true"),
        ({"added_tokens": [{"id": 3}]}, "needs a content and an id"),
        ({"added_tokens": [{"content": "x", "id": "3"}]}, "needs a content and an id"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(tmp_path: Path, changes: dict[str, Any], name: str) -> None:
    with pytest.raises(CheckpointError, match=name) as caught:
        BertTokenizer.from_pretrained(write(tmp_path, **changes))
    assert str(tmp_path) in str(caught.value)


def test_the_lengths_of_truncation_and_the_side_of_padding_are_the_tokenizers(tmp_path: Path) -> None:
    truncation = {"max_length": 6, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
    padding = {"strategy": "BatchLongest", "direction": "Left", "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}
    tokenizer = BertTokenizer.from_pretrained(write(tmp_path, truncation=truncation, padding=padding))
    rows = tokenizer(["dog " * 9, "dog"], truncation=True, padding=True)["input_ids"]
    assert [len(row) for row in rows] == [6, 6]
    assert rows[1][0] == tokenizer.pad_token_id == 0


@pytest.mark.parametrize("kind", ["BertProcessing", "TemplateProcessing"])
def test_the_tokens_that_frame_a_text_are_those_of_the_file(tmp_path: Path, kind: str) -> None:
    cls, sep = PIECES[5], PIECES[6]
    frame = [part("SpecialToken", cls, 0), part("Sequence", "A", 0), part("SpecialToken", sep, 0)]
    template = {"single": frame, "pair": [*frame, part("Sequence", "B", 1), part("SpecialToken", sep, 1)]}
    processing = template if kind == "TemplateProcessing" else {"cls": [cls, VOCAB[cls]], "sep": [sep, VOCAB[sep]]}
    tokenizer = BertTokenizer.from_pretrained(write(tmp_path, post_processor={"type": kind, **processing}))
    assert (tokenizer.cls_token, tokenizer.sep_token) == (cls, sep)
    ids = tokenizer("dog", "dogs")["input_ids"]
    assert [ids[0], ids[-1]] == [VOCAB[cls], VOCAB[sep]]


def test_a_file_that_adds_no_special_tokens_is_said_to(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tokenizer = BertTokenizer.from_pretrained(write(tmp_path, post_processor=None))
    assert "has no post_processor. [CLS] and [SEP] are added all the same" in caplog.text
    assert tokenizer("dog")["input_ids"][0] == tokenizer.cls_token_id


def test_a_file_without_a_decoder_is_decoded_as_a_bert_s_and_said_to_be(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tokenizer = BertTokenizerFast.from_pretrained(write(tmp_path, decoder=None))
    assert "has no decoder. pieces are joined and gaps closed all the same" in caplog.text
    assert tokenizer.decode(tokenizer("dogs .", add_special_tokens=False)["input_ids"]) == "dogs."
    caplog.clear()
    BertTokenizerFast.from_pretrained(write(tmp_path, decoder={"type": "WordPiece", "prefix": "##", "cleanup": True}))
    assert caplog.text == ""


def test_an_added_token_that_is_no_part_of_a_word_is_left_to_the_fast_class(tmp_path: Path) -> None:
    write(tmp_path, added_tokens=[added("new", len(VOCAB), single_word=True)])
    tokenizer = BertTokenizerFast(tokenizer_file=tmp_path / "tokenizer.json")
    assert tokenizer.tokenize("new news NEW.") == BertTokenizerFast.from_pretrained(tmp_path).tokenize("new news NEW.")
    assert [len(VOCAB) in tokenizer(text)["input_ids"] for text in ("NEW.", "news", "anew")] == [True, False, False]
    with pytest.raises(CheckpointError, match="open it with BertTokenizerFast"):
        BertTokenizer.from_pretrained(tmp_path / "tokenizer.json")


def test_a_special_token_without_a_role_is_an_additional_one(tmp_path: Path) -> None:
    tokens = [added("<X>", len(VOCAB), special=True, normalized=False), added("plain", len(VOCAB) + 1)]
    tokenizer = BertTokenizer.from_pretrained(write(tmp_path, added_tokens=tokens))
    assert tokenizer.additional_special_tokens == ["<X>"]
    ids = tokenizer("dog <X> plain")["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "dog plain"


def test_other_files_win_over_it(tmp_path: Path) -> None:
    write(tmp_path, normalizer__lowercase=True, truncation={"max_length": 6})
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": false, "model_max_length": 9}')
    tokenizer = BertTokenizer.from_pretrained(tmp_path)
    assert (tokenizer.do_lower_case, tokenizer.model_max_length) == (False, 9)


def test_beside_a_vocabulary_it_gives_the_settings_unless_another_file_does(tmp_path: Path) -> None:
    write(tmp_path, normalizer__lowercase=False)
    (tmp_path / "vocab.txt").write_text("".join(f"{piece}\n" for piece in VOCAB), encoding="utf-8")
    assert BertTokenizer.from_pretrained(tmp_path).tokenize("Dog") == ["Dog"]
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 9}')
    assert BertTokenizer.from_pretrained(tmp_path).tokenize("Dog") == ["dog"]


@pytest.mark.parametrize("tokenizer_class", [BertTokenizer, BertTokenizerFast])
def test_the_roles_of_special_tokens_map_go_with_it(tmp_path: Path, tokenizer_class: type[BertTokenizer]) -> None:
    write(tmp_path)
    (tmp_path / "special_tokens_map.json").write_text('{"mask_token": "[unused1]"}')
    tokenizer = tokenizer_class.from_pretrained(tmp_path)
    assert tokenizer.mask_token == "[unused1]"
    assert tokenizer.tokenize("dog [unused1].")[:2] == ["dog", "[unused1]"]


def test_the_usual_special_tokens_are_no_additional_ones(tmp_path: Path) -> None:
    whole = copy.deepcopy(WHOLE)
    del whole["post_processor"]
    whole["model"].pop("unk_token", None)
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused1]"]
    whole["added_tokens"] = [
        {"id": VOCAB[name], "content": name, "special": True, "single_word": False, "lstrip": False, "rstrip": False}
        | {"normalized": False}
        for name in names
    ]
    (tmp_path / "tokenizer.json").write_text(json.dumps(whole))
    assert BertTokenizer.from_pretrained(tmp_path).additional_special_tokens == ["[unused1]"]


def test_the_file_itself_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps(WHOLE))
    by_folder, by_file = (BertTokenizer.from_pretrained(path) for path in (tmp_path, tmp_path / "tokenizer.json"))
    assert by_file.get_vocab() == by_folder.get_vocab() == VOCAB
    assert by_file.name_or_path == str(tmp_path / "tokenizer.json")


def test_a_file_without_a_frame_is_said_to_get_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({**WHOLE, "post_processor": None}))
    assert BertTokenizer.from_pretrained(tmp_path)("dog").input_ids == [VOCAB[t] for t in ("[CLS]", "dog", "[SEP]")]
    expected = f"{path}: has no post_processor. [CLS] and [SEP] are added all the same, as a BERT expects."
    assert [(record.name, record.getMessage()) for record in caplog.records] == [("minibert", expected)]


def test_a_file_need_not_speak_of_added_tokens(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({name: value for name, value in WHOLE.items() if name != "added_tokens"}))
    for opened in (
        BertTokenizer.from_pretrained(tmp_path),
        BertTokenizer.from_pretrained(path),
        BertTokenizerFast(None, path),
    ):
        assert opened.get_vocab() == VOCAB
        assert opened.get_added_vocab() == {}


@pytest.mark.parametrize(
    ("without", "said"), [("model", "KeyError('model')"), ("type", "model.type is 'BPE', and should be 'WordPiece'")]
)
def test_a_file_of_another_kind_is_refused_with_the_reason(without: str, said: str, tmp_path: Path) -> None:
    whole = copy.deepcopy(WHOLE)
    if without == "model":
        del whole["model"]
    else:
        whole["model"]["type"] = "BPE"
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(whole))
    with pytest.raises(CheckpointError) as refusal:
        BertTokenizer.from_pretrained(tmp_path)
    assert str(refusal.value) == f"{path}: describes no BERT tokenizer: {said}"
