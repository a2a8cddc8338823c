#!/usr/bin/env bash
# An LSL outlet listens on every network interface, whatever its configuration says.
#
# Expected: with ListenAddress = 127.0.0.1, and the scope of discovery set to this machine, nothing of an outlet can be
#   reached from another machine.
# Happens: ListenAddress is that of the multicast sockets of discovery alone. The port that serves the data (TCP) and the
#   one that tells the time (UDP) are bound to 0.0.0.0, and no setting changes that. Data on them is not encrypted.
# Versions: pylsl 1.18.6, with liblsl 1.18.0.b6 in its wheel.
# Known since: found here; LSL's documentation asks for a trusted network, and does not say that a machine cannot keep to
#   itself.
# How we live with it: foal-edge bridge lsl starts with --insecure only, even on one machine.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check pylsl==1.18.6 numpy
"$room/venv/bin/python" - <<'PYTHON'
import ctypes
import os
import sys
from pathlib import Path

ctypes.CDLL(None).unshare(0x10000000 | 0x40000000)  # a network of its own where that is allowed: nobody is reached

import pylsl

pylsl.set_config_content(
    "[multicast]\nResolveScope = machine\nListenAddress = 127.0.0.1\n[ports]\nIPv6 = disable\n[log]\nlevel = -3\n"
)
outlet = pylsl.StreamOutlet(pylsl.StreamInfo("made", "Made", 1, 0, "float32", "made"))


def addresses(protocol: str) -> set[str]:
    """The local addresses of this process's sockets: hexadecimal, the bytes of the address in reverse order."""
    links = (os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if name.isdecimal() and
             os.path.islink(f"/proc/self/fd/{name}"))
    inodes = {link[8:-1] for link in links if link.startswith("socket:")}
    rows = [line.split() for line in Path(f"/proc/thread-self/net/{protocol}").read_text().splitlines()[1:]]
    return {row[1].partition(":")[0] for row in rows if row[9] in inodes}


seen = {protocol: addresses(protocol) for protocol in ("tcp", "udp")}
print("pylsl", pylsl.__version__, "liblsl", pylsl.library_info().split("/")[3])
print(seen)
if seen != {"tcp": {"00000000"}, "udp": {"00000000", "0100007F"}}:
    sys.exit("this is no longer so: the ports of an outlet are not bound to all interfaces")
print("told to listen at 127.0.0.1, its discovery does (0100007F), and its data port listens everywhere (00000000)")
PYTHON
