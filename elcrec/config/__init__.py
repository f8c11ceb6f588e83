"""What is asked for: YAML files, merged and checked."""
