#!/usr/bin/env bash
# rosbags writes an array of integers, or of the other byte order, into a field of floats as it lies in memory.
#
# Expected: an int64 array in a float64[] field is converted, or refused with an error as a float32 array is.
# Happens: whatever has the same size in bytes is written as raw bits, unsaid: 1, 2, 3 become 5e-324, 1e-323, 1.5e-323 for
#   every reader, and big-endian floats become nonsense.
# Versions: rosbags 0.11.9, numpy 2.4.6.
# Known since: found here.
# How we live with it: the bags of the bridge have no arrays of numbers; whoever adds one converts it first, with
#   np.ascontiguousarray(values, dtype).
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check rosbags==0.11.9 numpy==2.4.6
"$room/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from rosbags.typesys import Stores, get_typestore

KIND = "std_msgs/msg/Float64MultiArray"
store = get_typestore(Stores.ROS2_HUMBLE)


def read_back(values: np.ndarray) -> object:
    message = store.types[KIND](store.types["std_msgs/msg/MultiArrayLayout"]([], 0), values)
    try:
        return store.deserialize_cdr(store.serialize_cdr(message, KIND), KIND).data.tolist()
    except ValueError as error:
        return f"ValueError: {error}"


values = [1.0, 2.0, 3.0]
seen = {kind: read_back(np.array(values, kind)) for kind in ("<f8", "<i8", ">f8", "<f4")}
print("rosbags", version("rosbags"), "numpy", np.__version__)
for kind, result in seen.items():
    print(f"{values} as {kind}: {result}")
if seen["<f8"] != values:
    sys.exit("float64 does not survive: this script is wrong")
bits = {kind: np.array(values, kind).view("<f8").tolist() for kind in ("<i8", ">f8")}
if {kind: seen[kind] for kind in bits} != bits or not str(seen["<f4"]).startswith("ValueError"):
    sys.exit("this is no longer so: other types are converted or refused")
print("what has the same size was written as raw bits, what has not was refused")
PYTHON
