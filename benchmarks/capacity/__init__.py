"""Capacity of nodes: their loop on simulated time, with the measured costs of the graphs and of what is around them."""
