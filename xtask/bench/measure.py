"""Runs a command and prints its processor seconds, peak memory in MB, and seconds passed.

Used by `cargo xtask bench`: the operating system counts, not the measured program.
"""

import resource
import subprocess
import sys
import time

# What came before is no part of it: a Python that was started through a script has had children already.
before = resource.getrusage(resource.RUSAGE_CHILDREN)
began = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=False)
passed = time.perf_counter() - began
if done.returncode != 0 or not done.stdout.strip():
    sys.exit(f"ended with {done.returncode} after {len(done.stdout)} bytes of output")
used = resource.getrusage(resource.RUSAGE_CHILDREN)
unit = 1024 * 1024 if sys.platform == "darwin" else 1024
seconds = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
print(seconds, used.ru_maxrss / unit, passed)
