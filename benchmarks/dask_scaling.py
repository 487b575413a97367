#!/usr/bin/env python3
"""What Dask costs beside convoy's own work: the overhead of a block, and how two workers scale over one, from Zarr to Zarr.

Usage: benchmarks/dask_scaling.py [-o RESULT.json]      (the package convoy, dask, distributed and zarr must be importable)

Wall times are the machine's, with whatever else it does (the load average is told); processor times are the workers' own.
"""

import argparse
import datetime
import json
import os
import statistics
import tempfile
import time

import convoy
import convoy.dask
import dask
import dask.array as da
import numpy as np
import zarr
from distributed import Client, LocalCluster

RUNS = 3


def processor_seconds():
    used = os.times()
    return used.user + used.system


def overhead_of_a_block():
    """Blocks so small that the work is next to nothing, one after the other in this process."""
    image, kernel, block = np.random.default_rng(1).standard_normal((2048, 2048)).astype(np.float32), np.ones((3, 3)), 64
    begin = time.process_time()
    lazy = convoy.dask.convolve(da.from_array(image, chunks=block), kernel, device="cpu")
    graph = time.process_time() - begin
    num_blocks = int(np.prod(lazy.numblocks))
    seconds = []
    with dask.config.set(scheduler="synchronous"):
        lazy.compute()
        for _ in range(RUNS):
            begin = time.process_time()
            lazy.compute()
            seconds.append(time.process_time() - begin)
    with convoy.Convolver(kernel, (block + 2, block + 2), region=np.s_[1:-1, 1:-1], device="cpu") as blur:
        part = np.ascontiguousarray(image[: block + 2, : block + 2])
        blur(part)
        begin = time.process_time()
        for _ in range(num_blocks):
            blur(part)
        alone = time.process_time() - begin
    return {
        "num_blocks": num_blocks,
        "graph_microseconds_per_block": 1e6 * graph / num_blocks,
        "run_microseconds_per_block": 1e6 * statistics.median(seconds) / num_blocks,
        "convolver_microseconds_per_block": 1e6 * alone / num_blocks,
    }


def zarr_to_zarr(folder, num_workers):
    """(wall seconds, processor seconds of all workers), the least of a few runs."""
    runs = []
    with LocalCluster(n_workers=num_workers, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster, Client(cluster) as client:
        for run in range(RUNS + 1):
            lazy = convoy.dask.convolve(da.from_zarr(f"{folder}/in.zarr"), np.ones((15, 15, 15)), normalize=True, boundary="reflect", device="cpu")
            before = sum(client.run(processor_seconds).values())
            begin = time.perf_counter()
            da.to_zarr(lazy, f"{folder}/out-{num_workers}-{run}.zarr")
            runs.append((time.perf_counter() - begin, sum(client.run(processor_seconds).values()) - before))
    return min(runs[1:])  # the first makes kernels ready


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", help="JSON file; default: printed")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        shape, chunks = (128, 384, 384), (64, 96, 96)
        source = zarr.create_array(f"{folder}/in.zarr", shape=shape, chunks=chunks, dtype="float32")
        source[:] = np.random.default_rng(1).standard_normal(shape, dtype=np.float32)
        one, two = zarr_to_zarr(folder, 1), zarr_to_zarr(folder, 2)
    result = {
        "date": datetime.date.today().isoformat(),
        "convoy": convoy.__version__,
        "cores": os.cpu_count(),
        "load_average_before": load,
        "block": overhead_of_a_block(),
        "zarr_to_zarr": {
            "image": shape,
            "chunks": chunks,
            "kernel": (15, 15, 15),
            "one_worker_seconds": one[0],
            "two_workers_seconds": two[0],
            "speedup": one[0] / two[0],
            "one_worker_processor_seconds": one[1],
            "two_workers_processor_seconds": two[1],
        },
        "load_average_after": os.getloadavg()[0],
    }
    text = json.dumps(result, indent=2)
    if arguments.output:
        with open(arguments.output, "w") as file:
            file.write(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
