"""The demo: a local cloud, the unmodified `cdk deploy`, and real jobs whose every outcome is checked.

    python -m examples.demo

Everything happens on this machine: the cloud listens on loopback and ends with the demo.
"""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# `jobs` and `orders` are imported here under the names that they have inside Lambda.
sys.path.insert(0, str(REPOSITORY / "functions"))
sys.path.insert(1, str(REPOSITORY / "examples" / "orders" / "functions"))
