"""The ledger in a world where everything that can go wrong does, by one seed: the same seed is the same story.

Real writers (``Recorder``, its cache of heads, ``EpisodeLedger``) and real readers (``catch_up``, ``changes_since``, a
tail by position) work on a store that raises, loses acknowledgements, lets appends land late, repeats them, and lets
others in between. After each step a plain model, written from the rulebook, says what must be true.

``python -m tests.deterministic --seed S --steps N`` runs one world and prints its seed.
"""
