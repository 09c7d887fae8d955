"""What records look like outside. A selection is a tree of names of their tables."""

from medusa_payments.api.shapes.shape import Selection, stored
from medusa_payments.api.shapes.showing import SHAPES, complete, load, show

__all__ = ["SHAPES", "Selection", "complete", "load", "show", "stored"]
