"""The vision check: a picture as it will be delivered goes to a model that sees; what it saw is held against the spec.

No score out of ten: models agree neither with people nor with themselves there. A judge reads back labels and links,
which is compared with the spec; answers yes/no questions; and chooses between two finalists, asked in both orders.
Pictures that were spoilt on purpose measure each judge, and one that misses too many is not asked any more.
"""

from layers.presentation.judge.answers import Sight
from layers.presentation.judge.canaries import Recall, recalls, record
from layers.presentation.judge.service import Answered, Ask, Judge, Opinion, Question, Shot

__all__ = ["Answered", "Ask", "Judge", "Opinion", "Question", "Recall", "Shot", "Sight", "recalls", "record"]
