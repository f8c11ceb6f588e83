"""The replication report: one self-contained HTML page from tables, figures and run records."""
