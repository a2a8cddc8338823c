"""A page that shows running instances of foal-edge: one more subscriber, drawn by NiceGUI."""
