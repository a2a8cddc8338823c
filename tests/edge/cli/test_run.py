"""The run of the command line: what it imports."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
UNUSED = ["asyncio", "prometheus_client", "rich", "sounddevice"]
RUN = ["--demo", "--fast", "--quiet", "--bind", "off", "--control", "off", "--backend", "onnxruntime", "--threads", "1"]


def test_a_run_imports_nothing_that_it_does_not_use() -> None:
    code = (
        f"import sys; sys.argv[1:] = {RUN}\nfrom edge.__main__ import main\ntry:\n    main()\n"
        f"finally:\n    print([name for name in {UNUSED} if name in sys.modules], file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr.splitlines()[-1:]) == (0, ["[]"])
