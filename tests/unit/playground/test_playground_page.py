"""The page is one file that loads nothing, answers while somebody types, and shows text from outside as text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from minibert import BertForMaskedLM, BertForSequenceClassification, BertForTokenClassification, BertTokenizer
from minibert.cli import main
from minibert.playground.writer import BESIDE, PAGE, joined, network_of, playground_page, weights_of
from tests.unit.microscope.browser import Browser
from tests.unit.tiny_bert import tiny

from .in_browser import needs_browser, set_text, settled, texts, until
from .pages import half, tiny_tokenizer

HOSTILE = "</script><img src=x onerror=hurt()>\u202e\x1b[31m"
FORBIDDEN = "fetch|eval|importScripts|XMLHttpRequest|WebSocket|innerHTML|outerHTML|insertAdjacentHTML|document.write"


# ------------------------------------------------------------------------------------------------------------ the file


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


def test_only_the_model_that_the_tour_tells_of_has_a_tour() -> None:
    for title, tour in (("novels-4l-256h", True), ("shici-4l-256h", False), ("mine", False)):
        page = playground_page(half(tiny(BertForMaskedLM)), tiny_tokenizer(), title=title)
        data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page).group(1))
        assert data["tour"] is tour


def test_explore_live_is_the_playground_with_the_texts_side_by_side(tmp_path: Path) -> None:
    out = tmp_path / "live.html"
    result = CliRunner().invoke(main, ["explore", "He ran.", "--beside", "She ran.", "--live", "--out", str(out)])
    assert result.exit_code == 0, result.output
    data = json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', out.read_text(encoding="utf-8")).group(1)
    )
    assert data["texts"] == [["He ran.", ""], ["She ran.", ""]]


# --------------------------------------------------------------------------------------------------------- in a browser


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
        assert texts(page, ".answers h3") == ["For “head” at place 4"]
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
        assert texts(page, ".readout")[0].startswith("“his” looks at “shook” 100.0% (head 1).")

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
        for step in range(2, 13):
            assert page.run("return document.activeElement.dataset.tour") == "forward"
            page.press("\ue007")
            settled(page)
            assert texts(page, "#tour .step")[0].startswith(f"Step {step} of 12")
        assert page.run("return document.activeElement.textContent") == "Finish"
        page.press("\ue007")
        assert texts(page, "#tour .step") == []
        assert page.run("return document.activeElement.dataset.key") == "tour"

    def test_the_readers_own_text_is_there_again_after_the_tour(self, page: Browser) -> None:
        set_text(page, "Is it mine?")
        page.click('[data-piece="3"]')
        own = page.run("return app.state.panels")
        page.click('[data-key="tour"]')
        page.click('[data-tour="forward"]')
        set_text(page, "A text that the tour asked for.")
        page.press("\ue00c")
        settled(page)
        assert page.run("return app.state.panels") == own
        assert page.run("return document.getElementById('text-0').value") == "Is it mine?"
        page.click('[data-key="tour"]')
        for _ in range(11):
            page.click('[data-tour="forward"]')
        set_text(page, "The last step asks for a text of mine.")
        page.click('[data-tour="close"]')
        assert page.run("return app.state.panels[0].text") == "The last step asks for a text of mine."

    def test_what_has_the_focus_is_never_beneath_the_tour(self, page: Browser) -> None:
        page.click('[data-key="tour"]')
        settled(page)
        page.run("scrollTo(0, 0); document.querySelector('[data-save=png]').focus()")
        bottom, top = page.run(
            "return ['[data-save=png]', '#tour'].map((name, i) => document.querySelector(name).getBoundingClientRect()[['bottom', 'top'][i]])"
        )
        assert bottom <= top

    def test_the_answer_of_a_step_is_in_sight_and_the_page_stays_where_it_was(self, page: Browser) -> None:
        page.resize(390, 667)
        page.click('[data-key="tour"]')
        settled(page)
        before = page.run("return scrollY")
        page.click('[data-tour="tell"]')
        assert page.run("return scrollY") == before
        told, box = page.run(
            "return ['.told', '.telling'].map(name => document.querySelector(name).getBoundingClientRect().toJSON())"
        )
        assert box["top"] < told["top"] < told["bottom"] <= box["bottom"] + 8  # its margin

    def test_the_next_button_of_the_tour_stays_where_it_is(self, page: Browser) -> None:
        page.click('[data-key="tour"]')
        for width, height in ((1280, 900), (390, 844)):
            page.resize(width, height)
            places = set()
            for _ in range(5):
                settled(page)
                places.add(
                    page.run("return Math.round(document.querySelector('#tour .main').getBoundingClientRect().bottom)")
                )
                page.click('[data-tour="forward"]')
            assert len(places) == 1
            page.run("history.replaceState(null, '', '#'); document.querySelector('[data-key=tour]').click()")
            settled(page)  # else the page may move under the click
            page.click('[data-key="tour"]')

    def test_on_a_phone_the_answer_stays_in_sight_while_something_is_changed(self, page: Browser) -> None:
        page.resize(390, 844)
        page.click('[data-view="change"]')
        settled(page)
        for switch in ("[data-switch='head3.3']", "[data-switch=positions]", "[data-key=temperature]"):
            page.run(f"document.querySelector({json.dumps(switch)}).scrollIntoView()")
            answer, button = page.run(
                "return ['.answers .bar-row', arguments[0]].map(name => document.querySelector(name).getBoundingClientRect().toJSON())",
                switch,
            )
            assert 0 <= answer["top"] < answer["bottom"] < button["top"] < 844

    def test_the_pieces_stay_when_a_second_text_is_added(self, page: Browser) -> None:
        before = texts(page, ".input .piece, .input p:not(.unseen)")
        page.click(".quiet")
        settled(page)
        assert texts(page, ".input .piece, .input p:not(.unseen)") == before
        assert page.run("return document.activeElement.id") == "second-0"

    def test_the_legend_is_true_in_light_and_in_dark(self, page: Browser) -> None:
        said = []
        for _ in ("en", "zh"):
            for scheme in ("light", "dark"):
                assert page.run("return document.documentElement.dataset.theme") == scheme
                said.append(texts(page, ".overview p")[0])
                page.click('[data-key="theme"]')
            page.click('[data-key="language"]')
            settled(page)
        assert "a stronger colour is more" in said[0]
        assert "颜色越鲜明权重越大" in said[2]
        assert not re.search("dark|bright|light|深|浅|亮|暗", " ".join(said))

    def test_the_scheme_of_the_system_is_followed_while_the_page_is_open(self, page: Browser) -> None:
        for scheme in ("dark", "light"):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            page.ask("POST", "/goog/cdp/execute", cmd="Emulation.setEmulatedMedia", params={"features": features})
            assert until(page, f"document.documentElement.dataset.theme === '{scheme}'")

    def test_the_word_that_led_stays_in_the_list_when_its_share_is_gone(self, page: Browser) -> None:
        page.click('[data-view="change"]')
        settled(page)
        page.click('[data-switch="positions"]')
        assert until(page, "document.querySelector('.led')")
        settled(page)
        assert texts(page, ".led .name") == ["head"]
        assert texts(page, ".led .number") == ["0.2%", "72.2%"]
        assert len(texts(page, ".answers .bar-row")) == 8
        page.click('[data-switch="positions"]')
        settled(page)
        page.click('[data-switch="head0.2"]')
        assert until(page, "document.querySelector('.led')")
        assert texts(page, ".bar-row .name")[0] == texts(page, ".led .name")[0] == "head"

    def test_nothing_moves_at_the_first_change(self, page: Browser) -> None:
        for width, height in ((1280, 900), (390, 844)):
            page.resize(width, height)
            page.click('[data-view="change"]')
            settled(page)
            top = "return document.querySelector('.switches').getBoundingClientRect().top + scrollY"
            before = page.run(top)
            page.click('[data-switch="head0.2"]')
            assert until(page, "document.querySelector('.was')")
            assert page.run(top) == before
            page.click("[data-reset]")
            settled(page)

    def test_what_is_not_in_the_vocabulary_is_named(self, page: Browser) -> None:
        assert texts(page, ".unknown") == []
        set_text(page, "我爱你, he said.")
        assert texts(page, ".unknown")[0].startswith("[UNK] stands for what the vocabulary")
        assert texts(page, ".unknown")[0].endswith(": 我 爱 你")

    def test_more_masks_than_are_answered_are_counted(self, page: Browser) -> None:
        set_text(page, "He shook" + " [MASK]" * 6)
        assert texts(page, ".more") == []
        set_text(page, "He shook" + " [MASK]" * 8)
        assert texts(page, ".more") == ["Answers for the first 6 of 8 hidden pieces."]
        assert len(texts(page, ".answers h3")) == 6

    def test_the_lines_name_each_head_after_what_it_looks_at(self, page: Browser) -> None:
        page.hover('[data-token="4"]')
        said = texts(page, ".readout")[0]
        assert said.startswith("[MASK] looks at “said” 24.1%, [SEP] 15.1%, “.” 13.5% (head 0); “his” 100.0% (head 1);")
        assert said.endswith("Numbers on the right: the mean of these heads.")
        assert " 0.0%" not in said

    def test_a_head_that_is_off_is_faint_and_said_to_be_off(self, page: Browser) -> None:
        page.run("app.change('x', () => { app.state.panels[0].edits = { heads: ['0.1'] }; app.state.heads = [1]; })")
        settled(page)
        assert texts(page, '[data-head="1"]') == ["head 1, off"]
        assert (
            page.run(
                "return Math.max(...[...document.querySelectorAll('.links path')].map(each => each.getAttribute('stroke-opacity')))"
            )
            < 0.2
        )

    def test_a_swap_with_itself_is_no_change(self, page: Browser) -> None:
        page.click('[data-view="change"]')
        settled(page)
        for key in ("swap0", "swap1", "vector-at", "vector-from"):
            page.run(
                "const box = document.querySelector(`[data-key=${arguments[0]}]`); box.value = '2'; box.dispatchEvent(new Event('change'))",
                key,
            )
        assert page.run("return app.state.panels[0].edits") == {}

    def test_undo_leaves_the_language_as_it_is(self, page: Browser) -> None:
        page.click('[data-view="layers"]')
        page.click('[data-key="language"]')
        page.click('[data-key="undo"]')
        assert page.run("return [app.state.view, app.state.language]") == ["heads", "zh"]

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

    def test_a_picture_says_what_it_shows(self, page: Browser) -> None:
        page.run(
            "window.saved = []; URL.createObjectURL = blob => { saved.push(blob); return 'blob:null/x'; }; HTMLAnchorElement.prototype.click = () => {};"
        )
        set_text(page, "He shook his [MASK] " + "and said no " * 9)
        page.run("app.change('x', () => { app.state.panels[0].edits = { heads: ['0.1'] }; app.state.heads = [1, 2]; })")
        settled(page)
        page.click('[data-save="svg"]')
        svg = page.ask("POST", "/execute/async", script="saved[0].text().then(arguments[0])", args=[])
        said = re.findall(r">([^<>]*)<", svg)
        assert any(re.fullmatch(r"He shook .*…", line) for line in said)
        for line in (
            "novels-4l-256h. Changed: Layer 0, head 1, off",
            "Lines of attention: layer 0",
            "head 1, off   ",
            "head 2   ",
        ):
            assert line in said


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

    def test_a_long_label_is_read_to_its_end(self, window: Browser, tmp_path: Path) -> None:
        model = half(tiny(BertForSequenceClassification, id2label={0: "a label with a long name " * 3, 1: "b" * 60}))
        self.open(window, playground_page(model, tiny_tokenizer(), title="m", texts=["a"]), tmp_path / "page.html")
        cut = """
            return [...document.querySelectorAll(".answers .name")].some(name => name.scrollWidth > name.clientWidth
              || getComputedStyle(name).textOverflow === "ellipsis")"""
        for width in (1280, 390):
            window.resize(width, 844)
            assert not window.run(cut)
            assert window.run("return document.documentElement.scrollWidth") <= width

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
