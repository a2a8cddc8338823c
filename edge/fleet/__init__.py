"""Fleet: one address for the messages of many nodes."""
