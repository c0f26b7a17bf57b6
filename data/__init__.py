"""Files, stores and exports: everything that reads or writes."""
