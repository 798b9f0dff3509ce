"""Measure, count, write `bench/results.json`, and say how it compares."""

from __future__ import annotations

import json
import platform
import sys
import time
from pathlib import Path

from bench.coldstart import Import, measure_imports
from bench.counted import Consumption, count_consumption
from bench.cpu import CpuFigures, measure_cpu
from bench.prices import LATENCY_S, MEMORY_MB, Bill, bill

RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    """Run everything: about a minute on two quiet cores."""
    started = time.monotonic()
    (ours, textbook), cpu = measure_imports(), measure_cpu()
    plain, listed = count_consumption(list_index=False), count_consumption(list_index=True)
    dollars = _bill(plain, cpu)
    results = {
        "cpu_us_per_job_batch10": round(cpu.batch10.us_per_job, 1),
        "cpu_us_per_job_batch100": round(cpu.batch100.us_per_job, 1),
        "textbook_cpu_us_per_job_batch10": round(cpu.textbook10.us_per_job, 1),
        "import_ms": round(ours.wall_ms, 1),
        "textbook_import_ms": round(textbook.wall_ms, 1),
        "write_units_per_job": plain.write_units,
        "write_units_per_job_listed": listed.write_units,
        "sqs_requests_per_job": plain.sqs_requests,
        "invocations_per_job": plain.invocations,
        "usd_per_million_jobs": round(dollars.total, 2),
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"Python {platform.python_version()} on {platform.machine()}\n")
    for name, value in results.items():
        print(f"{name:34} {value:>9}")
    _print_cpu(cpu)
    _print_imports(ours, textbook)
    _print_bill(dollars, _bill(listed, cpu))
    print(f"\n{RESULTS.name} written after {time.monotonic() - started:.0f} s")
    return 0


def _bill(used: Consumption, cpu: CpuFigures) -> Bill:
    return bill(
        write_units=used.write_units,
        sqs_requests=used.sqs_requests,
        invocations=used.invocations,
        cpu_s_per_job=cpu.batch10.us_per_job / 1e6,
        calls_per_batch=used.worker_calls_per_batch,
    )


def _print_cpu(cpu: CpuFigures) -> None:
    cases = {"batch 10": cpu.batch10, "batch 100": cpu.batch100, "textbook, batch 10": cpu.textbook10}
    shown = ", ".join(f"{name} {case.us_per_job:.0f} [{case.least:.0f}]" for name, case in cases.items())
    print(f"\nCPU a job, us, median [least]: {shown}")
    print(f"  the textbook handler takes {cpu.textbook10.us_per_job / cpu.batch10.us_per_job:.1f} times ours")


def _print_imports(ours: Import, textbook: Import) -> None:
    print("cold import, ms, median wall and CPU, then self time by package:")
    for name, one in (("ours", ours), ("textbook", textbook)):
        packages = ", ".join(f"{package} {ms:.0f}" for package, ms in one.by_package)
        print(f"  {name:8} {one.wall_ms:.0f} and {one.cpu_ms:.0f}: {packages}")
    wall, cpu = ours.wall_ms / textbook.wall_ms, ours.cpu_ms / textbook.cpu_ms
    print(f"  ours takes {wall:.2f} of the textbook handler's wall time, {cpu:.2f} of its CPU")


def _print_bill(plain: Bill, listed: Bill) -> None:
    print(
        f"dollars a million jobs: DynamoDB {plain.dynamodb:.2f}, SQS {plain.sqs:.2f} and {plain.fair_queue:.2f} for "
        f"fair queues, Lambda {plain.lambda_requests:.2f} and {plain.lambda_compute:.2f} for compute "
        f"({MEMORY_MB} MB arm64, {LATENCY_S * 1000:.0f} ms a call assumed); {listed.total:.2f} with the list index"
    )


if __name__ == "__main__":
    sys.exit(main())
