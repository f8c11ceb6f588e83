"""The nightly check: fresh runs against recorded ones, cell by cell."""
