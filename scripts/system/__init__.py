"""The system's processes on one machine: Redis, Triton, ingest, screener."""
