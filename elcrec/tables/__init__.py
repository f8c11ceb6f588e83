"""The paper's tables, from run folders: reading, statistics, CSV and Markdown."""
