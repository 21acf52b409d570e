"""The sequence diagram: its spec in, one scene or several pages out.

`rows` makes the steps a flat list that knows its state; `columns` finds the x of each lifeline on a page; `paging` cuts
the list where the pages stay legible; `page` puts the parts on a sheet.
"""

from layers.presentation.drawing.sequence.paging import plan_sequence

__all__ = ["plan_sequence"]
