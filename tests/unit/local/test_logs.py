from itertools import islice

from tidemill.local.logs import LogReader


class Cloud:
    """Lambda and CloudWatch Logs as boto3 shows them: functions and log groups, every page with one entry."""

    def __init__(self, groups, functions=None):
        self.groups = groups
        self.functions = functions or {name.rpartition("/")[2]: name for name in groups}

    def get_paginator(self, operation):
        return Pages(getattr(self, operation))

    def list_functions(self):
        functions = self.functions.items()
        return [
            {"Functions": [{"FunctionName": name, "LoggingConfig": {"LogGroup": group}}]} for name, group in functions
        ]

    def describe_log_groups(self):
        return [{"logGroups": [{"logGroupName": name}]} for name in self.groups]

    def filter_log_events(self, logGroupName, startTime):  # noqa: N803
        return [{"events": [event]} for event in self.groups[logGroupName] if event["timestamp"] >= startTime]


class Pages:
    def __init__(self, operation):
        self.paginate = operation


def event(timestamp, message, stream="s"):
    return {"timestamp": timestamp, "message": message, "logStreamName": stream}


def test_lines_of_all_functions_in_the_order_of_time():
    cloud = Cloud({"/aws/lambda/worker": [event(1, "a"), event(3, "c")], "/aws/lambda/api": [event(2, "b")]})

    lines = LogReader(cloud, cloud).read()

    assert [(line.function, line.message) for line in lines] == [("worker", "a"), ("api", "b"), ("worker", "c")]


def test_lines_of_one_invocation_keep_their_order():
    cloud = Cloud({"/aws/lambda/worker": [event(1, "z"), event(1, "a")]})

    assert [line.message for line in LogReader(cloud, cloud).read()] == ["z", "a"]


def test_one_function_by_a_part_of_its_name():
    cloud = Cloud({"/aws/lambda/t-BulkWorker": [event(1, "a")], "/aws/lambda/api": [event(2, "b")]})

    assert [line.message for line in LogReader(cloud, cloud, "bulkworker").read()] == ["a"]


def test_a_function_is_found_by_its_name_wherever_it_writes():
    cloud = Cloud(
        {"/elsewhere/WorkerLogs1": [event(1, "a")]}, {"t-Worker": "/elsewhere/WorkerLogs1", "t-Api": "/silent"}
    )

    assert [line.function for line in LogReader(cloud, cloud, "worker").read()] == ["t-Worker"]
    assert LogReader(cloud, cloud, "api").read() == []


def test_lines_before_a_time_are_left_out():
    cloud = Cloud({"/aws/lambda/worker": [event(1, "a"), event(5, "b")]})

    assert [line.message for line in LogReader(cloud, cloud).read(since_ms=5)] == ["b"]


def test_following_prints_every_line_once_and_late_ones_too():
    events = [event(10_000, "a"), event(10_000, "a")]  # the same words twice are two lines
    cloud = Cloud({"/aws/lambda/worker": events})
    arriving = iter([event(9_500, "late"), event(20_000, "b")])

    followed = LogReader(cloud, cloud).follow(0, pause=lambda _: events.append(next(arriving)))

    assert [line.message for line in islice(followed, 4)] == ["a", "a", "late", "b"]
