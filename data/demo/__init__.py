"""A synthetic city: invented geography, invented records, and the truth that was planted, all from one seed."""

from data.demo.city import SOURCE, DemoFiles, write_city

__all__ = ["SOURCE", "DemoFiles", "write_city"]
