"""The MCP server: an IDE's assistant reads, leases, proposes and waits; people decide, elsewhere.

Takes a `Desk` and who asks, gives a `Session` on standard input and output or an application for loopback HTTP. It is
imported by name, when it is asked for: the SDK costs what a server without it need not pay.
"""

from bot.mcp.gate import Gate, Sessions
from bot.mcp.keeping import Keeper
from bot.mcp.tools import PATH, Tools, make_server, over_http, over_stdio

__all__ = ["PATH", "Gate", "Keeper", "Sessions", "Tools", "make_server", "over_http", "over_stdio"]
