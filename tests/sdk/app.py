"""A program with Pyroscope's SDK for Python: computes, and prints how many seconds of CPU time it took."""
import time

import pyroscope


def bake(end):
    while time.monotonic() < end:
        sum(range(1000))


pyroscope.configure(application_name="by-python", server_address="http://127.0.0.1:4040", tags={"region": "eu"})
with pyroscope.tag_wrapper({"step": "oven"}):
    bake(time.monotonic() + 3)
pyroscope.shutdown()
print(time.process_time())
