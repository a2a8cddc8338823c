"""A commit beside an earlier one: both installed, run in turn on the same recording, and compared."""
