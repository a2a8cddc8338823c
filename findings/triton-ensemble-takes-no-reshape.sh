#!/usr/bin/env bash
# A Triton ensemble whose input has the same configuration as that of the model which it feeds is refused, if it reshapes.
#
# Expected: an input that is one number a row, `dims: [ 1 ] reshape { }`, may be so declared by a model and by the ensemble
#   that hands its own input on to it; the documentation of `reshape` excludes no ensemble.
# Happens: the shapes are compared after the reshape on the ensemble's side and before it on the model's: "inconsistent
#   shape: [-1] is inferred from model whole while [-1,1] is inferred from model first", and the server does not start.
#   Without `reshape` in the ensemble alone both load.
# Versions: Triton 2.51.0, that of nvidia-pytriton 0.7.0, on a CPU; 170 MB are downloaded. Python 3.10 to 3.12 with its
#   shared library (Debian: libpython3-dev).
# Known since: github.com/triton-inference-server/server issue 7355, open.
# How we live with it: `python -m export triton` writes the ensemble's inputs without `reshape`.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check nvidia-pytriton==0.7.0
"$room/venv/bin/python" - "$room" <<'PYTHON'
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytriton

room, package = Path(sys.argv[1]), Path(pytriton.__path__[0])
server, version = package / "tritonserver", "%d.%d" % sys.version_info[:2]
shutil.copytree(server / "backends" / "python", room / "backends" / "python")
shutil.copy2(server / "python_backend_stubs" / version / "triton_python_backend_stub", room / "backends" / "python")

MODEL = """
import triton_python_backend_utils as triton


class TritonPythonModel:
    def execute(self, requests):
        return [
            triton.InferenceResponse([triton.Tensor("y", triton.get_input_tensor_by_name(each, "x").as_numpy()[:, None])])
            for each in requests
        ]
"""
TENSORS = """
max_batch_size: 4
input {{ name: "x" data_type: TYPE_INT64 dims: 1 {reshape} }}
output {{ name: "y" data_type: TYPE_INT64 dims: 1 }}
"""
ENSEMBLE = """
platform: "ensemble"
ensemble_scheduling {
  step {
    model_name: "first"
    model_version: -1
    input_map { key: "x" value: "x" }
    output_map { key: "y" value: "y" }
  }
}
"""
RESHAPE = "reshape { }"


def start(ensemble_reshapes: bool) -> str:
    """What the server says of an ensemble, until it says that it listens or ends."""
    repository = room / f"models-{ensemble_reshapes}"
    for name, more in (("first", 'backend: "python"'), ("whole", ENSEMBLE)):
        (repository / name / "1").mkdir(parents=True)
        reshape = RESHAPE if name == "first" or ensemble_reshapes else ""
        (repository / name / "config.pbtxt").write_text(TENSORS.format(reshape=reshape) + more)
    (repository / "first" / "1" / "model.py").write_text(MODEL)
    libraries = [package.parent / "nvidia_pytriton.libs", sysconfig.get_config_var("LIBDIR")]
    command = [server / "bin" / "tritonserver", "--model-repository", repository, "--backend-directory", room / "backends"]
    command += ["--allow-http", "false", "--allow-metrics", "false", "--grpc-address", "127.0.0.1", "--grpc-port", "0"]
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(package.parent),
    }
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        said = []
        for line in process.stdout:
            said.append(line)
            if "Started GRPCInferenceService" in line:
                break
        process.kill()
    return "".join(said)


print("nvidia-pytriton", pytriton.__version__)
seen = {}
for reshapes in (True, False):
    said = start(reshapes)
    problem = [line for line in said.splitlines() if "inconsistent shape" in line]
    seen[reshapes] = "refused" if problem else "loaded" if "Started GRPCInferenceService" in said else said[-2000:]
    print("the ensemble reshapes too:" if reshapes else "the model alone reshapes:", seen[reshapes], *problem)
if seen != {True: "refused", False: "loaded"}:
    sys.exit("this is no longer so: look at how the export writes an ensemble")
PYTHON
