"""Try mutants: a fork for each runs the tests that run its line, until one fails.

Inside of functions: one pytest has collected all tests, and the fork sets the mutated function's `__code__`, so that nothing is
imported twice. Outside, where a mistake is made at import: the fork is of a process that has imported PyTorch and not the package. Every Python
that a test starts imports the mutated file too, as the processes of the course's exercises do.
"""

from __future__ import annotations

import gc
import os
import resource
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType

import hypothesis
import pytest

from tests.mutants.covering import Tests, file_of
from tests.mutants.drawing import Mutant

SECONDS_OF_A_TEST = 5  # of the processor, and ten times what it took before: a loop without an end has then been met
MEMORY = 12 << 30
AT_IMPORT = "at import"
NO_TESTS = pytest.ExitCode.NO_TESTS_COLLECTED
# What a Python runs at its start, and a fork before its imports: a mutant stands for the file that it was made of.
AT_START = """
from importlib.machinery import SourceFileLoader
read = SourceFileLoader.get_code
def get_code(loader, name):
    if getattr(loader, "path", None) == PATH:
        return compile(SOURCE, PATH, "exec", dont_inherit=True)
    return read(loader, name)
SourceFileLoader.get_code = get_code
"""
ARGUMENTS = ("-q", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:randomly", "--hypothesis-seed=0")


def functions_of(code: CodeType) -> Iterator[CodeType]:
    """The code of each function of a module or class, in their order."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_flags & 0x2:  # CO_NEWLOCALS: a function
                yield constant
            else:
                yield from functions_of(constant)


def mutate(root: Path, mutant: Mutant, source: str, functions: list[FunctionType]) -> bool:
    """Put the mutant's code into the function that is imported; False if that cannot be done."""
    path = str(root / mutant.path)
    old, new = (
        [
            code
            for code in functions_of(compile(source, path, "exec", dont_inherit=True))
            if code.co_qualname == mutant.function
        ]
        for source in (Path(path).read_text(encoding="utf-8"), source)
    )
    place = next((at for at, code in enumerate(old) if code != new[at]), None)
    if place is None:
        return False
    changed = list(pairs(old[place], new[place]))
    live = [(each, then) for each in functions for now, then in changed if each.__code__ == now]
    try:
        for function, then in live:
            function.__code__ = then
    except ValueError:  # it has other variables of the functions around it now
        return False
    return bool(live)


def pairs(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """The code of a function before and after, and of every function in it that is another now: an import may have made it."""
    yield old, new
    inner = ([each for each in code.co_consts if isinstance(each, CodeType)] for code in (old, new))
    for before, after in zip(*inner, strict=False):
        if before != after:
            yield from pairs(before, after)


def hand_on(path: str, source: str) -> str:
    """Let every Python that this process starts import `source` for `path`. Returns the program that does it."""
    program, folder = f"PATH, SOURCE = {path!r}, {source!r}{AT_START}", os.environ["TMPDIR"]
    (Path(folder) / "sitecustomize.py").write_text(program, encoding="utf-8")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))
    return program


class Forks:
    """A process for each mutant, `jobs` at a time; `done` gets what became of each."""

    def __init__(self, jobs: int, done: Callable[[Mutant, str, str, int, float], None]) -> None:
        self.jobs, self.done = jobs, done
        self.running: dict[int, tuple[Mutant, int, float, int]] = {}

    def start(self, mutant: Mutant, tests: int, killer: Callable[[], str | None]) -> None:
        """Fork, and let `killer` run the tests there: it returns the first that failed, "" if none did, None if it cannot say."""
        if len(self.running) == self.jobs:
            self.wait()
        reader, writer = os.pipe()
        child = os.fork()
        if child:
            os.close(writer)
            self.running[child] = mutant, reader, time.monotonic(), tests
            return
        os.setpgid(0, 0)
        gc.disable()  # it would copy what the fork shares
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nowhere, stream)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        scratch = scratch_of(os.getpid())
        scratch.mkdir(parents=True)
        os.environ.update(PYTEST_DEBUG_TEMPROOT=str(scratch), TMPDIR=str(scratch))
        tempfile.tempdir = None
        try:
            found = killer()
        except BaseException as error:
            found = f"{type(error).__name__}: {error}"
        os.write(writer, (AT_IMPORT if found is None else found).encode()[:500])
        os._exit(0)

    def wait(self) -> None:
        """Wait until one is done, or has had ten minutes."""
        while not (ended := os.waitpid(-1, os.WNOHANG))[0]:
            for late in [child for child, (_, _, start, _) in self.running.items() if time.monotonic() - start > 600]:
                os.killpg(late, signal.SIGKILL)
            time.sleep(0.02)
        child, status = ended
        mutant, reader, start, tests = self.running.pop(child)
        shutil.rmtree(scratch_of(child), ignore_errors=True)
        with os.fdopen(reader) as told:
            killer = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else told.read()
        result = "killed" if killer else "survived"
        self.done(mutant, AT_IMPORT if killer == AT_IMPORT else result, killer, tests, time.monotonic() - start)

    def wait_for_all(self) -> None:
        """Wait until none is left."""
        while self.running:
            self.wait()


def scratch_of(child: int) -> Path:
    """Where a child's tests write."""
    return Path(tempfile.gettempdir()) / f"minibert-mutants-{child}"


class Failures:
    """A plugin that keeps the names of the tests that failed; and a failing law needs no smallest example."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile("mutants", hypothesis.settings(), phases=phases, database=None)
        hypothesis.settings.load_profile("mutants")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)


class Chosen(Failures):
    """A plugin that runs the tests of these names, in their order; a name of no test any more is left out."""

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.names = {name: at for at, name in enumerate(names)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        kept = [item for item in items if item.nodeid in self.names]
        items[:] = sorted(kept, key=lambda item: self.names[item.nodeid])


class InFunctions(Failures):
    """Tries mutants inside of functions in forks of a pytest that has collected all tests, and runs none itself."""

    def __init__(self, root: Path, mutants: Iterable[tuple[Mutant, str]], tests: Tests, forks: Forks) -> None:
        super().__init__()
        self.root, self.mutants, self.tests, self.forks = root, mutants, tests, forks
        self.functions: list[FunctionType] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        everything = [each for each in gc.get_objects() if isinstance(each, FunctionType)]
        self.functions = [each for each in everything if each.__code__.co_filename.startswith(str(self.root))]
        gc.freeze()  # or the first collection in a fork would copy every page
        for mutant, source in self.mutants:
            chosen = [items[name] for name in self.tests.running(mutant, items.keys())]
            self.forks.start(mutant, len(chosen), partial(self.killer, mutant, source, chosen))
        self.forks.wait_for_all()
        return True

    def killer(self, mutant: Mutant, source: str, items: list[pytest.Item]) -> str | None:
        """Run tests until one fails; each may take ten times what it took before."""
        if not mutate(self.root, mutant, source, self.functions):
            return None
        hand_on(str(self.root / mutant.path), source)
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.pluginmanager.unregister(name="terminalreporter")
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS_OF_A_TEST + 10 * self.tests.times[item.nodeid])
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                return self.failed[0]
        return ""


def at_import(root: Path, mutants: Iterable[tuple[Mutant, str]], tests: Tests, forks: Forks) -> None:
    """Try mutants outside of functions: in a fork of this process, which must not have imported the package yet."""
    for mutant, source in mutants:
        names = tests.running(mutant, tests.times.keys())
        forks.start(mutant, len(names), partial(killer_at_import, str(root / mutant.path), source, names))
    forks.wait_for_all()


def killer_at_import(path: str, source: str, names: list[str]) -> str:
    """Import `source` for `path`, and run tests until one fails."""
    exec(hand_on(path, source), {})
    signal.setitimer(signal.ITIMER_VIRTUAL, 120)
    chosen = Chosen(names)
    files = dict.fromkeys(map(file_of, names))
    ended = pytest.main([*ARGUMENTS, "-x", *filter(os.path.exists, files)], plugins=[chosen]) if names else 0
    return chosen.failed[0] if chosen.failed else f"pytest ended with {ended}" if ended not in (0, NO_TESTS) else ""
