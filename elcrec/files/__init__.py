"""Files: read with checks, written atomically."""
