"""Orders of a shop that sells CDs: a saga on a real data set, with books that must balance whatever fails."""

import sys
from pathlib import Path

APPLICATION = Path(__file__).resolve().parent

# `orders` is imported here under the name that it has inside Lambda.
sys.path.append(str(APPLICATION / "functions"))
