"""What an installation needs, looked at piece by piece. Each module knows the checks of one neighbour."""
