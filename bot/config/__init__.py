"""What the operator decides. Takes the environment, `.env` and `bulkhead.toml`, gives frozen values, read once.

`Settings` are about the machine and come from variables (BULKHEAD_...); `BulkheadFile` is about people and places and
lives in BULKHEAD_HOME. Whatever is wrong with either is one sentence: where, which value, what to do.
"""

from bot.config.file import FIRST_WORKSPACE, BulkheadFile, PersonTable, WorkspaceTable, is_somebody, load_file
from bot.config.home import FILE_NAME, TEMPLATE, first_start, write_private
from bot.config.settings import ENV_FILE, PREFIX, Settings, env_example, load_settings
from bot.config.transport import TransportTable

__all__ = [
    "ENV_FILE",
    "FILE_NAME",
    "FIRST_WORKSPACE",
    "PREFIX",
    "TEMPLATE",
    "BulkheadFile",
    "PersonTable",
    "Settings",
    "TransportTable",
    "WorkspaceTable",
    "env_example",
    "first_start",
    "is_somebody",
    "load_file",
    "load_settings",
    "write_private",
]
