"""A fleet of ten nodes on one machine, in networks of their own, and what befalls some of them."""
