"""Runs a command and prints its processor seconds, peak memory in MB, and seconds passed.

Used by `cargo xtask bench`: the operating system counts, not the measured program.
"""

import resource
import subprocess
import sys
import time

began = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=False)
passed = time.perf_counter() - began
if done.returncode != 0 or not done.stdout.strip():
    sys.exit(f"ended with {done.returncode} after {len(done.stdout)} bytes of output")
used = resource.getrusage(resource.RUSAGE_CHILDREN)
unit = 1024 * 1024 if sys.platform == "darwin" else 1024
print(used.ru_utime + used.ru_stime, used.ru_maxrss / unit, passed)
