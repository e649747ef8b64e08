"""The ingestion service: events come in, are checked, freed of duplicates, and queued."""
