"""Backends of ONNX Runtime on an NVIDIA GPU: by its CUDA provider, and by its TensorRT provider."""
