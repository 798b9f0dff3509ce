"""The demo from its first job to its last."""

from typing import Final

from examples.demo import bulk, refusals, shop, thumbnails, trouble
from examples.demo.scoreboard import Scoreboard
from examples.demo.screen import Screen
from examples.demo.stage import Stage
from examples.demo.watch import watch

CHECKS: Final = (
    *thumbnails.CHECKS,
    *trouble.CHECKS_BEFORE,
    *refusals.CHECKS,
    *bulk.CHECKS,
    *trouble.CHECKS_AFTER,
    *shop.CHECKS,
)


def play(stage: Stage, screen: Screen, board: Scoreboard) -> None:
    """Submit jobs in every way, watch them, check every outcome, mend what broke."""
    with screen.step("photographs") as note:
        note(thumbnails.upload_photographs(stage))
    with screen.step("jobs") as note:
        pictures = thumbnails.submit_thumbnails(stage)
        flaky, fragile = trouble.submit_troubled(stage)
        neighbours = refusals.send_neighbours(stage)
        few = [*pictures, flaky, fragile, *neighbours.good, neighbours.bad]
        note(f"{len(few)} submitted: by HTTP, by plain SQS, by the Python client")
    jobs = watch(stage, screen, few)
    thumbnails.check_thumbnails(stage, board, pictures, jobs)
    screen.show_pictures(thumbnails.made_thumbnails(stage))
    trouble.check_troubled(stage, board, flaky, fragile, jobs)
    refusals.check_neighbours(stage, board, neighbours, jobs)
    refusals.check_requests(stage, board)

    with board.expecting(*bulk.CHECKS):
        with screen.step("bulk") as note:
            many = bulk.submit_bulk(stage)
            note(f"{bulk.COUNT} jobs submitted in one call of the client")
        jobs |= watch(stage, screen, [], many.refs)
        screen.say(bulk.check_bulk(board, many, jobs))
        screen.say(bulk.check_units(stage, board, many, jobs))

    with board.expecting(*trouble.CHECKS_AFTER):
        with screen.step("redrive") as note:
            via = trouble.mend_and_redrive(stage, fragile)
            note(f"uploaded {trouble.MISSING_KEY}, put the dead job's message back from the {via.upper()}")
        trouble.check_redriven(stage, board, fragile, via)
    shop.play_shop(stage.shop, screen, board)
