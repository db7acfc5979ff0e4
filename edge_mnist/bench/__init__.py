"""What a model costs on the machine that this runs on: docs/benchmarking.md has the protocol."""
