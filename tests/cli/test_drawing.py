"""`bulkhead draw` over files, Markdown, standard input and a batch; what it prints and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.cli.drawing import blocks_of, expanded
from layers.errors import Misconfigured
from tests.fakes.command import bulkhead

DOCUMENT = """\
# Title

```mermaid
flowchart LR
  A[Start] --> B[End]
```

> ~~~~ mermaid
> sequenceDiagram
>   A->>B: hello
> ~~~~

```python
mermaid = 1
```

``` mermaid title="x"
flowchart LR
  A[Start --> B[End]
```
"""


def test_every_mermaid_block_of_a_document_is_found_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text(DOCUMENT)
    blocks = list(blocks_of(str(file)))
    assert [(block.line, block.number, block.text.split("\n")[0]) for block in blocks] == [
        (4, 1, "flowchart LR"),
        (9, 2, "sequenceDiagram"),
        (18, 3, "flowchart LR"),
    ]
    assert blocks[1].picture == tmp_path / "a-2.png"
    file.write_text("```mermaid\nflowchart LR")
    with pytest.raises(Misconfigured, match=r"a.md:1: the Mermaid block .* has no end"):
        list(blocks_of(str(file)))


def test_patterns_that_the_shell_left_alone_are_expanded(tmp_path: Path) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "y" / "deep.md").touch()
    assert list(expanded([str(tmp_path / "**" / "*.md"), "-"])) == [str(tmp_path / "x" / "y" / "deep.md"), "-"]
    with pytest.raises(Misconfigured, match="no file matches"):
        list(expanded([str(tmp_path / "*.none")]))


def test_check_names_file_and_line_writes_nothing_and_fails(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(DOCUMENT)
    done = bulkhead("draw", "--check", str(tmp_path / "**" / "*.md"), "--surface", "slack")
    assert done.returncode == 1
    assert f"{tmp_path / 'a.md'}:19: error: unreadable: Line 2" in done.stdout
    assert done.stdout.endswith("2 of 3 diagrams are good\n")
    assert [path.name for path in tmp_path.iterdir()] == ["a.md"]
    told = json.loads(bulkhead("draw", "--check-only", "--json", str(tmp_path / "a.md")).stdout)
    assert [(one["line"], one["ok"]) for one in told] == [(4, True), (9, True), (19, False)]
    assert {"findings", "pages", "ms", "engine"} <= told[0].keys()


def test_good_diagrams_exit_with_0_and_findings_are_told_in_full(tmp_path: Path) -> None:
    (tmp_path / "a.mmd").write_text("flowchart LR; a-->b")
    (tmp_path / "b.mmd").write_text("pie\n" + "\n".join(f'"Slice {n}" : 1' for n in range(14)))
    done = bulkhead("draw", str(tmp_path / "a.mmd"), str(tmp_path / "b.mmd"), "--json")
    one, other = json.loads(done.stdout)
    assert (one["ok"], one["engine"], one["findings"]) == (True, "dot", [])
    assert (tmp_path / "a.png").exists()
    crowd = next(finding for finding in other["findings"] if finding["rule"] == "too_many_categories")
    assert (crowd["value"], crowd["threshold"], crowd["repair"]) == (14, 12, "respec")
    assert bulkhead("draw", "--check", "--strict", str(tmp_path / "b.mmd")).returncode == 1


def test_what_cannot_be_is_said_in_one_sentence(tmp_path: Path) -> None:
    assert "needs -o FILE.png, or --check" in bulkhead("draw", "-", stdin="flowchart LR; a-->b").stderr
    assert "needs a Mermaid or Markdown file" in bulkhead("draw").stderr
    assert bulkhead("draw", "-", "--check", stdin="flowchart LR; a-->b").returncode == 0


def test_a_check_goes_on_behind_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("```mermaid\npie\n \"a\" : 1\n```\n\n```mermaid\nflowchart LR")
    (tmp_path / "b.md").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "c.md").write_bytes(b"\xef\xbb\xbf```mermaid\r\nflowchart LR\r\n  a --> b\r\n```\r\n")
    done = bulkhead("draw", "--check", str(tmp_path / "*.md"), str(tmp_path / "d.md"))
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line.split(": error: ")[0].rpartition("/")[2] for line in lines[:-1]] == ["a.md:1", "b.md:1", "d.md:1"]
    for line, words in zip(lines, ("a.md:6: the Mermaid block", "not UTF-8", "cannot read"), strict=False):
        assert words in line
    assert lines[-1] == "2 of 5 diagrams are good"


def test_what_is_no_diagram_and_no_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Words")
    assert bulkhead("draw", "--check", str(tmp_path / "a.md")).stdout == "there is no diagram in them\n"
    assert "no Mermaid diagram in" in bulkhead("draw", str(tmp_path / "a.md")).stderr
    assert "/**/*.md'" in bulkhead("draw", "--check", str(tmp_path)).stderr
    (tmp_path / "a.mmd").write_text("pie\n \"a\" : 1")
    assert "-o names a .png or .svg file" in bulkhead("draw", str(tmp_path / "a.mmd"), "-o", "a.txt").stderr


def test_a_drawing_is_written_as_svg_dark_and_right_angled(tmp_path: Path) -> None:
    (tmp_path / "a.mmd").write_text("flowchart LR; a-->b; a-->c; b-->d; c-->d")
    words = ("--theme", "dark", "--style", "right-angled", "--json")
    done = bulkhead("draw", str(tmp_path / "a.mmd"), "-o", str(tmp_path / "x.svg"), *words)
    assert json.loads(done.stdout)["engine"] == "graphlay"
    svg = (tmp_path / "x.svg").read_text()
    assert "<svg" in svg
    assert "#10151f" in svg, "the paper of the dark theme"
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.mmd", "x.svg"]
