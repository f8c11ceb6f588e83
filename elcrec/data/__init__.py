"""From a data set's name in the configuration to one line of item ids per user."""
