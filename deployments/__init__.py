"""Everything a running installation is made of."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The folder of flows/ and deployments/: flow entrypoints are paths below it."""
