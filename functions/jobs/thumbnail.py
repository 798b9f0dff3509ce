"""Makes a thumbnail of a picture, from bucket to bucket."""

from hashlib import sha256
from io import BytesIO
from threading import Lock
from typing import Final, Literal, Self

from PIL import ExifTags, Image, ImageOps
from pydantic import BaseModel, Field, model_validator

from jobs.storage import storage
from tidemill import JobArgs, JobContext, PermanentError, Retry, job, minutes, seconds

# The worker has 512 MB. Ten jobs of a batch may hold a source each, and one of them its pixels:
# 10 x 20 MB + 40,000,000 pixels x 4 bytes = 360 MB.
MAX_SOURCE_BYTES: Final = 20_000_000
MAX_PIXELS: Final = 40_000_000
# The height of a thumbnail in widths. Within it, the widest one stays below the 16,383 pixels of WebP.
TALLEST: Final = 3
# The formats that a camera, a browser or a scanner hands over. Each further one is a decoder more to attack.
READABLE: Final = ("JPEG", "PNG", "WEBP")
# Orientations of the Exif standard that turn the picture by a quarter.
_ON_ITS_SIDE: Final = frozenset({5, 6, 7, 8})

# The pixels of one picture at a time: see MAX_SOURCE_BYTES. Downloads and uploads still overlap.
_decoding = Lock()


class MakeThumbnail(JobArgs, kind="media.thumbnail"):
    """Which picture, how wide, and where to.

    Without `target_bucket` it goes to the source's bucket, without `target_key` to `thumbnails/<width>/<key>.<format>`.
    """

    bucket: str = Field(min_length=3, max_length=63)
    key: str = Field(min_length=1, max_length=900)
    width: int = Field(ge=16, le=4096)
    format: Literal["jpeg", "png", "webp"] = "jpeg"
    target_bucket: str | None = Field(default=None, min_length=3, max_length=63)
    target_key: str | None = Field(default=None, min_length=1, max_length=1024)

    @model_validator(mode="after")
    def _spares_the_source(self) -> Self:
        if self.target == (self.bucket, self.key):
            raise ValueError("the thumbnail would overwrite its source. Fix: choose another target_key")
        return self

    @property
    def target(self) -> tuple[str, str]:
        """Bucket and key of the thumbnail."""
        key = self.target_key or f"thumbnails/{self.width}/{self.key}.{self.format}"
        return self.target_bucket or self.bucket, key


class Thumbnail(BaseModel):
    """The thumbnail that was made."""

    bucket: str
    key: str
    width: int
    height: int
    format: str
    size: int
    sha256: str


@job(MakeThumbnail, lane="bulk", retry=Retry(max_attempts=5, base=seconds(2), cap=minutes(5)), timeout=minutes(1))
def make_thumbnail(args: MakeThumbnail, _: JobContext) -> Thumbnail:
    """Read the picture, shrink it, write the thumbnail.

    The same picture gives the same bytes under the same key, so that a repeated attempt changes nothing.

    Raises:
        PermanentError: the object is no picture, or one too large to decode.
    """
    data, image = shrink(_read(args.bucket, args.key), args.width, args.format, f"s3://{args.bucket}/{args.key}")
    bucket, key = args.target
    storage().put_object(Bucket=bucket, Key=key, Body=data, ContentType=f"image/{args.format}")
    return Thumbnail(
        bucket=bucket,
        key=key,
        width=image[0],
        height=image[1],
        format=args.format,
        size=len(data),
        sha256=sha256(data).hexdigest(),
    )


def shrink(source: bytes, width: int, format_: str, name: str) -> tuple[bytes, tuple[int, int]]:
    """The picture in `source`, upright and at most `width` wide, encoded; and its width and height.

    Pictures are never enlarged. Metadata is left behind: it may say where the picture was taken.

    Arguments:
        name: what to call the picture in an error.

    Raises:
        PermanentError: `source` is no whole JPEG, PNG or WebP picture, or has too many pixels.
    """
    with _decoding:
        try:
            with Image.open(BytesIO(source), formats=READABLE) as image:
                # The header says so; nothing is decoded yet.
                _check_pixels(image, name)
                box = (width, width * TALLEST)
                on_its_side = image.getexif().get(ExifTags.Base.Orientation) in _ON_ITS_SIDE
                pixels = _mixable(image)
                pixels.thumbnail(box[::-1] if on_its_side else box)
                upright = ImageOps.exif_transpose(pixels)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise PermanentError(f"{name} would decode to more than {MAX_PIXELS:,} pixels") from None
        # Pillow's readers raise any of these for bytes that are not what they seem.
        except (OSError, SyntaxError, ValueError) as error:
            raise PermanentError(f"{name} is no JPEG, PNG or WebP picture: {error}") from None
        encoded = BytesIO()
        _fit_for(format_, upright).save(encoded, format_)
        return encoded.getvalue(), upright.size


def _read(bucket: str, key: str) -> bytes:
    found = storage().get_object(Bucket=bucket, Key=key)
    with found["Body"] as body:
        if found["ContentLength"] > MAX_SOURCE_BYTES:
            raise PermanentError(
                f"s3://{bucket}/{key} has {found['ContentLength']:,} bytes, more than {MAX_SOURCE_BYTES:,}"
            )
        return body.read()


def _check_pixels(image: Image.Image, name: str) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise PermanentError(f"{name} has {image.width} x {image.height} pixels, more than {MAX_PIXELS:,}")


def _mixable(image: Image.Image) -> Image.Image:
    """The image in a mode whose neighbouring pixels can be averaged."""
    match image.mode:
        case "P":
            return image.convert("RGBA")
        case "I;16":
            return image.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")
        case _:
            return image


def _fit_for(format_: str, image: Image.Image) -> Image.Image:
    """The image in a mode that `format_` can hold; what was transparent is white in a JPEG."""
    if format_ != "jpeg":
        return image if image.mode in {"L", "RGB", "RGBA"} else image.convert("RGBA")
    if not image.has_transparency_data:
        return image.convert("RGB")
    opaque = Image.new("RGB", image.size, "white")
    coloured = image.convert("RGBA")
    opaque.paste(coloured, mask=coloured)
    return opaque
