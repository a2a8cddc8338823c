"""The live pipeline: from frames and blocks to published predictions."""
