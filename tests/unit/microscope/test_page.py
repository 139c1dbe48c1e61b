"""The attention page holds the model's numbers, and shows them in a real browser."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from minibert import BertForMaskedLM, BertLMHeadModel, BertModel, BertTokenizer
from minibert.cli import main
from minibert.microscope.explore import attention_page
from tests.unit.tiny_bert import tiny

from .browser import Browser, browser, browser_is_installed

MICROSCOPE = Path(attention_page.__code__.co_filename).parent
TEXT = "He shook his [MASK]."
FORTY = " ".join(["It was a dark and stormy night, and he shook his [MASK]."] * 3)
needs_browser = pytest.mark.skipif(not browser_is_installed(), reason="there is no chromium with its chromedriver")


@pytest.fixture(scope="module")
def model() -> BertForMaskedLM:
    return BertForMaskedLM.from_pretrained("novels-4l-256h").eval()


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer.from_pretrained("novels-4l-256h")


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as window:
        yield window


def attentions(model: BertForMaskedLM, tokenizer: BertTokenizer, text: str) -> torch.Tensor:
    """(layers, heads, seq, seq)"""
    with torch.no_grad():
        return torch.cat(model(**tokenizer(text, return_tensors="pt"), output_attentions=True).attentions)


def data_of(page: str) -> dict[str, Any]:
    return json.loads(re.search(r"const DATA = (.*);\n", page).group(1))


def test_the_page_holds_the_models_weights_to_three_digits(model: BertForMaskedLM, tokenizer: BertTokenizer) -> None:
    text = data_of(attention_page(model, tokenizer, [TEXT]))["texts"][0]
    expected = attentions(model, tokenizer, TEXT).numpy()
    for layer, weights in zip(text["layers"], expected, strict=True):
        shown = np.frombuffer(base64.b64decode(layer["weights"]), "<u2").reshape(weights.shape) / 65535
        assert np.abs(shown - weights).max() < 1e-5


def test_queries_and_keys_make_the_scores_behind_the_weights(model: BertForMaskedLM, tokenizer: BertTokenizer) -> None:
    text = data_of(attention_page(model, tokenizer, [TEXT]))["texts"][0]
    expected = attentions(model, tokenizer, TEXT)
    for layer, weights in zip(text["layers"], expected, strict=True):
        shape = (len(layer["heads"]), len(text["pieces"]), layer["size"])
        query, key = (
            torch.from_numpy(np.frombuffer(base64.b64decode(layer[kind]), "<f2").reshape(shape).astype("float32"))
            for kind in ("queries", "keys")
        )
        again = torch.softmax(query @ key.transpose(1, 2) / layer["size"] ** 0.5, dim=-1)
        torch.testing.assert_close(again, weights, rtol=0, atol=5e-3)


def own(tokenizer: BertTokenizer, cls: Any = BertForMaskedLM, **settings: Any) -> Any:
    """A small model with large weights in its attention, so that it is not even."""
    model = tiny(cls, vocab_size=len(tokenizer), **settings)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(8 if "attention.self" in name else 1)
    return model


MODELS = {
    "relative_key": {"position_embedding_type": "relative_key"},
    "relative_key_query": {"position_embedding_type": "relative_key_query"},
    "decoder": {"cls": BertLMHeadModel, "is_decoder": True},
    "relative decoder": {"cls": BertLMHeadModel, "is_decoder": True, "position_embedding_type": "relative_key"},
}


@pytest.mark.parametrize("settings", MODELS.values(), ids=MODELS)
def test_distances_and_the_mask_are_part_of_the_scores_behind_the_weights(
    settings: dict[str, Any], tokenizer: BertTokenizer
) -> None:
    model = own(tokenizer, **settings)
    text = data_of(attention_page(model, tokenizer, [TEXT]))["texts"][0]
    count = len(text["pieces"])
    for layer, weights in zip(text["layers"], attentions(model, tokenizer, TEXT), strict=True):
        query, key, distance = (
            torch.from_numpy(np.frombuffer(base64.b64decode(layer.get(kind, "")), "<f2").astype("float32"))
            for kind in ("queries", "keys", "distance")
        )
        query, key = (vectors.view(len(layer["heads"]), count, layer["size"]) for vectors in (query, key))
        scores = query @ key.transpose(1, 2) / layer["size"] ** 0.5
        if "distance" in layer:
            scores += distance.view_as(scores)
        if text["causal"]:
            scores += torch.full((count, count), -torch.inf).triu(1)
        torch.testing.assert_close(scores.softmax(dim=-1), weights, rtol=0, atol=5e-3)


def test_heads_keep_their_numbers_when_others_are_pruned(tokenizer: BertTokenizer) -> None:
    model = own(tokenizer)
    model.prune_heads({0: [0]})
    layers = data_of(attention_page(model, tokenizer, [TEXT]))["texts"][0]["layers"]
    every = list(range(model.config.num_attention_heads))
    assert [layer["heads"] for layer in layers] == [every[1:], *[every] * (len(layers) - 1)]


def test_the_last_layers_words_are_the_models_answer(model: BertForMaskedLM, tokenizer: BertTokenizer) -> None:
    text = data_of(attention_page(model, tokenizer, [TEXT]))["texts"][0]
    blank = text["pieces"].index("[MASK]")
    word, probability = text["lens"][-1][blank][0]
    with torch.no_grad():
        scores = model(**tokenizer(TEXT, return_tensors="pt")).logits[0, blank].softmax(dim=-1)
    assert word == tokenizer.convert_ids_to_tokens(int(scores.argmax()))
    assert probability == pytest.approx(float(scores.max()), abs=1e-4)
    assert len(text["lens"]) == 5  # the embeddings and four layers


def test_a_page_of_forty_pieces_is_small_and_needs_nothing_else(
    model: BertForMaskedLM, tokenizer: BertTokenizer
) -> None:
    assert 38 <= len(tokenizer(FORTY).input_ids) <= 50
    page = attention_page(model, tokenizer, [FORTY])
    assert len(page.encode()) < 2_000_000
    assert not re.search(r"(src|href)\s*=|@import|url\(|fetch\(|XMLHttpRequest|import\(", page)


def test_text_cannot_end_the_script(model: BertForMaskedLM, tokenizer: BertTokenizer) -> None:
    page = attention_page(model, tokenizer, ["</script><b>&amp;"])
    assert "</script><b>" not in page
    assert data_of(page)["texts"][0]["text"] == "</script><b>&amp;"


def test_a_model_without_a_word_head_has_no_list_of_words(tokenizer: BertTokenizer) -> None:
    page = attention_page(BertModel.from_pretrained("novels-4l-256h"), tokenizer, [TEXT])
    assert data_of(page)["texts"][0]["lens"] is None


def test_a_text_too_long_to_look_at_is_refused(model: BertForMaskedLM, tokenizer: BertTokenizer) -> None:
    with pytest.raises(ValueError, match="at most 128"):
        attention_page(model, tokenizer, ["word " * 200])


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    result = CliRunner().invoke(main, ["explore", TEXT, "--beside", "Rain fell.", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert [text["text"] for text in data_of(out.read_text(encoding="utf-8"))["texts"]] == [TEXT, "Rain fell."]


def words_of(page: str) -> set[str]:
    """What the page's own program says, in English."""
    said = set(re.findall(r'say(?:With)?\((?:[\w.]+ [?>] )?"([^"]+)"', page))
    said |= set(re.findall(r'sayWith\(heads.length > 1 \? "([^"]+)" : "([^"]+)"', page)[0])
    said |= set(re.findall(r"<[^<>]* data-say>([^<]+)<", page)) | set(
        re.findall(r'data-say="aria-label" aria-label="([^"]+)"', page)
    )
    return said | {"head", "heads"} | {"key", "q and k", "q × k", "distance", "score", "weight"}  # which stand in lists


def test_whatever_the_page_says_is_said_in_chinese_too() -> None:
    template = (MICROSCOPE / "page.html").read_text(encoding="utf-8")
    assert words_of(template) == json.loads((MICROSCOPE / "page.zh.json").read_text(encoding="utf-8")).keys()


def test_both_pages_have_the_same_chinese_for_the_same_english() -> None:
    here = json.loads((MICROSCOPE / "page.zh.json").read_text(encoding="utf-8"))
    playground = (MICROSCOPE.parent / "playground" / "words.mjs").read_text(encoding="utf-8")
    there = dict(re.findall(r'\["([^"]+)",\s*"([^"]+)"\]', playground))
    both = {english for english in here if english.replace("{1}", "{0}") in there}
    assert len(both) > 5
    assert {e: here[e] for e in both} == {e: there[e.replace("{1}", "{0}")].replace("{0}", "{1}") for e in both}


@pytest.mark.parametrize(("lang", "of_page"), [("en", "en"), ("zh", "zh-Hans")])
def test_the_command_writes_the_page_in_a_language(lang: str, of_page: str, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    result = CliRunner().invoke(main, ["explore", "Rain fell.", "--lang", lang, "--out", str(out)])
    assert result.exit_code == 0, result.output
    page = out.read_text(encoding="utf-8")
    assert f'<html lang="{of_page}">' in page
    assert bool(data_of(page)["words"]) == (lang == "zh")


@needs_browser
class TestInABrowser:
    @pytest.fixture
    def page(
        self, window: Browser, model: BertForMaskedLM, tokenizer: BertTokenizer, tmp_path: Path
    ) -> Iterator[Browser]:
        path = tmp_path / "page.html"
        path.write_text(attention_page(model, tokenizer, [TEXT, "Rain fell."]), encoding="utf-8")
        window.open(path)
        yield window
        assert window.run("return window.errors") == []
        assert window.console() == []

    @pytest.mark.seconds
    def test_hovering_shows_where_a_token_looks(
        self, page: Browser, model: BertForMaskedLM, tokenizer: BertTokenizer
    ) -> None:
        page.click('[data-layer="2"]')
        page.hover('[data-text="0"] [data-token="4"]')
        shown = page.run("return [...document.querySelectorAll('[data-text=\"0\"] .weight')].map(e => e.textContent)")
        expected = attentions(model, tokenizer, TEXT)[2, :, 4].mean(dim=0)
        assert shown == [f"{100 * share:.1f}%" for share in expected.tolist()]

    def test_one_head_is_shown_alone(self, page: Browser, model: BertForMaskedLM, tokenizer: BertTokenizer) -> None:
        for head in (0, 1, 3):
            page.click(f'[data-head="{head}"]')
        page.click('[data-text="0"] [data-token="2"]')
        shown = page.run(
            "return [...document.querySelectorAll('[data-text=\"0\"] .weight')].map(e => parseFloat(e.textContent))"
        )
        expected = 100 * attentions(model, tokenizer, TEXT)[0, 2, 2]
        assert shown == pytest.approx(expected.tolist(), abs=0.051)

    def test_a_thumbnail_opens_its_head(self, page: Browser) -> None:
        page.click('[data-view="model"]')
        assert page.run("return document.querySelectorAll('[data-text=\"0\"] [data-thumb]').length") == 16
        page.click('[data-text="0"] [data-thumb="3-1"]')
        pressed = page.run("return [...document.querySelectorAll('[aria-pressed=true]')].map(e => e.textContent)")
        assert pressed == ["3", "1"]

    def test_scores_are_worked_out_from_query_and_key(
        self, page: Browser, model: BertForMaskedLM, tokenizer: BertTokenizer
    ) -> None:
        page.click('[data-view="neuron"]')
        shown = page.run(
            "return [...document.querySelectorAll('[data-text=\"0\"] [data-score]')].map(e => +e.textContent)"
        )
        weights = torch.softmax(torch.tensor(shown), dim=0)
        torch.testing.assert_close(weights, attentions(model, tokenizer, TEXT)[0, 0, 0], rtol=0, atol=0.01)

    @pytest.mark.parametrize("settings", MODELS.values(), ids=MODELS)
    def test_the_weights_are_the_softmax_of_the_scores_that_are_shown(
        self, settings: dict[str, Any], window: Browser, tokenizer: BertTokenizer, tmp_path: Path
    ) -> None:
        path, model = tmp_path / "page.html", own(tokenizer, **settings)
        path.write_text(attention_page(model, tokenizer, [TEXT]), encoding="utf-8")
        window.open(path)
        window.click('[data-view="neuron"]')
        window.run("choose(3)")
        shown = window.run("return [...document.querySelectorAll('[data-score]')].map(e => e.textContent)")
        causal = model.config.is_decoder
        assert [score == "not seen" for score in shown] == [causal and to > 3 for to in range(len(shown))]
        scores = torch.tensor([-torch.inf if score == "not seen" else float(score) for score in shown])
        weights = attentions(model, tokenizer, TEXT)[0, 0, 3]
        torch.testing.assert_close(scores.softmax(dim=0), weights, rtol=0, atol=0.01)
        assert window.run("return window.errors") == []

    def test_a_pruned_head_leaves_the_others_their_numbers(
        self, window: Browser, tokenizer: BertTokenizer, tmp_path: Path
    ) -> None:
        path, model = tmp_path / "page.html", own(tokenizer)
        model.prune_heads({0: [0]})
        path.write_text(attention_page(model, tokenizer, [TEXT]), encoding="utf-8")
        window.open(path)
        named = window.run("return [...document.querySelectorAll('[data-head]')].map(e => e.textContent)")
        assert named == [str(head) for head in range(1, model.config.num_attention_heads)]
        for view in ("model", "neuron", "head"):
            window.click(f'[data-view="{view}"]')
        assert window.run("return window.errors") == []

    def test_the_keyboard_reaches_everything(self, page: Browser) -> None:
        page.hover("#title")  # away from the tokens, which answer to the mouse
        page.press("\ue014")  # →: the next layer
        page.press("\ue015")  # ↓: the first token
        pressed = page.run("return document.querySelector('[data-layer][aria-pressed=true]').textContent")
        assert pressed == "1"
        assert page.run("return document.querySelector('.token.chosen').dataset.token") == "0"
        for key, view in zip("2341", ("model", "neuron", "lens", "head"), strict=True):
            page.press(key)
            assert page.run("return document.querySelector('[role=tab][aria-selected=true]').dataset.view") == view

    def test_it_fits_a_phone_and_turns_dark(self, page: Browser) -> None:
        page.resize(390, 800)
        for view in ("head", "model", "neuron", "lens"):
            page.click(f'[data-view="{view}"]')
            assert page.run("return document.documentElement.scrollWidth") <= 390
        before = page.run("return getComputedStyle(document.body).backgroundColor")
        page.click("#theme")
        assert page.run("return getComputedStyle(document.body).backgroundColor") != before
        page.ask("POST", "/goog/cdp/execute", cmd="Emulation.clearDeviceMetricsOverride", params={})


VISIBLE = """
const words = [document.title, document.body.innerText];
for (const e of document.querySelectorAll("[aria-label]")) words.push(e.getAttribute("aria-label"));
return words.join("\\n");
"""


@pytest.mark.seconds
@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("view", ["head", "model", "neuron", "lens"])
def test_in_chinese_every_view_is_chinese_and_fits(
    view: str, width: int, window: Browser, model: BertForMaskedLM, tokenizer: BertTokenizer, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_text(attention_page(model, tokenizer, ["[MASK] 7 !", "!"], lang="zh"), encoding="utf-8")
    window.resize(width, 800)
    window.open(path)
    window.click(f'[data-view="{view}"]')
    if view == "head":
        window.click('[data-text="0"] [data-token="1"]')
        assert "[MASK] 的注意力主要落在下列词元上" in window.run("return document.body.innerText")
    if view == "lens":  # its words are the model's
        window.run("for (const e of document.querySelectorAll('td')) e.remove()")
    shown = window.run(VISIBLE)
    assert set(re.findall(r"[A-Za-z]{2,}", shown)) <= {"minibert", "MASK", "CLS", "SEP", "Esc", "softmax"}
    assert window.run("return document.documentElement.scrollWidth") <= width
    assert window.run("return window.errors") == []
    window.ask("POST", "/goog/cdp/execute", cmd="Emulation.clearDeviceMetricsOverride", params={})
