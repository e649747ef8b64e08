"""One service as several processes of a host: a parent that answers for all, and those that do the work."""
