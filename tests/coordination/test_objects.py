"""Objects that are made in process are git's own; a rehearsal gives git's own tree on any base."""

from __future__ import annotations

import pytest

from layers.coordination import Coordinator
from layers.coordination.git import open_repository, scratch
from layers.coordination.objects import tree_entries, write_object
from layers.errors import Refused
from tests.coordination.conftest import README_PATCH, Workspace


@pytest.mark.parametrize("content", [b"", b"x\n", b"\0" * 5000, "naïve\r\n".encode(), bytes(range(256)) * 1000])
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_blob_written_in_process_is_gits_own(content: bytes, object_format: str, workspace: Workspace) -> None:
    root = workspace.root.parent / "other"
    workspace.git("init", "-q", f"--object-format={object_format}", str(root))
    other = Workspace(root)
    expected = other.git("hash-object", "--stdin", "--no-filters", feed=content)
    for _ in range(2):
        assert write_object(root / ".git/objects", "blob", content, object_format) == expected
    other.git("fsck", "--strict", "--no-dangling")
    assert other.git("cat-file", "-s", expected) == str(len(content))


async def test_a_commit_written_in_process_is_gits_own(workspace: Workspace) -> None:
    tree, parent = workspace.git("rev-parse", "HEAD^{tree}", "HEAD").split("\n")
    names = {"GIT_AUTHOR_NAME": "Zoë", "GIT_AUTHOR_EMAIL": "", "GIT_AUTHOR_DATE": "@7 +0000"}
    names |= {"GIT_COMMITTER_DATE": "@7 +0000", "GIT_COMMITTER_NAME": "Bulkhead"}
    names |= {"GIT_COMMITTER_EMAIL": "bulkhead@localhost"}
    repository = await open_repository(workspace.root)
    async with scratch(repository) as pad:
        for words in ("", "one line", "Title\n\nBody.\n", "caf\udce9\n"):
            body = words.encode("utf-8", "surrogateescape")
            made = await pad.commit(tree, (parent,), body, author=' "<Zoë>\n', at=7)
            ran = await repository.run("commit-tree", tree, "-p", parent, feed=body, place=names)
            assert ran.text == made
    workspace.git("fsck", "--strict", "--no-dangling")


async def test_a_rehearsal_is_made_on_its_base_whatever_happened_since(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    base = workspace.git("rev-parse", "HEAD")
    workspace.commit({"README.md": "another file altogether\n"})
    rehearsal = await coordinator.rehearse(workspace.patch(README_PATCH, base))
    workspace.git("checkout", "-q", "--detach", base)
    assert rehearsal == await coordinator.rehearse(workspace.patch(README_PATCH))
    proposal_tree = workspace.git("rev-parse", f"{base}^{{tree}}")
    assert (rehearsal.base_commit, rehearsal.base_tree) == (base, proposal_tree)
    assert [file.path for file in rehearsal.files] == ["README.md"]
    assert workspace.git("show", f"{rehearsal.result_tree}:README.md").startswith("line 1\nline two\n")
    with pytest.raises(Refused, match="names no commit of this workspace; name one"):
        await coordinator.rehearse(workspace.patch(README_PATCH, "nonesuch"))


async def test_what_is_read_names_the_commit_and_the_blobs_it_is_of(
    workspace: Workspace, coordinator: Coordinator
) -> None:
    workspace.write({"README.md": "not committed\n"})
    (workspace.root / "link").symlink_to("README.md")
    workspace.git("add", "link")
    workspace.git("commit", "-q", "-m", "link")
    snapshot = await coordinator.read(workspace.root, ["README.md", "link", "nonesuch", "src"])
    assert snapshot.commit == workspace.git("rev-parse", "HEAD")
    assert snapshot.contents["link"] == b"README.md"
    assert snapshot.contents["README.md"].startswith(b"line 1\nline 2\n")
    assert {path: entry.oid for path, entry in snapshot.entries.items()} == {
        path: workspace.git("rev-parse", f"HEAD:{path}") for path in ("README.md", "link")
    }
    for path in (".env", "../x", ".git/config"):
        with pytest.raises(Refused):
            await coordinator.read(workspace.root, [path])


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_tree_is_taken_apart_as_git_does(object_format: str, workspace: Workspace) -> None:
    other = Workspace(workspace.root.parent / "other")
    workspace.git("init", "-q", f"--object-format={object_format}", str(other.root))
    other.write({"a b": "x\n", "naïve/deep": "y\n", "run": "z\n"})
    (other.root / "run").chmod(0o755)
    (other.root / "link").symlink_to("run")
    other.commit()
    listed = [line.split("\t") for line in other.git("ls-tree", "-z", "HEAD").split("\0") if line]
    expected = {name.encode("utf-8", "surrogateescape"): facts.split() for facts, name in listed}
    body = other.try_git("cat-file", "tree", "HEAD").stdout
    found = tree_entries(body, object_format)
    assert found == {name: (mode, oid) for name, (mode, _, oid) in expected.items()}
    assert tree_entries(body.replace(b"100644 a b", b"100664 a b"), object_format) == found
    with pytest.raises(ValueError, match="not found"):
        tree_entries(b"no tree", object_format)


async def test_a_path_is_found_through_its_folders_and_only_there(workspace: Workspace) -> None:
    workspace.commit({"a/b/c": "1\n", "d/b/c": "1\n", "a/x": "22\n"})
    repository = await open_repository(workspace.root)
    tree = workspace.git("rev-parse", "HEAD^{tree}")
    async with scratch(repository) as pad:
        found = await pad.entries(tree, ["a/b/c", "d/b/c", "a/x", "a", "a/b", "a/x/y", "none/x", "README.md"])
    assert {path: entry.size for path, entry in found.items()} == {"a/b/c": 2, "d/b/c": 2, "a/x": 3, "README.md": 71}
    assert found["a/b/c"].oid == workspace.git("rev-parse", "HEAD:a/b/c")
