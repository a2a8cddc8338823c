"""TensorRT engines: one graph each, built for one device, kept beside the bundle."""
