"""Dead jobs for the DLQ desk over HTTP."""

from tidemill import seconds
from tidemill.domain.failure import Failure
from tidemill.domain.lifecycle import State
from tidemill.domain.limits import MAX_RECEIVES
from tidemill.domain.memory import Memory, Remembered
from tidemill.domain.outcome import Bury
from tidemill.domain.ports import Claim, Conclusion
from tidemill.service.reception import receive

UUID = "0190a5b0-0000-7000-8000-000000000000"
FAILURE = Failure("ValueError", "no such bucket", "Traceback ...", "0123456789abcdef")
DAY_MS = 86_400_000


def token(tenant):
    return {"jwt": {"claims": {"tenant": tenant, "sub": "user-7"}}}


ACME, GLOBEX = token("acme"), token("globex")


def kill(world, *, failure=FAILURE, reason="permanent", **request):
    """Submit a job, let it die, and bring its message into the DLQ."""
    ref = world.submitted(**request)
    lane = world.store.jobs[ref].lane
    (delivery,) = world.queues.receive(lane)
    (message,) = receive([delivery])
    now = world.clock.now_ms() + 1
    claim = Claim(ref, message.envelope.fingerprint, "w", message.held, now, now + 60_000, now // 1000 + DAY_MS)
    world.store.claim([claim])
    verdict = Bury(reason, failure, now + 30 * DAY_MS)
    world.store.conclude([Conclusion(world.store.jobs[ref], verdict, message.envelope, now)])
    for _ in range(MAX_RECEIVES):
        world.queues.hide(lane, [(delivery.receipt, 0)])
        delivery = next(iter(world.queues.receive(lane)), delivery)
    assert world.store.jobs[ref].state is State.DEAD
    assert world.queues.count(lane) == 0
    world.clock.advance(seconds(1))
    return ref


def remember(world, ref, *names):
    steps = {name: Remembered(name, number, None, world.clock.now_ms(), 1) for number, name in enumerate(names, 1)}
    world.memory.memories[ref] = Memory(fence=1, steps=steps)


def entries(world):
    return sorted(world.trail.entries.values(), key=lambda entry: entry.id)
