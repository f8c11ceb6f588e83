"""Files: read and checked, written whole."""
