"""Metrics and log lines of the functions."""

from __future__ import annotations

import io
import json

from tidemill.entrypoints.observability import PowertoolsTelemetry


def test_however_much_is_counted_it_is_one_line_with_its_lane(capsys):
    telemetry = PowertoolsTelemetry("shop", "bulk")
    for _ in range(250):
        telemetry.count("MessagesRefused")
    telemetry.count("BatchSize", 10)

    telemetry.flush()

    (line,) = capsys.readouterr().out.splitlines()
    metrics = json.loads(line)
    assert (metrics["service"], metrics["lane"], metrics["MessagesRefused"], metrics["BatchSize"]) == (
        "shop",
        "bulk",
        [250.0],
        [10.0],
    )
    (described,) = metrics["_aws"]["CloudWatchMetrics"]
    assert (described["Namespace"], sorted(described["Dimensions"][0])) == ("Tidemill", ["lane", "service"])


def test_each_flush_starts_from_nothing_and_nothing_is_no_line(capsys):
    telemetry = PowertoolsTelemetry("shop")
    telemetry.count("ApiRequests")
    telemetry.flush()
    capsys.readouterr()

    telemetry.flush()

    assert capsys.readouterr().out == ""


def test_a_field_that_logging_keeps_for_itself_is_logged_all_the_same(capsys):
    PowertoolsTelemetry("shop-log").note("job", created=True, name="x", job_id="1")

    line = json.loads(capsys.readouterr().out)
    assert (line["created_"], line["name_"], line["job_id"]) == (True, "x", "1")


class BrokenStream(io.StringIO):
    def write(self, _):
        raise SystemExit("closed")


def test_what_cannot_be_written_is_lost_and_raises_nothing(monkeypatch):
    telemetry = PowertoolsTelemetry("shop-broken")
    telemetry.count("JobsSucceeded")
    monkeypatch.setattr("sys.stdout", BrokenStream())
    monkeypatch.setattr("sys.stderr", BrokenStream())
    for handler in telemetry.logger.handlers:
        monkeypatch.setattr(handler, "stream", BrokenStream())

    telemetry.note("a")
    telemetry.alert("b")
    telemetry.flush()


def test_a_logger_whose_handlers_a_job_took_away_raises_nothing(capsys):
    telemetry = PowertoolsTelemetry("shop-bare")
    handlers = list(telemetry.logger.handlers)
    telemetry.logger.handlers.clear()
    try:
        telemetry.correlate("request")
        telemetry.note("a")
    finally:
        telemetry.logger.handlers.extend(handlers)
