"""What was saved, added up by time, route, policy, model and key; in the store, for all workers and replicas.

Holds numbers and names of the configuration, models and hashed keys; never a text or a credential.
"""

from proxy.ledger.counts import CLUSTERS as CLUSTERS
from proxy.ledger.entry import Entry as Entry
from proxy.ledger.ledger import Ledger as Ledger
from proxy.ledger.sink import open_sink as open_sink
