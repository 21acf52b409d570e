"""Floor 4: one inbound event, start to end; the only place where the five layers meet.

`engine` finds the work, `work` is one turn in progress; `turns`, `talk`, `presses` and `effects` say what happens in
it.
"""

from bot.dispatcher.answers import capabilities
from bot.dispatcher.desk import HouseDesk
from bot.dispatcher.engine import Dispatcher
from bot.dispatcher.frost import Ordered, put_freeze
from bot.dispatcher.parts import Parts
from bot.dispatcher.turns import handler, rescuer
from bot.dispatcher.urgent import heed

__all__ = ["Dispatcher", "HouseDesk", "Ordered", "Parts", "capabilities", "handler", "heed", "put_freeze", "rescuer"]
