"""The programs of docs/batches.md do what the page says."""

from examples.guide import album, nightly
from tidemill import JobContext, JobRegistry, PermanentError, job
from tidemill.batches import BatchState
from tidemill.testing import Harness


def test_an_album_is_published_once():
    with Harness(album.registry) as tide:
        batch_id = album.publish(tide.client, 7, ["a", "b", "c"])
        assert album.publish(tide.client, 7, ["a", "b", "c"]) == batch_id
        tide.drain()

        view = tide.client.batches.get(batch_id)
        assert (view.state, view.succeeded) == (BatchState.SUCCEEDED, 3)
        assert [one.value for one in tide.client.batches.results(batch_id)] == ["small/a", "small/b", "small/c"]
        (told,) = [one for one in tide.jobs() if one.kind == "album.ready"]
        assert tide.client.result(told.ref.id) == "album 7: 3 of 3"


def test_an_album_of_broken_pictures_says_which():
    @job(album.Resize)
    def broken(args: album.Resize, _: JobContext) -> None:
        raise PermanentError(args.key)

    with Harness(JobRegistry(broken, album.album_ready, album.album_broken)) as tide:
        batch_id = album.publish(tide.client, 7, ["a", "b", "c"])
        tide.drain_until_idle()

        assert tide.client.batches.get(batch_id).state is BatchState.FAILED
        (told,) = [one for one in tide.jobs() if one.kind == "album.broken"]
        assert tide.client.result(told.ref.id) == [0, 1, 2]


def test_a_night_goes_in_order():
    with Harness(nightly.registry) as tide:
        whole, partial = nightly.nightly(tide.client, "monday"), nightly.partial_nightly(tide.client, "monday")
        tide.drain()

        for batch_id, size in ((whole, 3), (partial, 5)):
            view = tide.client.batches.get(batch_id)
            assert (view.state, view.succeeded) == (BatchState.SUCCEEDED, size)
