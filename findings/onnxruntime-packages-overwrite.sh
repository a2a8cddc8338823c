#!/usr/bin/env bash
# onnxruntime and onnxruntime-gpu in one environment: pip installs the one for CPUs last, and calls the result sound.
#
# Expected: pip refuses two packages with the same files, or the order of the arguments decides which one is there; and
#   the removal of one leaves the other whole.
# Happens: in one command, whatever the order of its arguments, the package for CPUs is installed last, and its files
#   replace those of the other: CUDA is gone, `pip check` is content. An extra that adds onnxruntime-gpu to a package
#   that depends on onnxruntime therefore gives no GPU. Removing onnxruntime then removes the files of both, and leaves a
#   folder that can be imported and is empty. Installing onnxruntime-gpu once more puts everything right.
# Versions: onnxruntime 1.31.1, onnxruntime-gpu 1.31.1, pip 26.0; 290 MB are downloaded.
# Known since: that they share a folder from the first; the rest was found here. github.com/microsoft/onnxruntime
#   issue 26996 asks for a way to have both.
# How we live with it: docs/cuda.md has a second command after the extra, and the error of --backend cuda says so.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
pip() { "$room/venv/bin/python" -m pip --disable-pip-version-check "$@"; }
pip install --quiet pip==26.0
pip install --quiet numpy packaging protobuf flatbuffers
pip download --quiet --no-deps --dest "$room/wheels" onnxruntime==1.31.1 onnxruntime-gpu==1.31.1
seen() {
  "$room/venv/bin/python" - <<'PYTHON'
import onnxruntime

if hasattr(onnxruntime, "get_available_providers"):
    print("CUDA" if "CUDAExecutionProvider" in onnxruntime.get_available_providers() else "no CUDA")
else:
    print("an empty folder")
PYTHON
}
from_wheels=(--quiet --no-deps --no-index --find-links "$room/wheels")
results=()
for packages in "onnxruntime onnxruntime-gpu" "onnxruntime-gpu onnxruntime"; do
  pip install "${from_wheels[@]}" $packages
  pip check
  results+=("pip install $packages: $(seen)")
  pip uninstall --quiet --yes onnxruntime
  results+=("pip uninstall onnxruntime: $(seen)")
  pip install "${from_wheels[@]}" --force-reinstall onnxruntime-gpu
  results+=("pip install --force-reinstall onnxruntime-gpu: $(seen)")
  pip uninstall --quiet --yes onnxruntime-gpu
done
printf '%s\n' "${results[@]}"
expected="pip install onnxruntime onnxruntime-gpu: no CUDA
pip uninstall onnxruntime: an empty folder
pip install --force-reinstall onnxruntime-gpu: CUDA
pip install onnxruntime-gpu onnxruntime: no CUDA
pip uninstall onnxruntime: an empty folder
pip install --force-reinstall onnxruntime-gpu: CUDA"
[ "$(printf '%s\n' "${results[@]}")" = "$expected" ] || { echo "this is no longer so"; exit 1; }
