"""The replication check: fresh runs against a recorded reference, cell by cell."""
