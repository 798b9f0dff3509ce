"""The gate of schemas: what would break the jobs that wait fails the synth; all else is a note."""

import json

import pytest
from aws_cdk import App
from aws_cdk.assertions import Annotations, Match

from tests.infrastructure.stacks import REGISTRY, code_folder, dependency_folder, make_thumbnail
from tidemill.domain.schema.judging import described_in, renewed
from tidemill.schemas import write_snapshots
from tidemill_cdk import DeploySettings, TidemillStack
from tidemill_cdk.schemas import check_schemas, findings, is_only_snapshots


@pytest.fixture
def code(tmp_path):
    folder = code_folder(tmp_path / "code")
    write_snapshots(folder / "schemas", renewed(described_in(REGISTRY), []))
    return folder


def change(code, **fields):
    """Let the snapshot say that a thumbnail's arguments were these."""
    path = code / "schemas" / "media.thumbnail.v1.json"
    document = json.loads(path.read_text())
    document["schema"]["properties"] |= fields
    path.write_text(json.dumps(document))


def build(code, tmp_path):
    settings = DeploySettings(dependencies=dependency_folder(tmp_path / "layer"), cache=tmp_path / "cache")
    app = App(outdir=str(tmp_path / "out"))
    return app, TidemillStack(app, "tidemill", registry=REGISTRY, code=code, settings=settings)


def test_a_breaking_change_fails_the_synth_at_the_worker_that_would_meet_it(code, tmp_path, capfd):
    change(code, width={"type": "string"})
    app, _ = build(code, tmp_path)

    with pytest.raises(Exception, match="alidation"):
        app.synth()

    said = capfd.readouterr()
    report = (tmp_path / "out" / "validation-report.json").read_text() if (tmp_path / "out").is_dir() else ""
    text = said.out + said.err + report
    assert "args.width was string, and is integer" in " ".join(text.split())
    assert "@upcasts(1)" in text


def test_where_there_are_none_it_is_a_note(tmp_path):
    _, stack = build(code_folder(tmp_path / "bare"), tmp_path)

    Annotations.from_stack(stack).has_info("*", Match.string_like_regexp("there are no schema snapshots"))


def test_findings_name_the_worker(code):
    change(code, width={"type": "string"})
    found = findings([one for one in _judged(code) if one.refused], REGISTRY)

    assert [(one.rule, one.logical_id) for one in found] == [("schema", "WorkerBulk")]
    assert make_thumbnail.lane == "bulk"


def _judged(code):
    from tidemill.domain.schema.judging import judge
    from tidemill.schemas import read_snapshots

    return judge(described_in(REGISTRY), read_snapshots(code / "schemas"))


def test_fresh_snapshots_say_nothing(code, tmp_path):
    _, stack = build(code, tmp_path)

    assert check_schemas(stack.pipeline, REGISTRY, code) == []
    Annotations.from_stack(stack).has_no_info("*", Match.string_like_regexp("schema"))


def test_snapshots_are_no_part_of_the_code(code, tmp_path):
    _, stack = build(code, tmp_path)
    version = stack.pipeline.runtime_settings.code_version
    snapshot = code / "schemas" / "media.thumbnail.v1.json"
    snapshot.write_text(snapshot.read_text() + "\n")

    assert build(code, tmp_path / "again")[1].pipeline.runtime_settings.code_version == version
    assert is_only_snapshots(code / "schemas")
    (code / "schemas" / "__init__.py").write_text("")
    assert not is_only_snapshots(code / "schemas")
