"""Submit a job to the deployed stack and wait for its result: `python submit.py Ada`."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "functions"))

from jobs.greet import Greet

from jobs import registry
from tidemill import connect

client = connect("tidemill", registry=registry)
receipt = client.submit(Greet(name=sys.argv[1]))
print("submitted", receipt.job_id)
for _ in range(60):
    job = client.get(receipt.job_id)
    if job.state.is_final:
        break
    time.sleep(0.5)
print(job.state, client.result(receipt.job_id) if job.state == "succeeded" else job.reason)
