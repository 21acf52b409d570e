"""A change without line numbers becomes a tree: `Edits` and a base in, an id out. Only objects are added."""

from __future__ import annotations

from layers.coordination import rules
from layers.coordination.git import Scratch
from layers.coordination.types import Entry
from layers.errors import Refused

MAX_FILE_BYTES = 5 << 20
PLAIN = ("100644", "100755")


async def edit(pad: Scratch, edits: rules.Edits, tree: str, name: str) -> str:
    """The tree that `edits` make of `tree`, which people know as `name`.

    Raises:
        Refused: a file is not as the change expects, or too large, or something is in a new file's place.
    """
    found = await pad.entries(tree, edits.paths)
    for file in edits.files:
        _check_base(file, found, name)
    searched = sum(len(file.spots) * found[file.old].size for file in edits.files if file.old)
    if searched > rules.MAX_SEARCHED_BYTES:
        raise Refused("the patch has too many blocks for files of that size; split it")
    contents = await pad.blobs([found[file.old].oid for file in edits.files if file.old])
    made: dict[str, Entry | None] = {}
    for file in edits.files:
        old = found.get(file.old)
        content = rules.edited(file, contents[old.oid] if old else b"")
        if len(content) > MAX_FILE_BYTES:
            raise Refused(f"the patch makes {file.new!r} {len(content):,} bytes large; {MAX_FILE_BYTES:,} is the limit")
        if file.old:
            made[file.old] = None
        if file.new:
            made[file.new] = Entry(mode=old.mode if old else PLAIN[0], oid=await pad.keep_blob(content))
    result = await pad.write_tree(tree, made)
    is_new = any(file.new and file.new not in found for file in edits.files)
    changes = await pad.changes(tree, result) if is_new else {}  # what was there already is in nobody's way
    in_the_way = next((path for path in changes if path not in made), None)
    if in_the_way is not None:
        text = f"a new file would take the place of {rules.visible(in_the_way)!r}, which {name} has"
        raise Refused(f"{text}; delete it in the same patch or choose another path")
    return result


def _check_base(file: rules.Edit, found: dict[str, Entry], name: str) -> None:
    if file.new and file.new != file.old and file.new in found:
        raise Refused(f"{file.new!r} is already there on {name}; read it and change its lines")
    if not file.old:
        return
    entry = found.get(file.old)
    if entry is None:
        raise Refused(f"{name} has no file {file.old!r}; look at its path, or make a new file")
    if entry.mode not in PLAIN:
        raise Refused(f"{file.old!r} is no plain file; links are changed by a git diff, and nothing else is")
    if entry.size > MAX_FILE_BYTES:
        raise Refused(f"{file.old!r} has {entry.size:,} bytes and {MAX_FILE_BYTES:,} is the limit for patched files")
    if file.expects and entry.oid != file.expects:
        text = f"{file.old!r} is {entry.oid[:12]} on {name} and the patch was made on {file.expects[:12]}"
        raise Refused(f"{text}; read the file again")
