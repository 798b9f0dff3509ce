"""What a job costs: CPU and cold start measured, write units, requests and invocations counted, dollars derived.

`make bench` runs it and writes `bench/results.json`. Nothing here opens a socket: AWS is `bench.cloud`, which
answers behind botocore's own connection class, so that signing, serialising, HTTP and parsing are all real.
"""
