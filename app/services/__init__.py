"""Use cases: one function a thing somebody wants done; know no HTTP, no HTML and no SQL."""
