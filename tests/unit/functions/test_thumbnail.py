"""media.thumbnail: what it makes of pictures, and of what only looks like one."""

import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from jobs import thumbnail
from jobs.thumbnail import MAX_PIXELS, MakeThumbnail, make_thumbnail, shrink
from tidemill import PermanentError
from tidemill.domain.errors import InvalidArgsError
from tidemill.testing import context

RED, BLUE = (220, 20, 20), (20, 20, 220)
CONTEXT = context(make_thumbnail)
ORIENTATION, GPS = 0x0112, 0x8825


def encoded(image: Image.Image, format_: str = "JPEG", **options: Any) -> bytes:
    target = BytesIO()
    image.save(target, format_, **options)
    return target.getvalue()


def picture(width: int = 800, height: int = 400) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def is_near(pixel: Any, colour: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(pixel[:3], colour, strict=True))


@pytest.mark.parametrize("format_", ["jpeg", "png", "webp"])
def test_the_thumbnail_has_the_width_the_proportions_and_the_format_asked_for(format_: str) -> None:
    data, size = shrink(encoded(picture()), 320, format_, "p")
    made = opened(data)
    assert (made.size, size, made.format) == ((320, 160), (320, 160), format_.upper())
    assert is_near(made.convert("RGB").getpixel((20, 80)), RED)
    assert is_near(made.convert("RGB").getpixel((300, 80)), BLUE)


def test_a_small_picture_is_not_enlarged() -> None:
    assert shrink(encoded(picture(100, 50)), 320, "jpeg", "p")[1] == (100, 50)


def test_a_picture_taken_sideways_stands_upright_and_keeps_to_the_width() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # the camera was turned: the left edge is the top
    data, size = shrink(encoded(picture(), exif=exif), 200, "jpeg", "p")
    assert size == (200, 400)
    assert is_near(opened(data).getpixel((100, 20)), RED)
    assert is_near(opened(data).getpixel((100, 380)), BLUE)


def test_a_thumbnail_does_not_say_where_the_picture_was_taken() -> None:
    exif = Image.Exif()
    exif.get_ifd(GPS)[1] = "N"
    source = encoded(picture(), exif=exif)
    assert opened(source).getexif().get_ifd(GPS)
    for format_ in ("jpeg", "png", "webp"):
        assert not opened(shrink(source, 64, format_, "p")[0]).getexif()


def test_what_is_transparent_is_white_in_a_jpeg() -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    data, _ = shrink(encoded(clear, "PNG"), 32, "jpeg", "p")
    assert opened(data).getpixel((16, 16)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
@pytest.mark.parametrize("format_", ["jpeg", "png", "webp"])
def test_every_kind_of_pixel_can_be_read(mode: str, format_: str) -> None:
    source = encoded(picture().convert("L" if mode == "I;16" else mode), "JPEG" if mode == "CMYK" else "PNG")
    if mode == "I;16":
        source = encoded(Image.new("I;16", (800, 400), 30_000), "PNG")
    assert opened(shrink(source, 80, format_, "p")[0]).size == (80, 40)


def test_a_very_tall_picture_stays_within_three_widths() -> None:
    assert shrink(encoded(picture(100, 4000)), 50, "jpeg", "p")[1] == (4, 150)


def test_the_same_picture_gives_the_same_bytes() -> None:
    source = encoded(picture())
    assert shrink(source, 320, "jpeg", "p") == shrink(source, 320, "jpeg", "p")


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"no picture at all",
        encoded(picture())[:2000],
        encoded(picture(), "PNG")[:200],
        encoded(picture(), "PNG").replace(b"IDAT", b"IDAX"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        encoded(picture(), "BMP"),
    ],
    ids=["empty", "text", "half a JPEG", "half a PNG", "broken PNG", "PostScript", "a format not taken"],
)
def test_what_is_no_picture_is_a_permanent_error_that_names_it(source: bytes) -> None:
    with pytest.raises(PermanentError, match=r"^s3://b/k is no JPEG, PNG or WebP picture"):
        shrink(source, 64, "jpeg", "s3://b/k")


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises more pixels than its few bytes could ever be worth."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "side", [7_000, 10_000, 60_000], ids=["over ours", "over Pillow's warning", "over Pillow's error"]
)
def test_a_decompression_bomb_is_refused_before_it_is_decoded(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image.Image, "thumbnail", lambda *_: pytest.fail("decoded"))
    assert side * side > MAX_PIXELS
    with pytest.raises(PermanentError, match="pixels"):
        shrink(bomb(side, side), 64, "jpeg", "p")


class Bucket:
    """The two calls of S3 that the job makes."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = {("photos", key): data for key, data in objects.items()}
        self.written: dict[str, str] = {}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - S3's own names
        if (Bucket, Key) not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "no such key"}}, "GetObject")
        data = self.objects[Bucket, Key]
        return {"Body": BytesIO(data), "ContentLength": len(data)}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803
        self.objects[Bucket, Key] = Body
        self.written[f"{Bucket}/{Key}"] = ContentType


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    bucket = Bucket(photo=encoded(picture()), text=b"hello")
    monkeypatch.setattr(thumbnail, "storage", lambda: bucket)
    return bucket


def test_the_job_writes_the_thumbnail_and_says_what_it_wrote(bucket: Bucket) -> None:
    made = make_thumbnail(MakeThumbnail(bucket="photos", key="photo", width=320, format="webp"), CONTEXT)
    data = bucket.objects["photos", "thumbnails/320/photo.webp"]
    assert (made.bucket, made.key) == ("photos", "thumbnails/320/photo.webp")
    assert (made.width, made.height, made.size) == (320, 160, len(data))
    assert len(made.sha256) == 64
    assert bucket.written == {"photos/thumbnails/320/photo.webp": "image/webp"}


def test_the_thumbnail_goes_where_the_caller_says(bucket: Bucket) -> None:
    make_thumbnail(MakeThumbnail(bucket="photos", key="photo", width=64, target_bucket="out", target_key="t"), CONTEXT)
    assert bucket.written == {"out/t": "image/jpeg"}


def test_an_object_that_is_no_picture_writes_nothing(bucket: Bucket) -> None:
    with pytest.raises(PermanentError, match="s3://photos/text is no JPEG"):
        make_thumbnail(MakeThumbnail(bucket="photos", key="text", width=64), CONTEXT)
    assert not bucket.written


def test_an_object_that_is_too_large_is_not_read(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnail, "MAX_SOURCE_BYTES", 100)
    with pytest.raises(PermanentError, match="more than 100"):
        make_thumbnail(MakeThumbnail(bucket="photos", key="photo", width=64), CONTEXT)


def test_a_missing_object_is_the_error_of_s3_itself(bucket: Bucket) -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        make_thumbnail(MakeThumbnail(bucket="photos", key="missing", width=64), CONTEXT)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"width": 15}, "args.width"),
        ({"width": 4097}, "args.width"),
        ({"width": "320"}, "args.width"),
        ({"format": "bmp"}, "args.format"),
        ({"bucket": "ab"}, "args.bucket"),
        ({"key": ""}, "args.key"),
        ({"quality": 90}, "args.quality"),
        ({"target_key": "photo"}, "args"),
    ],
)
def test_bad_arguments_name_their_field(changed: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        MakeThumbnail.from_input({"bucket": "photos", "key": "photo", "width": 320} | changed)
    assert [violation.field for violation in refused.value.violations] == [field]
