"""MiniStack's Scheduler, with its context attributes filled in."""

from types import SimpleNamespace

from tidemill.local.scheduler import fill_in_attributes

EVENT = {"Source": "aws.scheduler", "EventId": "e-1", "Time": 1_800_000_059.5, "Resources": ["arn:schedule"]}


def sent(event, target):
    seen = []
    module = SimpleNamespace(_invoke_target=lambda target, event, rule=None, view=None: seen.append(target))
    fill_in_attributes(module)
    module._invoke_target(target, event, {})
    return seen


def test_the_attributes_of_a_schedule_are_filled_in():
    text = "<aws.scheduler.scheduled-time> <aws.scheduler.schedule-arn> <aws.scheduler.execution-id>"

    assert sent(EVENT, {"Input": f"{text} <aws.scheduler.attempt-number>", "Arn": "q"}) == [
        {"Input": "2027-01-15T08:00:00Z arn:schedule e-1 1", "Arn": "q"}
    ]


def test_what_a_rule_sends_is_left_as_it_is():
    target = {"Input": "<aws.scheduler.scheduled-time>"}

    assert sent({**EVENT, "Source": "aws.events"}, target) == [target]
    assert sent(EVENT, {"Arn": "q"}) == [{"Arn": "q"}]


def test_a_cloud_that_sends_in_another_way_is_left_as_it_is():
    module = SimpleNamespace()

    fill_in_attributes(module)

    assert vars(module) == {}
