"""Jobs that do what jobs should not, each in a lane whose process it may take with it."""

from tidemill import JobRegistry, Lane
from trials.asking import ask
from trials.building import build
from trials.crashing import crash, keep_going, poison
from trials.doomed import doomed, doomed_died
from trials.fleet import fleet_in, sail
from trials.hooked import be_told
from trials.lasting import count_rows, stay_unmoved, wander
from trials.ordered import change_in_order, take_turn
from trials.outside import call
from trials.quick import do_at_once
from trials.selling import book, cancel_booking, pay, place_order, send_off
from trials.telling import Told, hear, hear_in_order, tell
from trials.ticking import tell_time
from trials.timing import doze, overrun, stay_deaf, stroll, take_care, take_care_async

registry = JobRegistry(
    do_at_once,
    crash,
    poison,
    keep_going,
    overrun,
    stay_deaf,
    doze,
    stroll,
    take_care,
    take_care_async,
    count_rows,
    wander,
    stay_unmoved,
    change_in_order,
    take_turn,
    call,
    build,
    doomed,
    doomed_died,
    sail,
    fleet_in,
    book,
    cancel_booking,
    pay,
    send_off,
    tell_time,
    be_told,
    ask,
    tell,
    hear,
    hear_in_order,
    sagas=[place_order],
    events=[Told],
    webhooks=["trial"],
    lanes=(
        Lane("default"),
        Lane("crashing"),
        Lane("poison"),
        Lane("beating"),
        Lane("stuck"),
        Lane("lasting"),
        Lane("ticking"),
        Lane("ordered", fifo=True),
    ),
)
