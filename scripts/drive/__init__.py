"""Driving events through a running system, and keeping count of what becomes of each."""
