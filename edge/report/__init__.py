"""Report of an annotation or a recorded run: one page that opens offline."""
