"""`seawall fuzz`: hostile inputs at the real services, and what must hold whatever comes."""
