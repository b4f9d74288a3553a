"""Mutated model files: where they come from, and child processes that open them under limits."""
