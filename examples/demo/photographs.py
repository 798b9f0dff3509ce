"""Two real photographs, as scikit-learn's wheel carries them.

Both are licensed CC BY 2.0 (https://creativecommons.org/licenses/by/2.0/): `china.jpg` is by danielbuechele
(https://www.flickr.com/photos/danielbuechele/6061409035/), `flower.jpg` by vultilion
(https://www.flickr.com/photos/vultilion/6056698931/). The README.txt beside them says the same.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

NAMES: Final = ("china.jpg", "flower.jpg")


def photograph(name: str) -> bytes:
    """The bytes of one photograph."""
    # Only its files are wanted: importing scikit-learn itself would take a second and needs NumPy and SciPy.
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("scikit-learn, which carries the photographs, is not installed. Fix: `make setup`")
    return (Path(spec.origin).parent / "datasets" / "images" / name).read_bytes()
