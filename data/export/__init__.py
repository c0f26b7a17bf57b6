"""Files out. Every writer takes a ``ReleasedLayer`` and nothing else."""
