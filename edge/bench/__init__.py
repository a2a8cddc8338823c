"""Latency and throughput of a bundle on this device, measured and compared: `foal-edge bench`."""
