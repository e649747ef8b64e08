"""Breaking a system on purpose, fault after fault, and counting what becomes of every event."""
