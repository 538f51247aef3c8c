"""English function words: what stop-word removal removes. Data only."""

from __future__ import annotations

_WORDS = """
a an the this that these those such
i me my mine myself we us our ours ourselves you your yours yourself yourselves
he him his himself she her hers herself it its itself they them their theirs themselves one oneself
who whom whose which what
am is are was were be been being do does did doing done have has had having
can could may might must shall should will would ought
i'm i've i'd i'll you're you've you'll he's she's it's we're we've they're they've that's there's what's who's
about above across after against along among around as at before behind below beneath beside besides between
beyond by despite down during for from in inside into like near of off on onto out outside over past per since
than through throughout to toward towards under until unto up upon via with within without
and or nor but yet so if then else because although though while whereas whether unless
when where why how here there
also again already always another any anybody anyone anything both each either enough even ever every everybody
everyone everything few further just least less many more most much neither never no nobody none nothing not now
often once only other others own quite rather really same several some somebody someone something still too very
"""
STOP_WORDS = frozenset(_WORDS.split())
