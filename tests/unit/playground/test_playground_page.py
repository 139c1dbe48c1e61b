"""The page is one file that loads nothing, answers while somebody types, and shows text from outside as text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from minibert import BertForMaskedLM, BertForSequenceClassification, BertForTokenClassification, BertTokenizer
from minibert.cli import main
from minibert.playground.writer import BESIDE, PAGE, joined, network_of, playground_page, weights_of
from tests.unit.microscope.browser import Browser, browser, browser_is_installed
from tests.unit.tiny_bert import tiny

from .pages import half, tiny_tokenizer

HOSTILE = "</script><img src=x onerror=hurt()>\u202e\x1b[31m"
FORBIDDEN = "fetch|eval|importScripts|XMLHttpRequest|WebSocket|innerHTML|outerHTML|insertAdjacentHTML|document.write"
needs_browser = pytest.mark.skipif(not browser_is_installed(), reason="there is no chromium with its chromedriver")
# The rest of a script that is over once a condition holds.
UNTIL = """
const done = arguments[arguments.length - 1], end = Date.now() + 20000;
const look = () => {{ let value = null; try {{ value = {value}; }} catch {{}} value || Date.now() > end ? done(value) : setTimeout(look, 20); }};
look();
"""


def until(window: Browser, value: str) -> Any:
    """The value of an expression as soon as it is true (or after 20 seconds what it is then)."""
    return window.ask("POST", "/execute/async", script=UNTIL.format(value=value), args=[])


def settled(window: Browser) -> None:
    """Wait for the answers to all that was asked."""
    quiet = "window.app && app.questions.open && !app.questions.running && app.questions.waiting.size === 0"
    assert until(window, f"{quiet} && app.panels.every(panel => panel.answer)")


def texts(window: Browser, selector: str) -> list[str]:
    return window.run("return [...document.querySelectorAll(arguments[0])].map(each => each.textContent)", selector)


def set_text(window: Browser, text: str, field: str = "#text-0") -> None:
    """What typing does, without the keys."""
    script = "const [area, text] = arguments; area.value = text; area.dispatchEvent(new Event('input'));"
    window.run(
        f"const area = document.querySelector('{field}');"
        + script.replace("const [area, text] = arguments;", "const text = arguments[0];"),
        text,
    )
    settled(window)


# ------------------------------------------------------------------------------------------------------------ the file


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "playground.html"
    result = CliRunner().invoke(main, ["playground", "--out", str(path)])
    assert result.exit_code == 0, result.output
    return path


def test_the_policy_lets_only_the_pages_own_script_and_style_in(bundled: Path) -> None:
    page = bundled.read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page).group(1)
    script, style = (re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL).group(1) for tag in ("script", "style"))
    for kind, text in (("script", script), ("style", style)):
        own = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{own}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http" not in policy
    own = joined(PAGE) + joined(BESIDE)
    assert not re.search(rf"\b({FORBIDDEN})\b", own)
    assert set(re.findall(r"https?://[^\s\"'`]+", page)) == {"http://www.w3.org/2000/svg"}
    assert len(page.encode()) < 16_000_000


def test_a_page_names_what_it_cannot_show() -> None:
    with pytest.raises(ValueError, match=r"shows encoders, which read both ways, and config\.is_decoder is true"):
        network_of(tiny(BertForMaskedLM, is_decoder=True))
    with pytest.raises(ValueError, match=r"has 6\d MB of weights in float16\. A page that opens quickly holds 60 MB\."):
        weights_of(tiny(BertForMaskedLM, vocab_size=1_000_000))
    model = tiny(BertForMaskedLM)
    with torch.no_grad():
        model.bert.pooler = None
        model.cls.predictions.bias[3] = 1e5
    with pytest.raises(ValueError, match=r"cls.predictions.bias has numbers beyond 65504"):
        weights_of(model)
    with pytest.raises(ValueError, match=r"The tokenizer has ids up to 98, and the model only 50 words"):
        playground_page(tiny(BertForMaskedLM, vocab_size=50), tiny_tokenizer(), title="x")


def test_explore_live_is_the_playground_with_the_texts_side_by_side(tmp_path: Path) -> None:
    out = tmp_path / "live.html"
    result = CliRunner().invoke(main, ["explore", "He ran.", "--beside", "She ran.", "--live", "--out", str(out)])
    assert result.exit_code == 0, result.output
    data = json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', out.read_text(encoding="utf-8")).group(1)
    )
    assert data["texts"] == [["He ran.", ""], ["She ran.", ""]]


# --------------------------------------------------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as window:
        window.ask("POST", "/goog/cdp/execute", cmd="Network.enable", params={})
        nothing = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        window.ask("POST", "/goog/cdp/execute", cmd="Network.emulateNetworkConditions", params=nothing)
        yield window


@pytest.fixture
def page(window: Browser, bundled: Path) -> Iterator[Browser]:
    """The bundled model's page, newly opened; it asked for nothing and complained about nothing."""
    window.resize(1280, 900)
    window.open(bundled)
    settled(window)
    yield window
    assert (
        window.run(
            "return performance.getEntriesByType('resource').filter(each => !each.name.startsWith('blob:')).map(each => each.name)"
        )
        == []
    )
    assert window.console() == []


@needs_browser
@pytest.mark.slow
class TestTheBundledModel:
    def test_it_opens_with_an_answer(self, page: Browser) -> None:
        assert texts(page, ".answers .bar-row .name")[:3] == ["head", "hands", "hand"]
        assert texts(page, ".answers .bar-row .number")[0] == "72.2%"

    def test_it_answers_what_is_typed_key_by_key(self, page: Browser) -> None:
        page.click("#text-0")
        for key in " ah":
            page.press(key)
        settled(page)
        assert texts(page, ".piece .name")[-3:] == [".", "ah", "[SEP]"]

    def test_a_piece_is_hidden_by_a_click_and_stays_hidden_where_it_goes(self, page: Browser) -> None:
        set_text(page, "He shook his head.")
        page.click('[data-piece="4"]')
        settled(page)
        assert texts(page, ".answers h3") == ["For head at place 4"]
        assert texts(page, ".answers .bar-row .name")[0] == "head"
        set_text(page, "And then he shook his head.")
        assert texts(page, ".piece[aria-pressed=true] .name") == ["head"]
        page.click('[data-key="undo"]')
        settled(page)
        assert page.run("return document.getElementById('text-0').value") == "He shook his head."

    def test_a_change_is_seen_beside_the_unchanged_network_and_can_be_taken_back(self, page: Browser) -> None:
        page.click('[data-view="change"]')
        settled(page)
        page.click('[data-switch="head0.2"]')
        settled(page)
        assert texts(page, ".answers .bar-row:first-of-type .number, .answers h3 + .bar-row .number")[:2] == [
            "52.3%",
            "72.2%",
        ]
        page.click("[data-reset]")
        settled(page)
        assert texts(page, ".answers h3 + .bar-row .number") == ["72.2%"]

    def test_every_view_shows_something_and_fits_a_phone(self, page: Browser) -> None:
        page.resize(390, 844)
        for language in ("en", "zh"):
            for view in ("heads", "layers", "stages", "change", "influence"):
                page.click(f'[data-view="{view}"]')
                settled(page)
                assert len(texts(page, ".view")[0]) > 60
                assert page.run("return document.documentElement.scrollWidth") <= 390, (language, view)
            page.click('[data-key="language"]')
            settled(page)

    def test_the_head_that_looks_one_piece_back_is_said_to(self, page: Browser) -> None:
        assert texts(page, '[data-where="1.before"]') == ["100%"]
        page.click('[data-thumb="0.1"]')
        page.hover('[data-token="3"]')
        assert texts(page, ".readout")[0].startswith("his looks at head 1: shook 100.0%")

    def test_the_words_after_each_layer(self, page: Browser) -> None:
        page.click('[data-view="layers"]')
        settled(page)
        first = page.run(
            "return [...document.querySelectorAll('.lens li')].map(each => each.querySelector('.name').textContent)"
        )
        assert first == [",", "own", "head", "head", "head"]

    def test_a_stage_shows_its_numbers_equation_and_line_of_python(self, page: Browser) -> None:
        page.click('[data-view="stages"]')
        settled(page)
        page.click('[data-stage="bert.encoder.layer.0.attention.self"]')
        settled(page)
        detail = " ".join(texts(page, ".detail"))
        assert "softmax(Q Kᵀ / √d + mask) V" in detail
        assert "return (looks @ value).transpose(1, 2)" in detail
        assert "minibert/model/attention.py:" in detail

    def test_what_the_answer_hangs_on(self, page: Browser) -> None:
        page.click('[data-view="influence"]')
        assert until(page, "document.querySelectorAll('[data-influence] .number').length === 16")
        shares = texts(page, '[data-influence="2"] .number')
        assert all(float(share.rstrip("%")) < 5 for share in shares)  # without "shook" nobody thinks of a head

    def test_the_address_holds_the_state(self, page: Browser) -> None:
        page.click('[data-view="change"]')
        settled(page)
        page.click('[data-switch="positions"]')
        assert until(page, "location.hash.includes('positions')")
        address = page.run("return location.href")
        page.ask("POST", "/url", url="about:blank")
        page.ask("POST", "/url", url=address)
        settled(page)
        assert page.run("return app.state.panels[0].edits") == {"positions": False}
        assert page.run("return app.state.view") == "change"

    def test_an_address_that_is_nonsense_opens_the_usual_page(self, page: Browser, bundled: Path) -> None:
        for nonsense in (
            "#%",
            "#{}",
            '#{"panels":[{"text":7,"hidden":{},"edits":{"heads":["<b>"],"swap":[1],"temperature":-1}}],"view":"__proto__"}',
        ):
            page.ask("POST", "/url", url="about:blank")
            page.ask("POST", "/url", url=bundled.as_uri() + nonsense)
            settled(page)
            assert page.run("return app.state.view") == "heads"
            assert page.run("return app.state.panels[0].edits") == {}

    def test_two_settings_side_by_side(self, page: Browser) -> None:
        page.click('[data-key="compare"]')
        settled(page)
        set_text(page, "I beg your [MASK], sir.", "#text-1")
        names = [texts(page, f'.answers[data-panel="{index}"] .name')[0] for index in (0, 1)]
        assert names == ["head", "pardon"]

    def test_the_tour_can_be_walked_with_the_keyboard_alone(self, page: Browser) -> None:
        page.run("document.querySelector('[data-key=tour]').focus()")
        page.press("\ue007")
        page.run("document.querySelector('[data-tour=forward]').focus()")
        for step in range(2, 13):
            page.press("\ue007")
            settled(page)
            assert texts(page, "#tour .step") == [f"Step {step} of 12"]
        page.press("\ue00c")
        assert texts(page, "#tour .step") == []

    def test_the_arrows_go_from_view_to_view(self, page: Browser) -> None:
        page.run("document.querySelector('[data-view=heads]').focus()")
        for view in ("layers", "stages"):
            page.press("\ue014")
            settled(page)
            assert page.run("return [document.activeElement.dataset.view, app.state.view]") == [view, view]

    def test_a_view_that_was_left_is_there_again(self, page: Browser) -> None:
        for view in ("influence", "heads", "influence"):
            page.click(f'[data-view="{view}"]')
            settled(page)
        assert until(page, "document.querySelectorAll('[data-influence] .number').length === 16")

    def test_a_picture_is_a_drawing_that_stands_alone(self, page: Browser) -> None:
        page.run(
            "window.saved = []; URL.createObjectURL = blob => { saved.push(blob); return 'blob:null/x'; }; HTMLAnchorElement.prototype.click = () => {};"
        )
        page.click('[data-save="svg"]')
        page.click('[data-save="png"]')
        assert until(page, "saved.length === 2")
        kinds = page.run("return saved.map(blob => [blob.type, blob.size > 2000])")
        assert kinds == [["image/svg+xml", True], ["image/png", True]]


@needs_browser
@pytest.mark.slow
class TestForeignModels:
    def open(self, window: Browser, page: str, path: Path) -> None:
        path.write_text(page, encoding="utf-8")
        window.resize(1280, 900)
        window.open(path)
        settled(window)

    def clean(self, window: Browser) -> None:
        assert window.run("return document.querySelectorAll('img, iframe, object, embed, [onerror]').length") == 0
        assert window.run("return typeof hurt") == "undefined"
        assert window.console() == []

    def test_hostile_labels_tokens_names_and_texts_are_shown_and_never_obeyed(
        self, window: Browser, tmp_path: Path
    ) -> None:
        tokenizer = tiny_tokenizer()
        tokenizer.add_tokens([HOSTILE])
        model = tiny(BertForSequenceClassification, vocab_size=100, id2label={0: HOSTILE, 1: "<b>bold</b>"})
        self.open(
            window, playground_page(half(model), tokenizer, title=HOSTILE, texts=[HOSTILE]), tmp_path / "page.html"
        )
        for view in ("heads", "layers", "stages", "change", "influence"):
            window.click(f'[data-view="{view}"]')
            settled(window)
        self.clean(window)
        shown = " ".join(texts(window, "body > header, .answers, .piece"))
        assert "</script><img src=x onerror=hurt()>\\u202e\\u001b[31m" in shown
        assert "<b>bold</b>" in shown

    def test_hostile_pieces_are_shown_as_they_are(self, window: Browser, tmp_path: Path) -> None:
        pieces = [
            "[PAD]",
            "[UNK]",
            "[CLS]",
            "[SEP]",
            "[MASK]",
            *(f"<img src={i} onerror=hurt()>\u202e" for i in range(94)),
        ]
        tokenizer = BertTokenizer({piece: index for index, piece in enumerate(pieces)}, do_basic_tokenize=False)
        self.open(
            window,
            playground_page(half(tiny(BertForMaskedLM)), tokenizer, title="m", texts=["[MASK] [MASK]"]),
            tmp_path / "page.html",
        )
        assert texts(window, ".answers .bar-row .name")[0].endswith("onerror=hurt()>\\u202e")
        self.clean(window)

    def test_tags_are_answered_for_each_piece(self, window: Browser, tmp_path: Path) -> None:
        model = half(tiny(BertForTokenClassification, id2label={0: "O", 1: "B-PER", 2: "I-PER"}))
        tokenizer = tiny_tokenizer()
        self.open(window, playground_page(model, tokenizer, title="m", texts=["a b 7"]), tmp_path / "page.html")
        with torch.no_grad():
            best = model(**tokenizer("a b 7", return_tensors="pt")).logits[0].argmax(dim=-1)[1:-1]
        assert texts(window, ".tag b") == [model.config.id2label[int(index)] for index in best]


@needs_browser
@pytest.mark.slow
def test_typing_is_answered_at_once(page: Browser) -> None:
    """From a key to the new answer, and how long typing is blocked: printed, and far from what a person would notice."""
    script = """
    const done = arguments[arguments.length - 1], area = document.getElementById("text-0"), text = area.value, times = [], blocked = [];
    const type = i => { if (i === 20) return done([times.sort((a, b) => a - b)[10], blocked.sort((a, b) => a - b)[10], blocked[19]]);
      const began = performance.now(), panel = app.panels[0], old = panel.answer;
      area.value = `${text} ${"no"[i % 2]}`; area.dispatchEvent(new Event("input")); blocked.push(performance.now() - began);
      const look = () => panel.answer !== old ? (times.push(performance.now() - began), setTimeout(() => type(i + 1), 20)) : setTimeout(look, 1); look(); };
    type(0);"""
    for pieces, limit in ((16, 150), (64, 700)):
        set_text(page, "He shook his [MASK]" + " no" * (pieces - 8))
        answer, typical, blocked = page.ask("POST", "/execute/async", script=script, args=[])
        print(
            f"{pieces} pieces: answer after {answer:.0f} ms in the median, typing blocked {typical:.0f} ms, {blocked:.0f} at most"
        )
        assert answer < 10 * limit


@needs_browser
@pytest.mark.slow
def test_the_page_answers_soon_after_it_is_opened(window: Browser, bundled: Path) -> None:
    began = time.perf_counter()
    window.open(bundled)
    settled(window)
    print(f"an answer {time.perf_counter() - began:.2f} s after opening")
