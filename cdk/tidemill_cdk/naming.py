"""Logical ids that stay: moving a construct in the tree must not replace a queue full of messages."""

from __future__ import annotations

import re

from aws_cdk import CfnElement, CfnResource, Resource


def keep_name(resource: Resource, logical_id: str) -> None:
    """Give the resource this logical id, wherever it is in the tree."""
    element = resource.node.default_child
    if not isinstance(element, CfnResource):
        raise TypeError(f"{resource.node.path} has no single CloudFormation resource. Fix: name an L2 construct's")
    rename(element, logical_id)


def rename(element: CfnElement, logical_id: str) -> None:
    """Give a CloudFormation element (a resource or an output) this logical id."""
    element.override_logical_id(logical_id)


def pascal(lane: str) -> str:
    """A lane's name as part of a logical id: `media-gpu` is `MediaGpu`."""
    return "".join(word.capitalize() for word in lane.split("-"))


def words(name: str) -> str:
    """A dotted, hyphened or underscored name as part of a logical id: `media.night_run` is `MediaNightRun`."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[._-]", name))


def worker_id(lane: str) -> str:
    """The logical id of a lane's worker function."""
    return f"Worker{pascal(lane)}"
