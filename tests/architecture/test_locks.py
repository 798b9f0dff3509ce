"""The lock files name public packages, never where one machine fetched them."""

import json
import tomllib


def test_npm_packages_are_locked_by_hash_and_without_hosts(repository):
    packages = json.loads((repository / "package-lock.json").read_text())["packages"]
    fetched = {name: package for name, package in packages.items() if name}

    assert fetched
    assert all("integrity" in package and "resolved" not in package for package in fetched.values())


def test_the_cdk_command_line_is_one_that_reads_what_the_library_writes(repository):
    wanted = json.loads((repository / "package.json").read_text())["devDependencies"]["aws-cdk"]
    locked = json.loads((repository / "package-lock.json").read_text())["packages"]["node_modules/aws-cdk"]["version"]

    assert wanted == locked
    assert wanted.startswith("2.1148.")


def test_python_packages_come_from_the_public_index(repository):
    packages = tomllib.loads((repository / "uv.lock").read_text())["package"]

    assert {package["source"].get("registry", "here") for package in packages} == {"https://pypi.org/simple", "here"}
