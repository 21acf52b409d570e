"""Which paths, modes and links a patch may touch. Pure.

git itself refuses `..` and `.git`; these checks come first so that the refusal names the rule, and they add what git
allows: symlink targets, odd modes, backslashes, secrets (coordination reference, hostile patches).
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from layers.errors import Refused

MAX_PART_BYTES = 255
MAX_PATH_BYTES = 4096
MODES = {"100644": "file", "100755": "executable file", "120000": "symbolic link"}
ABSENT = "000000"

# What HFS+ drops from names when it compares them, so that `.g<U+200C>it` is `.git` there.
_IGNORED_ON_HFS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")

SECRETS = (
    ".env", ".env.*", "*.pem", "*.key", "*.p12", "*.pfx", "*.kdbx", "credentials", "credentials.*",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", ".netrc", ".npmrc", ".pypirc", ".git-credentials",
)  # fmt: skip
NOT_SECRETS = (".env.example", ".env.sample", ".env.template")

CONTROL_NAMES = {
    "makefile": "make runs it",
    "gnumakefile": "make runs it",
    "*.mk": "make runs it",
    "dockerfile*": "a build runs it",
    "*.sh": "a shell runs it",
    "*.bash": "a shell runs it",
    "*.zsh": "a shell runs it",
    ".envrc": "direnv runs it",
    "conftest.py": "pytest runs it",
    "sitecustomize.py": "every Python start runs it",
    "*.pth": "every Python start runs it",
    "noxfile.py": "nox runs it",
    "tox.ini": "tox runs it",
    "setup.py": "an installation runs it",
    "setup.cfg": "an installation reads it",
    "pyproject.toml": "an installation reads it",
    "package.json": "npm runs its scripts",
    "justfile": "just runs it",
    "build.rs": "cargo runs it",
    ".pre-commit-config.yaml": "pre-commit runs it",
    ".gitlab-ci.yml": "CI runs it",
    "jenkinsfile": "CI runs it",
    ".gitattributes": "it chooses git filters",
    ".gitmodules": "it chooses what git fetches",
}
CONTROL_FOLDERS = {
    ".github": "CI runs it",
    ".ci": "CI runs it",
    ".circleci": "CI runs it",
    ".vscode": "an editor runs its tasks",
    ".idea": "an editor runs its tasks",
    ".husky": "git runs it",
    "hooks": "git may run it",
    ".githooks": "git may run it",
}


def check_path(path: str) -> None:
    """Raise `Refused` unless `path` may be touched at all: shape first, then secrets."""
    if not path or path.startswith("/") or re.match(r"[A-Za-z]:", path):
        raise Refused(f"the patch names {path!r}, an absolute path; paths start at the workspace")
    if any(ord(char) < 32 or ord(char) == 127 for char in path):
        raise Refused(f"the patch names {path!r}, which has a control character; rename the file")
    if "\\" in path:
        raise Refused(f"the patch names {path!r}, which has a backslash; write paths with /")
    if len(as_bytes(path)) > MAX_PATH_BYTES:
        raise Refused(f"the patch names a path of {len(as_bytes(path))} bytes; {MAX_PATH_BYTES} is the limit")
    for part in path.split("/"):
        _check_part(path, part)
    if is_secret(path):
        raise Refused(f"the patch touches {path!r}, a file that holds secrets; edit it yourself")


def is_secret(path: str) -> bool:
    """Whether a file of that name holds secrets."""
    name = path.rpartition("/")[2].lower()
    return _fits(name, SECRETS) and not _fits(name, NOT_SECRETS)


def _check_part(path: str, part: str) -> None:
    if part in ("", ".", ".."):
        raise Refused(
            f"the patch names {path!r}, which leaves or restates a folder with {part!r}; write the plain path"
        )
    plain = _IGNORED_ON_HFS.sub("", part).lower().rstrip(" .").split(":")[0]
    if plain in (".git", "git~1"):
        raise Refused(f"the patch names {path!r}, which is inside git's own folder; that is never patched")
    if part[-1] in " .":
        raise Refused(f"the patch names {path!r}, whose part {part!r} ends in a dot or a space; rename it")
    size = len(as_bytes(part))
    if size > MAX_PART_BYTES:
        raise Refused(f"the patch names {part[:40]!r}..., {size} bytes long; {MAX_PART_BYTES} is the limit")


def check_mode(path: str, mode: str) -> None:
    """Raise `Refused` unless the result may hold `path` with `mode` (octal text; `000000` for a deletion)."""
    if mode == ABSENT or mode in MODES:
        return
    what = {"160000": "a submodule", "040000": "a folder"}.get(mode, "a mode that is neither 100644 nor 100755")
    raise Refused(
        f"the patch gives {path!r} the mode {mode}, {what}; only plain files, executables and links are patched"
    )


def check_link(path: str, target: str) -> None:
    """Raise `Refused` unless the symbolic link at `path` stays inside the workspace.

    `..` may only lead: `a/..` goes elsewhere when `a` is itself a link.
    """
    parts = target.split("/")
    climbs = next((n for n, part in enumerate(parts) if part != ".."), len(parts))
    stays = climbs <= path.count("/") and ".." not in parts[climbs:]
    if not target or target.startswith("/") or "\0" in target or "\\" in target or not stays:
        raise Refused(f"the patch makes {path!r} a link to {target!r}, which leaves the workspace; link inside it")
    if any(part.lower() == ".git" for part in parts):
        raise Refused(f"the patch makes {path!r} a link to {target!r}, git's own folder; that is never patched")


def control_reason(path: str) -> str:
    """Why touching `path` may run code; empty when it does not."""
    *folders, name = path.lower().split("/")
    for depth, folder in enumerate(folders):
        if folder in CONTROL_FOLDERS and (folder != "hooks" or depth == 0):  # src/hooks/ is React's, not git's
            return CONTROL_FOLDERS[folder]
    return next((why for pattern, why in CONTROL_NAMES.items() if fnmatchcase(name, pattern)), "")


def as_bytes(path: str) -> bytes:
    """The bytes git keeps for `path`."""
    return path.encode("utf-8", "surrogateescape")


def as_text(path: bytes) -> str:
    """The opposite of `as_bytes`; never fails."""
    return path.decode("utf-8", "surrogateescape")


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
