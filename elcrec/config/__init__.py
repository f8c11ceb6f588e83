"""The configuration: YAML files, merged and checked."""
