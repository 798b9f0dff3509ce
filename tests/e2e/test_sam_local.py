"""Every function under `sam local invoke`, in Lambda's own image, on the stack of the local cloud.

Skipped where there is no Docker engine, no SAM command line or no image of Lambda; see docs/sam-local.md.
"""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest
from PIL import Image

from examples.demo.photographs import photograph
from tidemill.local import LocalCloud

pytestmark = pytest.mark.slow

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LAMBDA_IMAGE = f"public.ecr.aws/lambda/python:{PYTHON}"
# Lambda's image, and where AWS is.
IMAGE = "tidemill-sam-test"
HOST = "host.docker.internal"
PICTURES = "tidemill-media"
ASKING_S = 20
# SAM builds an image with the layers for every call, which takes seconds.
INVOKING_S = 180


def docker(*words: str, stdin: str = "") -> str:
    done = subprocess.run(
        ["docker", *words], input=stdin, capture_output=True, text=True, check=True, timeout=INVOKING_S
    )
    return done.stdout.strip()


def answers(*words: str) -> bool:
    """Whether the program is there, does not hang and succeeds."""
    try:
        return subprocess.run(words, capture_output=True, check=False, timeout=ASKING_S).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@pytest.fixture(scope="session")
def engine() -> None:
    """What has to be there first. It comes before the local cloud, so that a skip costs nothing."""
    for program in ("docker", "sam"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no `{program}` on PATH")
    if not answers("docker", "version"):
        pytest.skip("no Docker engine answers")
    if not answers("docker", "image", "inspect", LAMBDA_IMAGE):
        pytest.skip(f"the engine has no image {LAMBDA_IMAGE}: docker pull {LAMBDA_IMAGE}")


class Relay(BaseRequestHandler):
    """Hands a container's connection on to the local cloud, which listens on loopback alone."""

    def handle(self) -> None:
        with socket.create_connection(self.server.cloud) as cloud:
            back = Thread(target=copy, args=(cloud, self.request))
            back.start()
            copy(self.request, cloud)
            back.join()


def copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def bridge_address() -> str:
    """This machine as containers of the default network see it."""
    network = json.loads(docker("network", "inspect", "bridge"))[0]["IPAM"]["Config"][0]
    return network.get("Gateway") or str(next(ip_network(network["Subnet"]).hosts()))


@pytest.fixture(scope="session")
def port(engine: None, cloud: LocalCloud) -> Iterator[int]:
    """Where containers reach the local cloud. Docker Desktop's do so directly: its bridge is not on this machine."""
    try:
        relay = ThreadingTCPServer((bridge_address(), 0), Relay)
    except OSError:
        yield cloud.running.port
        return
    relay.cloud = ("127.0.0.1", cloud.running.port)
    relay.daemon_threads = True
    with relay:
        Thread(target=relay.serve_forever, daemon=True).start()
        yield relay.server_address[1]
        relay.shutdown()


@pytest.fixture(scope="session")
def image(port: int) -> Iterator[str]:
    docker("build", "-t", IMAGE, "-", stdin=f"FROM {LAMBDA_IMAGE}\nENV AWS_ENDPOINT_URL=http://{HOST}:{port}\n")
    yield IMAGE
    docker("image", "rm", "--force", IMAGE)


@pytest.fixture(scope="session")
def invoke(image: str, cloud: LocalCloud, repository: Path, tmp_path_factory) -> Callable[[str, str], Any]:
    """Run one function with one of `events/`: its answer."""
    variables = json.loads(cloud.outputs("tidemill")["Settings"])
    del variables["TIDEMILL_LANE"]  # each worker's template says its own
    chosen = tmp_path_factory.mktemp("sam") / "variables.json"
    chosen.write_text(json.dumps({"Parameters": variables}))
    options = {
        "--config-file": repository / "samconfig.toml",  # SAM looks beside the template
        "--config-env": "local",
        "--template-file": cloud.folder.assembly / "tidemill.template.json",
        "--env-vars": chosen,
        "--invoke-image": image,
    }

    def run(function: str, event: str) -> Any:
        words = [*("--event", f"events/{event}.json"), *(str(word) for pair in options.items() for word in pair)]
        done = subprocess.run(
            ["sam", "local", "invoke", function, *words],
            cwd=repository,
            env=cloud.environment | {"SAM_CLI_TELEMETRY": "0"},
            capture_output=True,
            text=True,
            check=False,
            timeout=INVOKING_S,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip(), done.stderr
        return json.loads(done.stdout)

    return run


def staying(answer: Any) -> list[str]:
    """The last two digits of the messages that stay on their queue."""
    return [failure["itemIdentifier"][-2:] for failure in answer["batchItemFailures"]]


def test_the_api_accepts_a_job(invoke):
    answer = invoke("Api", "api_submit_valid")

    assert answer["statusCode"] == 202
    assert json.loads(answer["body"])["state"] == "queued"


def test_the_janitor_ticks(invoke):
    assert set(invoke("Janitor", "janitor_tick")) == {"sent", "deaths", "batch_ends"}


def test_the_default_worker_keeps_the_bad_message_alone(invoke):
    assert staying(invoke("WorkerDefault", "worker_batch")) == ["03"]


def test_the_critical_worker_runs_plain_messages(invoke):
    assert staying(invoke("WorkerCritical", "worker_plain")) == []


def test_the_bulk_worker_makes_a_thumbnail_and_keeps_what_cannot_be_one(invoke, cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=PICTURES)
    s3.put_object(Bucket=PICTURES, Key="photographs/china.jpg", Body=photograph("china.jpg"))
    s3.put_object(Bucket=PICTURES, Key="photographs/README.txt", Body=b"Image: china.jpg")

    answer = invoke("WorkerBulk", "worker_thumbnail")

    assert staying(answer) == ["62", "63"]
    made = s3.get_object(Bucket=PICTURES, Key="thumbnails/320/photographs/china.jpg.jpeg")["Body"].read()
    assert Image.open(BytesIO(made)).size == (320, 214)
