"""Folium pages, their browser assets and their styles; draws only what has been released."""
