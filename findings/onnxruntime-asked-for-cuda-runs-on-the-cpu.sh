#!/usr/bin/env bash
# ONNX Runtime that is asked for CUDA alone, with its fallback switched off, runs on the CPU and raises nothing.
#
# Expected: a session for which CUDAExecutionProvider is the only one in the list, made with enable_fallback=0, is an error
#   where there is no GPU; and CUDA is not among the available providers there.
# Happens: on a machine without a GPU or driver get_available_providers lists CUDA, and the session opens on the CPU;
#   disable_fallback() changes nothing. The reason is a line on stderr, and none at all where logging is off. Of the
#   options only the entry session.disable_cpu_ep_fallback refuses, and it also refuses a graph of which a node that
#   computes shapes alone is on the CPU by design.
# Versions: onnxruntime-gpu 1.31.1, onnx 1.23.2, numpy 2.4.6, on a machine without NVIDIA's driver; 260 MB are downloaded.
# Known since: github.com/microsoft/onnxruntime issues 17801 and 23647, both closed; the documentation does not say it.
# How we live with it: the providers of a session are compared with what was asked for, the driver and the libraries are
#   looked for beforehand, and nodes on the CPU are refused by that entry, or by the capture of a CUDA graph.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime-gpu==1.31.1 onnx==1.23.2 numpy==2.4.6
"$room/venv/bin/python" - <<'PYTHON'
import ctypes
import sys

import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

try:
    ctypes.CDLL("libcuda.so.1")
    sys.exit("run this on a machine without NVIDIA's driver")
except OSError:
    pass

sides = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, [2])] for name in "xy"]
graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "negate", *sides)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)


def opened(**entries: str) -> object:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    for key, value in entries.items():
        options.add_session_config_entry(key.replace("__", "."), value)
    providers = ["CUDAExecutionProvider"]
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, providers=providers, enable_fallback=0)
    except Exception as error:
        return type(error).__name__
    session.disable_fallback()
    return session.get_providers()


seen = {
    "CUDA is available": "CUDAExecutionProvider" in ort.get_available_providers(),
    "asked for CUDA alone": opened(),
    "asked for CUDA alone, strictly": opened(session__disable_cpu_ep_fallback="1"),
}
print("onnxruntime-gpu", ort.__version__)
for what, result in seen.items():
    print(f"{what}: {result}")
expected = {
    "CUDA is available": True,
    "asked for CUDA alone": ["CPUExecutionProvider"],
    "asked for CUDA alone, strictly": "Fail",
}
if seen != expected:
    sys.exit("this is no longer so: look at what --backend cuda checks")
PYTHON
