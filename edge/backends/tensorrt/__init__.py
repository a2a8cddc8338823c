"""Backend of TensorRT and TensorRT-RTX: engines built, kept and run on an NVIDIA GPU."""
