"""What several commands share: parameter types, option groups, the configuration file, summaries."""
