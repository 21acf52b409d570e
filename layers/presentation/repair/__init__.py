"""What is tried when a drawing does not pass: first without a model (`ladder`), then by a model (`patch`).

The drawing with the least wrong wins; nothing here makes a bad one pass.
"""

from layers.presentation.repair.ladder import Attempt, badness, is_repairable, ladder
from layers.presentation.repair.patch import MOST_PATCHES, Patch, patch_prompt, read_patch

__all__ = [
    "MOST_PATCHES",
    "Attempt",
    "Patch",
    "badness",
    "is_repairable",
    "ladder",
    "patch_prompt",
    "read_patch",
]
