"""From the texts of a request to a remembered decision for each.

`pipeline.py` is the way through: what is remembered (`recall.py`, `history.py`), what is left alone at a glance,
what is being decided already (`flights.py`), and what goes to a compressor (`jobs.py`) and comes back from it
(`verdicts.py`). Knows neither HTTP nor where texts sit in a body.
"""

from proxy.pipeline.order import CacheFloor, Order
from proxy.pipeline.pipeline import Decided, Pipeline

__all__ = ["CacheFloor", "Decided", "Order", "Pipeline"]
