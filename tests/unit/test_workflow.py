"""The workflow for other machines runs what `.ci/run` and the README say, and the citation is of this project."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")


def test_the_workflow_runs_every_target_that_a_change_must_pass() -> None:
    asked = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    needed = set(re.findall(r"^make (\S+)(?: SEED=.*)?$", asked, flags=re.MULTILINE))
    listed = re.search(r"target: \[(.*)\]", WORKFLOW)
    run = set(re.findall(r"run: make ([\w-]+)$", WORKFLOW, flags=re.MULTILINE)) | set(listed[1].split(", "))
    assert run == needed


def test_windows_runs_the_commands_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.search(r"Without make.*?```bash\n(.*?)```", readme, flags=re.DOTALL)[1].splitlines()
    written = [re.sub(r" +#.*", "", line).replace("/bin/python", r"\Scripts\python") for line in commands if line]
    windows = WORKFLOW.partition("windows:")[2].partition("  once:")[0]
    assert re.findall(r"run: (.*)", windows) == written


def test_the_workflow_covers_three_systems_and_four_pythons() -> None:
    assert "ubuntu-latest, macos-latest" in WORKFLOW
    assert "windows-latest" in WORKFLOW
    assert (
        re.findall(r'python: \["3\.11", "3\.12", "3\.13", "3\.14"\]', WORKFLOW)
        == ['python: ["3.11", "3.12", "3.13", "3.14"]'] * 2
    )


def test_the_citation_has_the_license_of_the_package() -> None:
    license_of = re.compile(r'^license(?:: | = ")([\w.-]+)', flags=re.MULTILINE)
    cited, declared = ((ROOT / name).read_text(encoding="utf-8") for name in ("CITATION.cff", "pyproject.toml"))
    assert license_of.search(cited)[1] == license_of.search(declared)[1]
