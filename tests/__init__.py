"""Tests prove behaviour: real PostGIS, real Chromium, real files."""
