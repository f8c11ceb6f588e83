"""Recommendations of a finished run for any histories."""
