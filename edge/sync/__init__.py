"""Sound and picture on one time: the sound card's clock, and the skew between both."""
