"""Jobs that do what jobs should not, each in a lane whose process it may take with it."""

from tidemill import JobRegistry, Lane
from trials.crashing import crash, poison
from trials.doomed import doomed, doomed_died
from trials.lasting import count_rows
from trials.ordered import change_in_order
from trials.quick import do_at_once
from trials.timing import overrun, take_care, take_care_async

registry = JobRegistry(
    do_at_once,
    crash,
    poison,
    overrun,
    take_care,
    take_care_async,
    count_rows,
    change_in_order,
    doomed,
    doomed_died,
    lanes=(
        Lane("default"),
        Lane("crashing"),
        Lane("poison"),
        Lane("stuck"),
        Lane("lasting"),
        Lane("ordered", fifo=True),
    ),
)
