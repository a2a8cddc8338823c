"""Preprocessing that training and the runtime share: media, framing, windowing."""
