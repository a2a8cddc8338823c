#!/usr/bin/env bash
# webrtcvad, and with it Resemblyzer, cannot be imported beside today's torch.
#
# Expected: `pip install resemblyzer` gives a speaker encoder that can be imported; every package that it needs is named
#   in somebody's metadata and was installed.
# Happens: Resemblyzer imports webrtcvad for its front end, and webrtcvad imports pkg_resources, only to read its own
#   version. It names no requirement. torch brings the newest setuptools, which has no pkg_resources any more: the import
#   ends with "No module named 'pkg_resources'". With setuptools 80 all is well.
# Versions: webrtcvad 2.0.10, setuptools 84.2.1 and 80.9.0; webrtcvad is built from source, which takes a C compiler.
# Known since: setuptools 80 warns of it at import; webrtcvad's last release is of 2017.
# How we live with it: Resemblyzer is installed without what it needs (--no-deps) and never imported: training reads the
#   weights out of its package, and has a front end of its own.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
try() {
  python3 -m venv "$room/$1"
  "$room/$1/bin/pip" install --quiet --disable-pip-version-check wheel "setuptools==$1" webrtcvad==2.0.10
  "$room/$1/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import metadata, version

about = metadata("webrtcvad")
try:
    import webrtcvad

    outcome = "imported"
except ModuleNotFoundError as error:
    outcome = str(error)
needs = about.get_all("Requires-Dist") or []
asked = sorted({need.split(";")[0].strip() for need in needs if "extra ==" not in need})
print(f"webrtcvad {version('webrtcvad')} with setuptools {version('setuptools')}, asks for {asked}: {outcome}")
expected = "imported" if version("setuptools").startswith("80") else "No module named 'pkg_resources'"
sys.exit(0 if outcome == expected and asked == [] else "the behaviour has changed")
PYTHON
}
try 80.9.0
try 84.2.1
