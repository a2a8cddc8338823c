"""Work spread over the workers of a Dask cluster, for commands that are given `--workers`."""
