"""The first start: makes the home, its keys' folder and a bulkhead.toml to begin with."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from layers.errors import Misconfigured

FILE_NAME = "bulkhead.toml"

TEMPLATE = """\
# Who may do what with this Bulkhead. Read at start; `bulkhead doctor` checks it.

# One table for each person. The name after `people.` is their id: it stands in the audit trail, so do not reuse it.
# Only an approver's press on Approve counts. Without any approver nothing that changes something can run.
[people.owner]
name = "Owner"
approver = true

# [people.anna]
# name = "Anna"
# approver = false
# roles = ["deployer"]                       # policy.cedar speaks of them
# scopes = ["workspace", "deploy.web"]       # where they may approve; left out, everywhere
# identities = ["telegram:123456789", "slack:T012AB3CD:U045EF6GH"]   # their accounts: ids, never names
# People can also be let in while Bulkhead runs: whoever writes to it gets a code, and you press a button.

# The git work tree that `/patch` changes and `workspace.*` capabilities work in; relative to this file's folder.
# It is made at first start if it does not exist.
[workspace]
path = "workspace"
# foreign = "park"    # an edit that you saved in a patched file and did not commit: the patch waits, and a copy of the
#                     # edit is kept; "adopt" commits it and merges the patch with it, "block" keeps no copy

# Other git work trees, and bare repositories, that are coordinated too. Each must be there already.
# `/patch in=site` is for this one, and its patches lie in the scope `workspace.files.site`.
# [workspaces.site]
# path = "/srv/site"
# foreign = "park"
# local_only = true    # whatever names it, or its folder, is asked of models on this machine only; under [workspace]
#                      # this holds for every question, since the agent works there

# Checkpoints of the audit trail are told to a conversation. One in Slack or Telegram is a witness that this machine
# cannot change; the page is none.
# [audit]
# conversation = "slack:T012AB3CD/C045EF6GH"

# How a provider's account is used; the agent can neither read nor change it. What is not set stays at the provider's
# defaults. Channels: telegram, slack, mail.
# [transport.mail]
# daily = 200                    # messages in any 24 hours; a new account begins with 20 and grows over two weeks
# allow = ["*@example.org"]      # the only ones that are written to
# quiet_hours = "22:00-07:00"    # what nobody asked for waits until they end
# timezone = "Europe/Berlin"
"""


def first_start(home: Path) -> tuple[Path, ...]:
    """Make the home what it must be (folder 0700, `keys` 0700, bulkhead.toml 0600); what had to be created.

    Raises:
        Misconfigured: the home is a file, or this user cannot write there.
    """
    created = []
    try:
        for folder in (home, home / "keys"):
            if not folder.is_dir():
                folder.mkdir(mode=0o700, parents=True)
                created.append(folder)
        if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(13, "it is read-only for this user")
        if write_private(home / FILE_NAME, TEMPLATE.encode()):
            created.append(home / FILE_NAME)
    except (FileExistsError, NotADirectoryError):
        raise Misconfigured(
            f"BULKHEAD_HOME is {str(home)!r} and that, or a part of it, is a file; name a folder."
        ) from None
    except OSError as error:
        raise Misconfigured(
            f"BULKHEAD_HOME is {str(home)!r} and cannot be written to ({error.strerror}); "
            "make it writable for this user or name another folder."
        ) from None
    return tuple(created)


def write_private(path: Path, content: bytes) -> bool:
    """Create a file that only this user reads (0600); False, and nothing written, where there is one already.

    The content is complete before the name exists: a crash leaves no empty key behind.
    """
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(draft)
    return True
